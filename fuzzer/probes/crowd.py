"""Whether so much else wants to run on this machine that nobody can tell what is slow.

Threads that mostly wait, as those that look and those that send, are let in at once even then: that these are
in time says nothing about a service that has to work for its answer. What tells is how many threads are ready
to run: the kernel counts them, of the whole machine (``/proc/loadavg``, proc(5)).

Who they belong to does not matter. A fleet that crowds its machine out itself is no better known for it.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable
from pathlib import Path

from models.observation import Blindness

LOADAVG = Path("/proc/loadavg")

CROWD = 8.0
"""So many threads that are ready for each CPU: what takes a millisecond alone takes eight then."""

LOOKS = 10
"""A mean of so many looks: a fleet that starts all at once is no crowd."""


def ready_threads() -> int | None:
    """How many threads of this machine run or are ready to; None where nobody tells."""
    try:
        return int(LOADAVG.read_text().split()[3].partition("/")[0])
    except (OSError, ValueError, IndexError):
        return None


class Crowd:
    """Looked at again and again by one thread.

    Args:
        ready: how many threads are ready to run; None where nobody tells.
        cpus: of the whole machine, like those threads.
    """

    def __init__(self, ready: Callable[[], int | None] = ready_threads, cpus: int | None = None) -> None:
        self._ready = ready
        self._cpus = cpus or os.cpu_count() or 1
        self._looks: deque[float] = deque(maxlen=LOOKS)
        self._looked_s: deque[float] = deque(maxlen=LOOKS)
        self._told_until_s = 0.0

    def look(self, now_s: float) -> Blindness | None:
        """What cannot be judged of the time since what was told last, if it was crowded all along."""
        ready = self._ready()
        if ready is None:
            return None
        self._looks.append(ready / self._cpus)
        self._looked_s.append(now_s)
        mean = sum(self._looks) / len(self._looks)
        if len(self._looks) < LOOKS or mean < CROWD:
            return None
        since_s = max(self._looked_s[0], self._told_until_s)
        self._told_until_s = now_s
        return Blindness(
            since_s, now_s, f"at least {CROWD:g} threads wanted to run on each CPU of this machine"
        )
