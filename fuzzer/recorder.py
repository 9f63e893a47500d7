"""Keeps what the watchers see: the latest of every service always, everything while a scenario plays."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import takewhile
from statistics import median
from threading import Lock

from models.expected import Expected
from models.history import History, Permit, PlayedStep
from models.limits import Limits
from models.load import Calls, LoadRun, ReadBack, Request, Summary
from models.observation import Blindness, Change, Health, ProcessChange
from models.scenario import Scenario

FRESH_S = 0.5
"""An answer older than this tells nothing about now, however short ``steady_s`` is."""


@dataclass
class _Tape:
    """What was recorded of the scenario that plays now."""

    scenario: Scenario
    began_s: float
    baseline_ms: Mapping[str, float]
    steps: list[PlayedStep] = field(default_factory=list)
    permits: list[Permit] = field(default_factory=list)
    health: list[Health] = field(default_factory=list)
    processes: list[ProcessChange] = field(default_factory=list)
    loads: dict[tuple[str, float], LoadRun] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    summaries: list[Summary] = field(default_factory=list)
    read_backs: list[ReadBack] = field(default_factory=list)
    calls: list[Calls] = field(default_factory=list)
    blindness: list[Blindness] = field(default_factory=list)
    interference: list[str] = field(default_factory=list)
    healed_s: float | None = None
    steady: bool | None = None
    steady_s: float | None = None
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Unwell:
    """For how long a service is unhealthy, and what its latest probe says."""

    seconds: float
    detail: str


class Recorder:
    """The sink of a runtime's watchers, and the maker of histories.

    Args:
        services: the fleet.
        limits: what counts as steady.

    Attributes:
        news: grows with whatever could break a promise. A health answer like the last one can do that
            only to a service that is ``unhealthy``, and a request cannot, since shares of requests are
            judged only at the end.
    """

    def __init__(self, services: Iterable[str], limits: Limits) -> None:
        self._limits = limits
        self._recent: dict[str, deque[Health]] = {name: deque(maxlen=400) for name in services}
        self._changed_s: dict[str, float] = {}
        self._tape: _Tape | None = None
        self._lock = Lock()
        self.news = 0

    @property
    def unhealthy(self) -> list[str]:
        """Services whose latest health answer was a bad one."""
        with self._lock:
            return [name for name, recent in self._recent.items() if recent and not recent[-1].healthy]

    # What the watchers call.

    def saw_health(self, seen: Health) -> None:
        """A health probe ended."""
        with self._lock:
            recent = self._recent[seen.service]
            self.news += not recent or recent[-1].healthy is not seen.healthy
            recent.append(seen)
            if self._tape:
                self._tape.health.append(seen)

    def saw_process(self, seen: ProcessChange) -> None:
        """A process started, exited, was paused or resumed."""
        with self._lock:
            self.news += 1
            self._changed_s[seen.service] = seen.at_s
            if self._tape:
                self._tape.processes.append(seen)

    def was_blind(self, span: Blindness) -> None:
        """The watcher could not look for a while."""
        with self._lock:
            self.news += 1
            if self._tape:
                _add(self._tape.blindness, span)

    def saw_interference(self, what: str) -> None:
        """Somebody else changed the fleet."""
        with self._lock:
            self.news += 1
            if self._tape:
                self._tape.interference.append(what)

    def saw_request(self, seen: Request) -> None:
        """A request of a load ended."""
        with self._lock:
            if self._tape:
                self._tape.requests.append(seen)

    def saw_load(self, run: LoadRun) -> None:
        """A run of a load began, or ended."""
        with self._lock:
            if self._tape:
                self._tape.loads[run.load.name, run.began_s] = run

    def saw_calls(self, seen: Calls) -> None:
        """A service's count of what it sent to another was looked at."""
        with self._lock:
            if self._tape:
                self._tape.calls.append(seen)

    # What the runner calls.

    def begin(self, scenario: Scenario, now_s: float) -> None:
        """Start a new history; what was seen before is its baseline."""
        with self._lock:
            baseline = {name: _median_ms(recent) for name, recent in self._recent.items() if recent}
            self._tape = _Tape(scenario, now_s, baseline)

    def first_step(self, now_s: float) -> None:
        """What comes before is normal; what comes now is the scenario."""
        self._playing.began_s = now_s

    def played(self, step: PlayedStep) -> None:
        """A step was played, or was not."""
        self.news += 1
        self._playing.steps.append(step)

    def permit(self, permits: Iterable[Permit]) -> None:
        """Exits that a fault is meant to cause."""
        self.news += 1
        self._playing.permits.extend(permits)

    def healed(self, now_s: float) -> None:
        """All faults are lifted."""
        self._playing.healed_s = now_s

    def settled(self, now_s: float, *, steady: bool) -> None:
        """The fleet came back to its steady state, or did not."""
        self._playing.steady, self._playing.steady_s = steady, now_s if steady else None

    def read_back(self, found: Iterable[ReadBack]) -> None:
        """Acknowledged writes were read back."""
        self._playing.read_backs.extend(found)

    def summarized(self, told: Iterable[Summary]) -> None:
        """An outside tool told what became of its requests as a whole."""
        self._playing.summaries.extend(told)

    @property
    def interfered(self) -> bool:
        """Whether somebody else changed the fleet since the scenario began."""
        return bool(self._playing.interference)

    def whole(self) -> None:
        """Nothing more will come: every load is over."""
        self._playing.whole = True

    def exits_since(self, service: str, since_s: float) -> int:
        """How many of a service's processes were seen to exit since a moment."""
        return self._changes_since(service, Change.EXITED, since_s)

    def starts_since(self, service: str, since_s: float) -> int:
        """How many of a service's processes were seen to start since a moment."""
        return self._changes_since(service, Change.STARTED, since_s)

    def requests_of(self, load: str) -> int:
        """How many requests of a load have ended so far."""
        with self._lock:
            return sum(request.load == load for request in self._playing.requests)

    def snapshot(self, expected: Expected, now_s: float) -> History:
        """The history so far, as a value."""
        with self._lock:
            tape = self._playing
            return History(
                scenario=tape.scenario,
                expected=expected,
                began_s=tape.began_s,
                ended_s=now_s,
                healed_s=tape.healed_s,
                steady=tape.steady,
                steady_s=tape.steady_s,
                whole=tape.whole,
                steps=tuple(tape.steps),
                permits=tuple(tape.permits),
                baseline_ms=tape.baseline_ms,
                interference=tuple(tape.interference),
                health=tuple(tape.health),
                processes=tuple(sorted(tape.processes, key=lambda change: change.at_s)),
                loads=tuple(tape.loads.values()),
                requests=tuple(tape.requests),
                summaries=tuple(tape.summaries),
                read_backs=tuple(tape.read_backs),
                calls=tuple(tape.calls),
                blindness=tuple(tape.blindness),
            )

    def healthy_since(self, service: str, since_s: float) -> bool:
        """Whether the latest probe of a service was healthy, and sent since a moment."""
        with self._lock:
            recent = self._recent[service]
            return bool(recent) and recent[-1].healthy and recent[-1].at_s >= since_s

    def unhealthy_for(self, service: str, since_s: float) -> Unwell | None:
        """For how long it was unhealthy without a break until its latest answer, counted since a moment."""
        with self._lock:
            bad = list(takewhile(lambda seen: not seen.healthy, reversed(self._recent[service])))
        began_s = max(bad[-1].at_s, since_s) if bad else 0.0
        return Unwell(bad[0].ended_s - began_s, bad[0].detail) if bad else None

    def unsteady(self, now_s: float, since_s: float = float("-inf")) -> dict[str, str]:
        """Services that were not healthy, prompt and undisturbed for ``steady_s``, each with why.

        Only probes sent after ``since_s`` count, so that an old answer is not taken for a new one.
        """
        with self._lock:
            reasons = {}
            for service, recent in self._recent.items():
                reason = self._why_unsteady(service, recent, now_s, since_s)
                if reason:
                    reasons[service] = reason
            return reasons

    def _why_unsteady(self, service: str, recent: deque[Health], now_s: float, since_s: float) -> str:
        if recent and not recent[-1].healthy:
            return f"unhealthy: {recent[-1].detail}"
        steady_from_s = now_s - self._limits.steady_s
        fresh_from_s = max(since_s, min(steady_from_s, now_s - FRESH_S))
        fresh = list(takewhile(lambda seen: seen.at_s >= fresh_from_s, reversed(recent)))[::-1]
        if not fresh:
            return "no health answer yet"
        if since_s > steady_from_s:
            return "healthy, but not for long enough yet"
        for seen in fresh:
            if not seen.healthy and seen.ended_s >= steady_from_s:
                return f"was unhealthy a moment ago: {seen.detail}"
        latency_ms = median(seen.latency_ms for seen in fresh if seen.healthy)
        if latency_ms > self._limits.health_latency_ms_max:
            return f"answers its health probe in {latency_ms:.0f} ms"
        if self._changed_s.get(service, steady_from_s) > steady_from_s:
            return "its process changed a moment ago"
        return ""

    def _changes_since(self, service: str, change: Change, since_s: float) -> int:
        with self._lock:
            seen = self._playing.processes
            return sum(p.service == service and p.change is change and p.at_s >= since_s for p in seen)

    @property
    def _playing(self) -> _Tape:
        if self._tape is None:
            raise RuntimeError("no scenario is being recorded: call begin first")
        return self._tape


def _add(spans: list[Blindness], span: Blindness) -> None:
    """Add a span; one that goes on where the last one ended, for the same reason, makes that one longer."""
    last = spans[-1] if spans else None
    if last and (last.until_s, last.reason, last.deaf) == (span.since_s, span.reason, span.deaf):
        spans[-1] = replace(last, until_s=span.until_s)
    else:
        spans.append(span)


def _median_ms(recent: Iterable[Health]) -> float:
    healthy = [seen.latency_ms for seen in list(recent)[-20:] if seen.healthy]
    return median(healthy) if healthy else 0.0
