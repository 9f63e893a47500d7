"""Histories written by hand, for tests of invariants."""

from __future__ import annotations

from dataclasses import replace

from models.expected import Effect, Expected
from models.history import History, Permit, PlayedStep
from models.load import Calls, Durable, Endpoint, Fate, Load, LoadRun, Phase, ReadBack, Request
from models.observation import Blindness, Change, Health, ProcessChange
from models.scenario import Scenario
from models.step import Step
from models.target import Target

ORDER = Endpoint("POST /orders", "checkout", "POST", "/orders", durable=Durable("checkout", "/orders/{id}"))
ORDERS = Load("orders", (ORDER,))


class HistoryOf:
    """Builds a history second by second: probes every 0.1 s, healthy unless told otherwise.

    Steps begin at 0; what clients are sent before that is the baseline. Requests are answered well in
    20 ms unless told otherwise. Once the fleet is healed and steady, the record is whole.
    """

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
        self._steady_s: float | None = None
        self._loads: list[LoadRun] = []
        self._requests: list[Request] = []
        self._answers: list[tuple[float, float, str | None, dict]] = []
        self._read_backs: list[ReadBack] = []
        self._calls: list[Calls] = []

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
        self._steady_s = at_s if steady else None
        return self

    def sent(
        self,
        since_s: float,
        until_s: float,
        load: Load = ORDERS,
        *,
        rate_rps: float = 20.0,
        trouble: str = "",
    ) -> HistoryOf:
        """A run of a load; its endpoints take turns. Call it after ``healed`` for the load after it."""
        after = self._steady_s is not None and since_s >= self._steady_s
        phase = Phase.BEFORE if since_s < 0 else Phase.AFTER if after else Phase.DURING
        self._loads.append(LoadRun(load, phase, rate_rps, since_s, until_s, trouble))
        for number in range(round((until_s - since_s) * rate_rps)):
            name = load.endpoints[number % len(load.endpoints)].name
            self._requests.append(Request(load.name, name, since_s + number / rate_rps, 20.0, 200))
        return self

    def answered(
        self, since_s: float, until_s: float, *, endpoint: str | None = None, **answer: object
    ) -> HistoryOf:
        """What became of requests that were due in a span, where it was not 200 in 20 ms."""
        self._answers.append((since_s, until_s, endpoint, answer))
        return self

    def failed(self, since_s: float, until_s: float, *, endpoint: str | None = None) -> HistoryOf:
        return self.answered(since_s, until_s, endpoint=endpoint, status=503)

    def hung(self, since_s: float, until_s: float, *, seconds: float = 5.0) -> HistoryOf:
        return self.answered(since_s, until_s, status=None, error="timeout", latency_ms=seconds * 1000)

    def written(
        self, at_s: float, fate: Fate, count: int = 1, load: Load = ORDERS, endpoint: Endpoint = ORDER
    ) -> HistoryOf:
        """Acknowledged at ``at_s``, and read back at the end."""
        detail = "" if fate is Fate.FOUND else "GET /orders/1: HTTP 404"
        self._read_backs += [ReadBack(load.name, endpoint.name, "1", at_s, fate, detail)] * count
        return self

    def called(self, caller: str, dependency: str, *seen: tuple[float, int]) -> HistoryOf:
        """How many calls ``caller`` had counted, at some moments."""
        self._calls += [Calls(caller, dependency, at_s, count) for at_s, count in seen]
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

    def frozen(self, service: str, since_s: float, until_s: float) -> HistoryOf:
        self._processes.append(ProcessChange(service, since_s, Change.PAUSED, "1"))
        self._processes.append(ProcessChange(service, until_s, Change.RESUMED, "1"))
        return self.unhealthy(service, since_s, until_s)

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
            steady_s=self._steady_s,
            whole=self._steady is True,
            steps=tuple(self._steps),
            permits=tuple(self._permits),
            baseline_ms=dict.fromkeys(self.target.topology.services, 2.0),
            health=tuple(self._probes(ended_s)),
            processes=tuple(self._processes),
            loads=tuple(self._loads),
            requests=tuple(map(self._told, self._requests)),
            read_backs=tuple(self._read_backs),
            calls=tuple(self._calls),
            blindness=tuple(self._blind),
        )

    def _told(self, request: Request) -> Request:
        for since_s, until_s, endpoint, answer in self._answers:
            if since_s <= request.intended_s < until_s and endpoint in (None, request.endpoint):
                request = replace(request, **answer)
        return request

    def _probes(self, ended_s: float):
        for service in self.target.topology.services:
            for tick in range(int(ended_s * 10)):
                at_s = tick / 10
                bad = any(n == service and since <= at_s < until for n, since, until in self._bad)
                since_s, latency_ms = self._slow.get(service, (ended_s, 2.0))
                latency_s = (latency_ms if at_s >= since_s else 2.0) / 1000
                yield Health(service, at_s, at_s + latency_s, not bad, "HTTP 503" if bad else "")
