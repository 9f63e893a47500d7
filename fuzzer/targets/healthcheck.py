"""What a container does about its own health: the test, and how often it looks."""

from __future__ import annotations

import re

from fuzzer.targets.base import Place
from models.compose_nodes import ListNode, MapNode, ScalarNode
from models.compose_spec import HEALTHCHECK_KEYS
from models.target import HealthCheck

LEAST_S = 0.001
"""An engine refuses shorter ones."""

_A_SPAN = "a span of time such as 30s or 1m30s"
_UNITS_S = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART = re.compile(rf"(\d+(?:\.\d+)?)({'|'.join(_UNITS_S)})", re.ASCII)


def read_healthcheck(place: Place) -> HealthCheck | None:
    """The health check of a service; None where there is none, or where only the image may have one."""
    check = place.get("healthcheck")
    if check is None:
        return None
    if not isinstance(check.node, MapNode):
        check.complain("a mapping")
    check.check_keys(HEALTHCHECK_KEYS, "a health check")
    disable = check.get("disable")
    if (disable is not None and disable.flag()) or not _has_test(check.get("test")):
        return None
    usual = HealthCheck()
    return HealthCheck(
        _duration_s(check.get("interval"), usual.interval_s),
        _duration_s(check.get("timeout"), usual.timeout_s),
        _retries(check.get("retries"), usual.retries),
        _duration_s(check.get("start_period"), usual.start_period_s),
    )


def _has_test(test: Place | None) -> bool:
    match test and test.node:
        case ScalarNode(text=text):
            return text != "NONE"
        case ListNode(items=(ScalarNode(text="NONE"), *_)):
            return False
        case _:
            return True


def _duration_s(place: Place | None, usual_s: float) -> float:
    if place is None:
        return usual_s
    text = place.text(_A_SPAN)
    parts = _PART.findall(text or "")
    seconds = sum(float(number) * _UNITS_S[unit] for number, unit in parts)
    if text is not None and ("".join(map("".join, parts)) != text or 0 < seconds < LEAST_S):
        place.complain(_A_SPAN)
        return usual_s
    return seconds or usual_s  # compose, too, takes nothing for its default


def _retries(place: Place | None, usual: int) -> int:
    if place is None:
        return usual
    text = place.printed("a whole number")
    if text is not None and not re.fullmatch("[0-9]{1,9}", text):
        place.complain("a whole number")
        return usual
    return int(text or 0) or usual
