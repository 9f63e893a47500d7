"""Our time, and the engine's time on it.

Every observation carries seconds of one monotonic clock. The engine stamps its events with the wall
clock of its own machine, which need not be ours: a virtual machine of Docker Desktop or a remote
engine may be seconds off. So the difference is measured once per connection, from ``/info``.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime

SAMPLES = 5


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
        self._offset_s = 0.0

    def measure(self, ask: Callable[[], str]) -> None:
        """Measure the skew; ``ask`` returns the engine's time as text.

        The engine reads its clock somewhere within the call, so the shortest of a few calls is the
        most exact. A skew that is smaller than that call is taken for none: then both clocks are
        one, as on any Linux host, and event times are exact instead of good to half a call.
        """
        best_s, skew_s = float("inf"), 0.0
        for _ in range(SAMPLES):
            sent_s = time.time()
            engine_s = epoch_s(ask())
            took_s = time.time() - sent_s
            if took_s < best_s:
                best_s, skew_s = took_s, engine_s - (sent_s + took_s / 2)
        one_clock = abs(skew_s) <= best_s
        self.skew_s, self._error_s = (0.0, 0.0) if one_clock else (skew_s, best_s / 2)
        self._offset_s = skew_s + _wall_minus_monotonic_s()

    def on_our_clock(self, engine_s: float) -> float:
        """A moment of the engine, in seconds of our clock; never in the future."""
        # One clock for both: follow it when somebody sets it. A clock elsewhere: we only have what
        # was measured.
        offset_s = self._offset_s if self.skew_s else _wall_minus_monotonic_s()
        return min(engine_s - offset_s, time.monotonic())

    def engine_now_s(self) -> float:
        """The engine's wall clock; what it stamps from now on is surely not older."""
        return time.time() + self.skew_s - self._error_s


def _wall_minus_monotonic_s() -> float:
    return time.time() - time.monotonic()
