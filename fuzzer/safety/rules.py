"""What ends a run from outside, each as a question: the sentence that refuses it, "" while it may go on.

Whatever is asked before a run begins is asked again before each scenario, and four times a second while
one plays.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from shlex import quote
from typing import TypeAlias

from models.target import Target
from models.windows import window_around

Rule: TypeAlias = Callable[[], str]

STOP_FILE = "stop"


def _now() -> datetime:
    return datetime.now(UTC)


def stop_file(state: Path) -> Rule:
    """Nothing is played while the state folder holds a file of this name."""
    path = state / STOP_FILE

    def refusal() -> str:
        if not path.exists():
            return ""
        return (
            f"{path} is there, and while it is no run begins or goes on; "
            f"to let runs begin again: rm {quote(str(path))}"
        )

    return refusal


def windows(target: Target, now: Callable[[], datetime] = _now) -> Rule:
    """Nothing is touched inside an excluded window."""

    def refusal() -> str:
        around = window_around(target.safety.excluded_windows, now())
        if around is None:
            return ""
        window, end = around
        return (
            f"{target.name}: x-knockon.safety.excluded_windows: nothing is touched inside `{window}`, which "
            f"lasts until {end:%a %Y-%m-%d %H:%M %Z}; begin again then, or change that key"
        )

    return refusal
