"""The time of a local fleet."""

from __future__ import annotations

import time


class MonotonicClock:
    """The machine's monotonic clock: all of its processes share it, supervisord too."""

    def now(self) -> float:
        """Seconds since some fixed moment."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        time.sleep(max(0.0, seconds))
