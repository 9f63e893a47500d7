"""The fleet in memory, with resources to take away."""

from __future__ import annotations

from collections.abc import Sequence

from fuzzer.runtimes.base import Undo
from tests.support.fake_fleet import FakeFleet


class StarvedFleet(FakeFleet):
    """Meets every protocol of resources. A service that is dead to orders keeps what it has.

    Attributes:
        lacks: what was taken from whom, and how much.
    """

    lacks: dict[tuple[str, str], float]
    able = True

    def _take(self, what: str, services: Sequence[str], amount: float) -> None:
        for name in self._order(what, services):
            self._lacks()[name, what] = amount
        self._misbehave(self)

    def _lacks(self) -> dict[tuple[str, str], float]:
        if not hasattr(self, "lacks"):
            self.lacks = {}
        return self.lacks

    def _doubt(self, what: str, service: str) -> str:
        return "" if (service, what) in self._lacks() else "it has as much as before"

    def limit_cpu(self, services: Sequence[str], percent: float) -> None:
        self._take("cpu", services, percent)

    def doubt_cpu(self, service: str) -> str:
        return self._doubt("cpu", service)

    def limit_memory(self, services: Sequence[str], more_mib: float) -> None:
        self._take("memory", services, more_mib)

    def doubt_memory(self, service: str) -> str:
        return self._doubt("memory", service)

    def run_out_of_memory(self, services: Sequence[str]) -> None:
        for name in self._order("oom", services):
            self.exit(name, 137)

    def limits_pids(self) -> bool:
        return self.able

    def limit_pids(self, services: Sequence[str], more: int) -> None:
        self._take("pids", services, more)

    def doubt_pids(self, service: str) -> str:
        return self._doubt("pids", service)

    def fill_disk(self, services: Sequence[str]) -> None:
        self._take("disk", services, 0)

    def doubt_disk(self, service: str) -> str:
        return self._doubt("disk", service)

    def stress(self, services: Sequence[str], workers: int) -> None:
        self._take("stress", services, workers)

    def doubt_stress(self, service: str) -> str:
        return self._doubt("stress", service)

    def skews_clocks(self) -> bool:
        return self.able

    def skew_clock(self, services: Sequence[str], offset_s: float) -> None:
        self._take("clock", services, offset_s)

    def doubt_clock(self, service: str) -> str:
        return self._doubt("clock", service)

    def undo(self, undo: Undo) -> None:
        if undo.verb not in VERBS:
            super().undo(undo)
            return
        self.calls.append(f"{undo.verb} {' '.join(undo.targets)}")
        for name in undo.targets:
            self._lacks().pop((name, VERBS[undo.verb]), None)


VERBS = {
    "unlimit_cpu": "cpu",
    "unlimit_memory": "memory",
    "unlimit_pids": "pids",
    "free_disk": "disk",
    "calm": "stress",
    "spare": "oom",
    "unskew": "clock",
}
