"""Spans of time as people write them: ``90``, ``90s``, ``5m``, ``1h``, ``1m30s``."""

from __future__ import annotations

import math
import re

from models.errors import RequestError

_UNITS_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_NUMBER = r"(?:\d+(?:\.\d*)?|\.\d+)"
_PART = re.compile(rf"({_NUMBER})({'|'.join(_UNITS_S)})", re.ASCII)
_WHOLE = re.compile(rf"{_NUMBER}|(?:{_PART.pattern})+", re.ASCII)


def parse_duration(text: str) -> float:
    """Seconds. A number without a unit is seconds; parts are added up: ``1m30s`` is 90.

    Raises:
        RequestError: it is no span of time, or not longer than nothing.
    """
    words = text.strip().lower()
    if not _WHOLE.fullmatch(words):
        raise RequestError(f"found {text!r}; expected a span of time such as 90s, 5m or 1h")
    parts = _PART.findall(words)
    seconds = sum(float(number) * _UNITS_S[unit] for number, unit in parts) if parts else float(words)
    if not 0 < seconds < math.inf:
        raise RequestError(f"found {text!r}; expected more than nothing, such as 90s, 5m or 1h")
    return seconds
