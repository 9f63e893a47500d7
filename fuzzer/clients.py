"""Clients of a fleet that really runs: load engines, and readers of what services tell and keep."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from fuzzer.loads.base import LoadSink
from fuzzer.loads.running import RunningLoads
from fuzzer.probes.counters import CallCounters
from fuzzer.probes.read_back import read_back
from models.load import ReadBack, Written
from models.target import Target


class HttpClients(RunningLoads):
    """Meets ``Loads``: engines in processes of their own, counters and records over HTTP.

    Args:
        target: tells where counters are.
        sink: told of each request, and of each look at a counter.
        now: the runtime's clock, which is the system's monotonic clock wherever engines run.
    """

    def __init__(self, target: Target, sink: LoadSink, now: Callable[[], float]) -> None:
        super().__init__(sink, now)
        self._target = target
        self._counters: CallCounters | None = None

    def count_calls(self) -> None:
        """Look at the services' counters, in a thread."""
        self._counters = CallCounters(self._target, self._sink, self._now)
        self._counters.start()

    def read_back(self, written: Sequence[Written], urls: Mapping[str, str]) -> list[ReadBack]:
        """Ask for each record."""
        return read_back(written, urls)

    def stop(self) -> None:
        """End every engine, and count nothing more."""
        counters, self._counters = self._counters, None
        try:
            if counters:
                counters.stop()
        finally:
            super().stop()
