"""Our time, and the engine's time on it.

Every observation carries seconds of one monotonic clock. The engine stamps its events with the wall
clock of its own machine, which need not be ours: a virtual machine of Docker Desktop or a remote
engine may be seconds off. So the difference is measured when a run begins, from ``/info``, and again
once there is a sign that somebody set a clock: ours jumped, or an event comes from another time.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime

SAMPLES = 5

JUMP_S = 0.05
"""A clock that is off by more than this was set: those who keep time in between change its pace."""

LATE_S = 2.0
"""An event from another time than this is a sign that the engine's clock was set; or we are just late."""

AGAIN_S = 5.0
"""For so long nobody asks again because of such a sign: repeated events are hours old."""


class MonotonicClock:
    """Seconds that never go back."""

    def now(self) -> float:
        """Seconds since some fixed moment."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        if seconds > 0:
            time.sleep(seconds)


def epoch_s(text: str) -> float:
    """Seconds since 1970 of a moment as the engine writes it; what never was (year 1) is 0.

    A float holds them to a quarter of a microsecond, and the engine's nanoseconds are cut to
    microseconds; both are far below what a probe can tell.
    """
    moment = datetime.fromisoformat(text)
    return moment.timestamp() if moment.year > 1970 else 0.0


class EngineTime:
    """Places the engine's moments on our clock.

    Attributes:
        skew_s: how far the engine's wall clock is ahead of ours; 0 until it is measured.
    """

    def __init__(self) -> None:
        self.skew_s = 0.0
        self._error_s = 0.0
        self._offset_s = self._ours_s = 0.0
        self._measured_s = float("-inf")
        self._ask: Callable[[], str] = lambda: ""

    def measure(self, ask: Callable[[], str]) -> None:
        """Measure the skew; ``ask`` returns the engine's time as text.

        The engine reads its clock somewhere within the call, so the shortest of a few calls is the
        most exact. A skew that is smaller than that call is taken for none: then both clocks are
        one, as on any Linux host, and event times are exact instead of good to half a call.
        """
        self._ask = ask
        best_s, offset_s = float("inf"), 0.0
        for _ in range(SAMPLES):
            sent_s = time.monotonic()
            engine_s = epoch_s(ask())
            took_s = time.monotonic() - sent_s
            if took_s < best_s:
                best_s, offset_s = took_s, engine_s - (sent_s + took_s / 2)
        self._ours_s = _wall_minus_monotonic_s()
        one_clock = abs(offset_s - self._ours_s) <= best_s
        self._offset_s, self._error_s = (self._ours_s, 0.0) if one_clock else (offset_s, best_s / 2)
        self.skew_s = self._offset_s - self._ours_s
        self._measured_s = time.monotonic()

    def was_set(self, engine_s: float | None = None) -> float:
        """By how much the engine's clock was set since the last look, seconds; 0 if it was not.

        Args:
            engine_s: what an event says that was heard just now.
        """
        jumped = abs(_wall_minus_monotonic_s() - self._ours_s) > JUMP_S
        now_s = time.monotonic()
        odd = engine_s is not None and abs(now_s + self._offset_s - engine_s) > LATE_S
        if not jumped and not (odd and now_s - self._measured_s > AGAIN_S):
            return 0.0
        before_s, error_s = self._offset_s, self._error_s
        self.measure(self._ask)
        step_s = self._offset_s - before_s
        return step_s if abs(step_s) > JUMP_S + self._error_s + error_s else 0.0

    def on_our_clock(self, engine_s: float) -> float:
        """A moment of the engine, in seconds of our clock; never in the future."""
        return min(engine_s - self._offset_s, time.monotonic())

    def engine_now_s(self) -> float:
        """The engine's wall clock; what it stamps from now on is surely not older."""
        return time.monotonic() + self._offset_s - self._error_s


def _wall_minus_monotonic_s() -> float:
    return time.time() - time.monotonic()
