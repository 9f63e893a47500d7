"""Histories written by hand, for tests of invariants."""

from __future__ import annotations

from models.expected import Effect, Expected
from models.history import History, Permit, PlayedStep
from models.observation import Blindness, Change, Health, ProcessChange
from models.scenario import Scenario
from models.step import Step
from models.target import Target


class HistoryOf:
    """Builds a history second by second: probes every 0.1 s, healthy unless told otherwise."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.expected = Expected(target.topology, target.limits.recovery_s_max)
        self._bad: list[tuple[str, float, float]] = []
        self._slow: dict[str, tuple[float, float]] = {}
        self._processes: list[ProcessChange] = []
        self._permits: list[Permit] = []
        self._steps: list[PlayedStep] = []
        self._blind: list[Blindness] = []
        self._healed_s: float | None = None
        self._steady: bool | None = None

    def fault(self, at_s: float, step: str, effect, *, permit: bool = False) -> HistoryOf:
        parsed = Step.parse(step)
        harmed = self.expected.at(at_s).harmed(parsed.targets, effect)
        self.expected = harmed.relieved(parsed.targets, Effect.RETURNING)
        self._steps.append(PlayedStep(parsed, at_s, at_s + 0.1))
        if permit:
            self._permits += [Permit(name, at_s, at_s + 0.1) for name in parsed.targets]
        return self

    def healed(self, at_s: float, *, steady: bool | None = None) -> HistoryOf:
        self.expected = self.expected.at(at_s).all_relieved()
        self._healed_s, self._steady = at_s, steady
        return self

    def unhealthy(self, service: str, since_s: float, until_s: float) -> HistoryOf:
        self._bad.append((service, since_s, until_s))
        return self

    def slow(self, service: str, since_s: float, latency_ms: float) -> HistoryOf:
        self._slow[service] = (since_s, latency_ms)
        return self

    def exited(self, service: str, at_s: float, code: int = 1, returns: bool = True) -> HistoryOf:
        self._processes.append(ProcessChange(service, at_s, Change.EXITED, "1", code, returns))
        return self

    def started(self, service: str, at_s: float) -> HistoryOf:
        self._processes.append(ProcessChange(service, at_s, Change.STARTED, "1"))
        return self

    def blind(self, since_s: float, until_s: float, *, deaf: bool = False) -> HistoryOf:
        self._blind.append(Blindness(since_s, until_s, "not scheduled", deaf))
        return self

    def until(self, ended_s: float) -> History:
        return History(
            scenario=Scenario.of(played.step for played in self._steps),
            expected=self.expected.at(ended_s),
            began_s=0.0,
            ended_s=ended_s,
            healed_s=self._healed_s,
            steady=self._steady,
            steps=tuple(self._steps),
            permits=tuple(self._permits),
            baseline_ms=dict.fromkeys(self.target.topology.services, 2.0),
            health=tuple(self._probes(ended_s)),
            processes=tuple(self._processes),
            blindness=tuple(self._blind),
        )

    def _probes(self, ended_s: float):
        for service in self.target.topology.services:
            for tick in range(int(ended_s * 10)):
                at_s = tick / 10
                bad = any(n == service and since <= at_s < until for n, since, until in self._bad)
                since_s, latency_ms = self._slow.get(service, (ended_s, 2.0))
                latency_s = (latency_ms if at_s >= since_s else 2.0) / 1000
                yield Health(service, at_s, at_s + latency_s, not bad, "HTTP 503" if bad else "")
