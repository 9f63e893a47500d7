"""Watches the counts that services keep of the requests they send to others.

A count begins anew when its process does. What a process sent between the last look at it and its end
is lost: the count is never too high.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Thread
from typing import Protocol

from fuzzer.probes.ask import FAILURES, ask
from models.load import Calls
from models.target import Counters, Target

EVERY_S = 0.2
TIMEOUT_S = 0.5


class CallSink(Protocol):
    """Where counts are put. Called from any thread."""

    def saw_calls(self, seen: Calls) -> None:
        """A service's count of what it sent to another was looked at."""
        ...


class CallCounters:
    """Looks at the counters of every service that has any, until it is stopped."""

    def __init__(self, target: Target, sink: CallSink, now: Callable[[], float]) -> None:
        self._counters = {s.name: s.counters for s in target.services.values() if s.counters}
        self._sink = sink
        self._now = now
        self._over = Event()
        self._thread: Thread | None = None
        self._raw: dict[tuple[str, str], int] = {}
        self._total: dict[tuple[str, str], int] = {}

    def start(self) -> None:
        """Look once, then again and again in a thread."""
        if self._counters:
            self._thread = Thread(target=self._watch, daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._over.set()
        if self._thread:
            self._thread.join()

    def _watch(self) -> None:
        with ThreadPoolExecutor(max_workers=len(self._counters)) as pool:
            while True:
                for name, counts in zip(
                    self._counters, pool.map(_look, self._counters.values()), strict=True
                ):
                    self._count(name, counts)
                if self._over.wait(EVERY_S):
                    return

    def _count(self, caller: str, counts: dict[str, int]) -> None:
        for dependency, raw in counts.items():
            key = caller, dependency
            last = self._raw.get(key)
            gained = 0 if last is None else raw - last if raw >= last else raw
            self._raw[key] = raw
            if gained or last is None:
                self._total[key] = self._total.get(key, 0) + gained
                self._sink.saw_calls(Calls(caller, dependency, self._now(), self._total[key]))


def _look(counters: Counters) -> dict[str, int]:
    """The counts; nothing where they cannot be had now."""
    try:
        status, body = ask(counters.url, TIMEOUT_S)
        found = json.loads(body) if status < 400 else {}
        for key in counters.calls.split("."):
            found = found[key]
        return {str(name): int(count) for name, count in found.items()}
    except (*FAILURES, LookupError, TypeError, AttributeError, OverflowError, RecursionError):
        return {}
