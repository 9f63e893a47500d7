"""A run as metrics for Prometheus, on a port of this machine while the run goes on.

Names follow https://prometheus.io/docs/practices/naming/: a prefix, base units, ``_total`` for counters.
Labels hold names from the target and the catalogues only, never free text, so that series stay few.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    start_http_server,
)

from fuzzer.actions.catalogue import ACTIONS
from fuzzer.events import (
    Event,
    FindingMade,
    Played,
    ScenarioBegan,
    ScenarioEnded,
    StepBegan,
)
from models.errors import RequestError
from models.history import History
from models.target import Target
from models.verdict import Outcome

LOOPBACK = "127.0.0.1"

RECOVERY_S = (0.25, 0.5, 1, 2, 5, 10, 20, 30, 60, 120)
REQUEST_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """A listener that counts.

    Args:
        target: what is fuzzed.
        runtime: where.
        unhealthy: the services that are not well right now; None where nobody looks at them live.
    """

    def __init__(
        self, target: Target, runtime: str, unhealthy: Callable[[], Collection[str]] | None = None
    ) -> None:
        self.registry = mine = CollectorRegistry()
        told = {"target": target.name, "runtime": runtime, "digest": target.digest}
        Info("knockon_run", "What is fuzzed, and where", registry=mine).info(told)
        broken = ["invariant", "service"]
        self._scenarios = Counter(
            "knockon_scenarios", "Scenarios judged", ["purpose", "outcome"], registry=mine
        )
        self._steps = Counter("knockon_steps", "Steps played", ["action"], registry=mine)
        self._violations = Counter(
            "knockon_violations", "Broken promises that were seen", broken, registry=mine
        )
        self._findings = Counter("knockon_findings", "Findings, made small", broken, registry=mine)
        self._playing = Gauge("knockon_scenario_playing", "1 while a scenario plays", registry=mine)
        self._faults = Gauge(
            "knockon_fault_in_force", "1 while such a fault may be in force", ["action"], registry=mine
        )
        self._recovery = Histogram(
            "knockon_recovery_seconds",
            "From the exit of a process to the first healthy answer",
            ["service"],
            buckets=RECOVERY_S,
            registry=mine,
        )
        self._requests = Counter(
            "knockon_requests", "Requests of loads", ["load", "phase", "result"], registry=mine
        )
        self._latency = Histogram(
            "knockon_request_seconds",
            "Good answers, from when the request was due",
            ["load", "phase"],
            buckets=REQUEST_S,
            registry=mine,
        )
        for outcome in Outcome:  # what never happened is 0, not absent
            self._scenarios.labels("search", outcome)
        if unhealthy is not None:
            self._watch(target, unhealthy)

    def _watch(self, target: Target, unhealthy: Callable[[], Collection[str]]) -> None:
        up = Gauge(
            "knockon_service_up", "1 while its latest answer was good", ["service"], registry=self.registry
        )

        def tell(name: str) -> Callable[[], float]:
            return lambda: float(name not in unhealthy())

        for name in target.topology.services:
            up.labels(name).set_function(tell(name))

    def __call__(self, event: Event) -> None:
        """Count one event."""
        match event:
            case ScenarioBegan():
                self._playing.set(1)
            case StepBegan():
                self._step(event.step.action)
            case ScenarioEnded():
                self._playing.set(0)
                self._faults.clear()
                self._count(event.played, event.purpose)
            case FindingMade():
                broken = event.finding.violation
                self._findings.labels(broken.invariant, broken.service).inc()
            case _:
                pass

    def _step(self, action: str) -> None:
        self._steps.labels(action).inc()
        if ACTIONS[action].harmful:
            self._faults.labels(action).set(1)
        elif action == "heal":
            self._faults.clear()

    def _count(self, played: Played, purpose: str) -> None:
        self._scenarios.labels(purpose, played.outcome).inc()
        if purpose in ("search", "replay"):
            for broken in played.violations:
                self._violations.labels(broken.invariant, broken.service).inc()
        if played.history:
            self._measure(played.history)

    def _measure(self, history: History) -> None:
        for found in history.recoveries():
            self._recovery.labels(found.service).observe(found.recovery_s)
        for request in history.requests:
            phase = history.phase_of(request)
            self._requests.labels(request.load, phase, request.kind).inc()
            if request.good:
                self._latency.labels(request.load, phase).observe(request.latency_ms / 1000)


@contextmanager
def serving(metrics: Metrics, port: int) -> Iterator[int]:
    """Answer scrapes on a port of the loopback interface, 0 for any; gives the port.

    Raises:
        RequestError: the port is taken.
    """
    try:
        server, thread = start_http_server(port, addr=LOOPBACK, registry=metrics.registry)
    except OSError as error:
        raise RequestError(
            f"--metrics-port {port}: cannot be listened on: {error.strerror}; name another, or 0 for any"
        ) from None
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
