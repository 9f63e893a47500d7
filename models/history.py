"""The record of one played scenario: steps, observations, requests. Laws judge it, nothing else.

A history is a value: the runner's recorder takes a snapshot whenever somebody wants to judge.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from math import inf
from typing import Any, TypeVar

from models.expected import Expected
from models.load import Calls, Endpoint, LoadRun, Phase, ReadBack, Request, Summary
from models.observation import Blindness, Change, Health, ProcessChange
from models.scenario import Scenario
from models.step import Step

T = TypeVar("T")


class StepState(StrEnum):
    """What became of a step."""

    DONE = "done"
    INVALID = "did not take effect"
    NOT_REACHED = "not reached"


@dataclass(frozen=True, slots=True)
class PlayedStep:
    """A step, when it was played, and what became of it."""

    step: Step
    began_s: float
    ended_s: float
    state: StepState = StepState.DONE
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Permit:
    """Leave for ``service`` to exit: it was a fault's own target from ``since_s`` to ``until_s``.

    For one exit, or, if not ``once``, for each as long as lasting harm to the service goes on: under a
    lack of memory or disk it may exit again and again, and when is not for the fault to say.
    """

    service: str
    since_s: float
    until_s: float = inf
    once: bool = True


@dataclass(frozen=True, slots=True)
class Span:
    """A service was seen unhealthy, by every probe sent from ``since_s`` to one ended at ``until_s``.

    ``recovered_s`` is when the first healthy answer after it came, None when none did.
    """

    service: str
    since_s: float
    until_s: float
    recovered_s: float | None
    detail: str

    @property
    def seconds(self) -> float:
        """For how long the service is known to have been unhealthy: never more than was seen."""
        return self.until_s - self.since_s


@dataclass(frozen=True, slots=True)
class Recovered:
    """A process of ``service`` exited at ``died_s``; the first healthy answer came at ``back_s``."""

    service: str
    died_s: float
    back_s: float

    @property
    def recovery_s(self) -> float:
        """From the death to the first healthy answer."""
        return self.back_s - self.died_s


@dataclass(frozen=True)
class History:
    """Everything that is known about one scenario.

    Attributes:
        began_s: when the first step was about to be played; a baseline of the loads lies before it.
        healed_s: when all faults were healed, None while they are not.
        ended_s: the end of the record so far.
        steady: whether the fleet was found steady again at the end; None before it was tried.
        steady_s: when it was found steady.
        whole: whether the record is complete: every load is over, and every acknowledged write was
            read back. What clients saw is judged only then.
        expected: the fold of all played steps with their measured times.
        permits: exits that faults were meant to cause.
        baseline_ms: each service's median health answer before the first step.
        interference: what somebody else did to the fleet meanwhile.
        health: in the order of time, per service.
    """

    scenario: Scenario
    expected: Expected
    began_s: float
    ended_s: float
    healed_s: float | None = None
    steady: bool | None = None
    steady_s: float | None = None
    whole: bool = False
    steps: tuple[PlayedStep, ...] = ()
    permits: tuple[Permit, ...] = ()
    baseline_ms: Mapping[str, float] = field(default_factory=dict)
    interference: tuple[str, ...] = ()
    health: tuple[Health, ...] = ()
    processes: tuple[ProcessChange, ...] = ()
    loads: tuple[LoadRun, ...] = ()
    requests: tuple[Request, ...] = ()
    summaries: tuple[Summary, ...] = ()
    read_backs: tuple[ReadBack, ...] = ()
    calls: tuple[Calls, ...] = ()
    blindness: tuple[Blindness, ...] = ()

    @property
    def services(self) -> tuple[str, ...]:
        """The services of the fleet."""
        return self.expected.topology.services

    def once(self, what: object, work_out: Callable[[], T]) -> T:
        """What several laws need of the same history, worked out for the first of them."""
        if what not in self._worked_out:
            self._worked_out[what] = work_out()
        found: T = self._worked_out[what]
        return found

    @cached_property
    def _worked_out(self) -> dict[object, Any]:
        return {}

    @cached_property
    def _health_by_service(self) -> dict[str, tuple[Health, ...]]:
        grouped: dict[str, list[Health]] = {name: [] for name in self.services}
        for seen in self.health:
            grouped[seen.service].append(seen)
        return {name: tuple(probes) for name, probes in grouped.items()}

    def health_of(self, service: str) -> tuple[Health, ...]:
        """Probes of one service."""
        return self._health_by_service[service]

    def phase_of(self, request: Request) -> Phase:
        """Before the first step, after everything was steady again, or in between."""
        if request.intended_s < self.began_s:
            return Phase.BEFORE
        is_after = self.steady_s is not None and request.intended_s >= self.steady_s
        return Phase.AFTER if is_after else Phase.DURING

    def endpoint_of(self, request: Request | ReadBack) -> Endpoint:
        """The endpoint that a request was sent to.

        Raises:
            KeyError: no load of that name was sent.
        """
        return self._endpoints[request.load, request.endpoint]

    @cached_property
    def _endpoints(self) -> dict[tuple[str, str], Endpoint]:
        return {(run.load.name, each.name): each for run in self.loads for each in run.load.endpoints}

    def exits_of(self, service: str) -> tuple[ProcessChange, ...]:
        """Exits of one service's processes, each once.

        A runtime tells an exit again when its consequence changes, as when the return that a restart
        policy had begun is called off.
        """
        return tuple(self._exits.get(service, ()))

    @cached_property
    def _exits(self) -> dict[str, list[ProcessChange]]:
        exits: dict[str, list[ProcessChange]] = {}
        gone: set[tuple[str, str]] = set()
        for change in self.processes:
            process = (change.service, change.instance)
            if change.change is Change.STARTED:
                gone.discard(process)
            elif change.change is Change.EXITED and process not in gone:
                gone.add(process)
                exits.setdefault(change.service, []).append(change)
        return exits

    def unhealthy_spans(self, service: str) -> tuple[Span, ...]:
        """Maximal runs of failed probes."""
        return tuple(self._unhealthy.get(service, ()))

    @cached_property
    def _unhealthy(self) -> dict[str, list[Span]]:
        """In one pass, for every law asks for this again and again."""
        spans: dict[str, list[Span]] = {}
        runs: dict[str, list[Health]] = {}
        for seen in self.health:
            if not seen.healthy:
                runs.setdefault(seen.service, []).append(seen)
            elif seen.service in runs:
                spans.setdefault(seen.service, []).append(_span(runs.pop(seen.service), seen.ended_s))
        for service, run in runs.items():
            spans.setdefault(service, []).append(_span(run, None))
        return spans

    def recoveries(self) -> tuple[Recovered, ...]:
        """Every exit after which the service answered again, in the order of the exits."""
        found = []
        for exited in sorted(
            (e for name in self.services for e in self.exits_of(name)), key=lambda e: e.at_s
        ):
            later = (h for h in self.health_of(exited.service) if h.healthy and h.at_s >= exited.at_s)
            first = next(later, None)
            if first:
                found.append(Recovered(exited.service, exited.at_s, first.ended_s))
        return tuple(found)

    def down_for_good(self, service: str) -> ProcessChange | None:
        """The exit after which nothing brings the service back, if that is how it stands."""
        last = self._last_change.get(service)
        return last if last and last.change is Change.EXITED and last.returns is False else None

    @cached_property
    def _last_change(self) -> dict[str, ProcessChange]:
        lives = (Change.EXITED, Change.STARTED)
        return {change.service: change for change in self.processes if change.change in lives}

    def blind_s(self, since_s: float, until_s: float) -> float:
        """For how many seconds of a span the fuzzer itself did not look properly."""
        return _covered_s(self.blindness, since_s, until_s) if self.blindness else 0.0

    def deaf_s(self, since_s: float, until_s: float) -> float:
        """For how many seconds of a span nobody could hear of process changes."""
        return _covered_s((b for b in self.blindness if b.deaf), since_s, until_s)


def _span(run: list[Health], recovered_s: float | None) -> Span:
    first, last = run[0], run[-1]
    return Span(first.service, first.at_s, last.ended_s, recovered_s, last.detail)


def _covered_s(spans: Iterable[Blindness], since_s: float, until_s: float) -> float:
    """How much of a span is covered by others, which may overlap."""
    covered, cursor = 0.0, since_s
    for span in sorted(spans, key=lambda span: span.since_s):
        begin, end = max(cursor, span.since_s), min(until_s, span.until_s)
        if end > begin:
            covered, cursor = covered + end - begin, end
    return covered
