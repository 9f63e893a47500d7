"""A sink that keeps everything, and waiting for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from fuzzer.runtimes.base import Clock
from models.observation import Blindness, Change, Health, ProcessChange


@dataclass
class Saw:
    health: list[Health] = field(default_factory=list)
    processes: list[ProcessChange] = field(default_factory=list)
    blind: list[Blindness] = field(default_factory=list)
    interference: list[str] = field(default_factory=list)

    def saw_health(self, seen: Health) -> None:
        self.health.append(seen)

    def saw_process(self, seen: ProcessChange) -> None:
        self.processes.append(seen)

    def was_blind(self, span: Blindness) -> None:
        self.blind.append(span)

    def saw_interference(self, what: str) -> None:
        self.interference.append(what)

    def of(self, service: str, since_s: float = 0.0) -> list[ProcessChange]:
        return [p for p in self.processes if p.service == service and p.at_s >= since_s]

    def changes(self, service: str, since_s: float = 0.0) -> list[Change]:
        return [p.change for p in self.of(service, since_s)]

    def exits(self, service: str, since_s: float = 0.0) -> list[ProcessChange]:
        return [p for p in self.of(service, since_s) if p.change is Change.EXITED]

    def health_of(self, service: str, since_s: float = 0.0) -> list[Health]:
        return [h for h in list(self.health) if h.service == service and h.at_s >= since_s]

    def healthy_since(self, service: str, since_s: float) -> bool:
        """Whether a probe that was sent after a moment found it healthy, and so did the last."""
        seen = self.health_of(service, since_s)
        return bool(seen) and seen[-1].healthy


def until(
    clock: Clock, condition: Callable[[], object], what: str = "it did not happen", limit_s: float = 20.0
) -> None:
    deadline_s = clock.now() + limit_s
    while not condition():
        assert clock.now() < deadline_s, f"{what} within {limit_s:.0f} s"
        clock.sleep(0.005)
