"""When a search in which nothing broke proves nothing all the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fuzzer.events import Summary
from fuzzer.reports.coverage import shortfall
from models.coverage import Dimension

UNKNOWN_SHARE_MOST = 0.25


def doubt(summary: Summary, promises: Sequence[str], min_coverage: Mapping[Dimension, float]) -> str:
    """Why nothing can be said of the target; "" if something can, or if a promise was broken.

    Args:
        summary: what was tried.
        promises: those that were asked for by name.
        min_coverage: the share that was asked for, in each dimension that is named.
    """
    if summary.findings:
        return ""
    if summary.halt:
        return str(summary.halt)
    unknown = len(summary.inconclusive)
    if not summary.scenarios:
        return f"no scenario told anything: {summary.inconclusive[-1] if unknown else summary.ended}"
    untested = [name for name in promises if not summary.held[name]]
    if untested:
        return f"no scenario put this to the test: {', '.join(untested)}"
    if summary.gave_up:
        return f"{summary.ended}: {summary.inconclusive[-1]}"
    if unknown > UNKNOWN_SHARE_MOST * (unknown + summary.scenarios):
        told = f"{unknown} of {unknown + summary.scenarios} scenarios told nothing"
        return f"{told}: {summary.inconclusive[-1]}"
    return shortfall(summary.coverage, min_coverage)
