"""What a played scenario showed, as far as it is worth going on from there.

A *feature* is something that was seen, in the context in which it was seen: not "db was paused", which
every plan can have, but "checkout was unhealthy after db had been paused, with cache down". Fuzzers of
programs do the same: AFL does not count places in the code but steps from one place to another, and sorts
counts into classes that grow by powers of two, so that 47 rounds of a loop are like 48, and unlike one.
(Zalewski: "Technical whitepaper for afl-fuzz", sections 1 and 2, github.com/google/AFL,
docs/technical_details.txt.)

What a fault does to its own target is no feature: that is what it is for. But how often a process died
and how long it took to come back is, in classes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from math import frexp
from typing import TypeAlias

from fuzzer.events import Played
from models.expected import Harm, Standing
from models.history import History, Span, StepState
from models.load import Fate, Phase
from models.step import Step

Feature: TypeAlias = tuple[str, ...]

CLIENT_LATENCY_MS = 64.0
"""Answers of clients faster than this are of one class."""

HEALING, NOTHING = Step.of("heal", "all"), Step.of("wait", "nobody")


@dataclass(frozen=True, slots=True)
class Worth:
    """What was seen, and how bad it was.

    Attributes:
        features: each once, in a fixed order.
        beyond: services outside the blast radius of every fault that were seen unhealthy, or to exit.
        within: the same, inside of it, beside the faults' own targets.
        recovery: how long the slowest took to be well again, as a share of the limit.
    """

    features: tuple[Feature, ...] = ()
    beyond: int = 0
    within: int = 0
    recovery: float = 0.0

    @property
    def harm(self) -> tuple[int, int, float]:
        """How bad it was: harm that nothing explains first, then its size, then how long it lasted."""
        return self.beyond, self.within, self.recovery


def worth_of(played: Played) -> Worth:
    """What a played scenario showed; nothing, if it has no history or nothing can be said of it."""
    return _Reading(played.history).worth() if played.history else Worth()


class _Reading:
    """One pass over a history."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._harms = history.expected.harms
        radius = history.expected.topology.blast_radius
        self._radius = {name: radius([name]) for name in {harm.on for harm in self._harms}}
        self._spans = [span for name in history.services for span in history.unhealthy_spans(name)]

    def worth(self) -> Worth:
        """Features, and who was harmed for how long."""
        history = self._history
        seen = [(span.service, span.since_s) for span in self._spans]
        seen += [(name, exited.at_s) for name in history.services for exited in history.exits_of(name)]
        standings = {(name, history.expected.standing(name, at_s)) for name, at_s in seen}
        slowest_s = max(map(self._recovery_s, self._spans), default=0.0)
        return Worth(
            features=tuple(dict.fromkeys((*self._of_services(), *self._of_clients()))),
            beyond=sum(standing is Standing.UP for _, standing in standings),
            within=sum(standing is Standing.MAY_DEGRADE for _, standing in standings),
            recovery=slowest_s / history.expected.recovery_s,
        )

    # What services showed.

    def _of_services(self) -> Iterator[Feature]:
        for span in self._spans:
            name, at_s = span.service, span.since_s
            yield "recovery", name, _class(self._recovery_s(span))
            if not self._is_target(name, at_s):
                yield from self._in_context("unhealthy", name, at_s)
        for name in self._history.services:
            exits = self._history.exits_of(name)
            if exits:
                yield "exits", name, _class(len(exits))
            for exited in exits:
                if not self._is_target(name, exited.at_s):
                    yield from self._in_context(f"exit {exited.exit_code}", name, exited.at_s)
        if self._history.steady is False:
            yield ("never steady",)

    def _in_context(self, what: str, service: str, at_s: float) -> Iterator[Feature]:
        """What it came after, and what else was in force."""
        step = self._before(at_s)
        for name in step.targets:
            deed = f"{step.action} {name}"
            yield what, service, deed
            for harm in self._in_force(at_s):
                if harm.on not in step.targets:
                    yield what, service, deed, harm.on

    def _before(self, at_s: float) -> Step:
        """The latest step before a moment that did something to somebody; at the end that is healing."""
        if self._history.healed_s is not None and at_s >= self._history.healed_s:
            return HEALING
        done = (p for p in reversed(self._history.steps) if p.state is StepState.DONE and p.began_s <= at_s)
        return next((played.step for played in done if played.step.targets), NOTHING)

    def _in_force(self, at_s: float) -> Iterator[Harm]:
        return (harm for harm in self._harms if harm.since_s <= at_s and harm.active_at(at_s))

    def _is_target(self, service: str, at_s: float) -> bool:
        return any(harm.on == service for harm in self._in_force(at_s))

    def _recovery_s(self, span: Span) -> float:
        """Until it was well, or nobody looked any more, from where nothing was in force that explains it."""
        back_s = self._history.ended_s if span.recovered_s is None else span.recovered_s
        ends = [h.ended_s for h in self._harms if h.ended_s and span.service in self._radius[h.on]]
        return back_s - max([span.since_s, *(end_s for end_s in ends if end_s <= back_s)])

    # What clients saw.

    def _of_clients(self) -> Iterator[Feature]:
        history = self._history
        kinds: Counter[tuple[str, Phase, str]] = Counter()
        slowest: dict[tuple[str, Phase], float] = {}
        for request in history.requests:
            where = f"{request.load} {request.endpoint}", history.phase_of(request)
            if not request.good:
                kinds[*where, request.kind] += 1
            elif request.latency_ms > slowest.get(where, CLIENT_LATENCY_MS):
                slowest[where] = request.latency_ms
        for (endpoint, phase, kind), count in kinds.items():
            yield "answer", endpoint, phase, kind, _class(count)
        for (endpoint, phase), latency_ms in slowest.items():
            yield "slow", endpoint, phase, _class(latency_ms / CLIENT_LATENCY_MS)
        for calls in history.calls:
            yield "calls", calls.caller, calls.dependency, _class(calls.count)
        for write in history.read_backs:
            if write.fate is not Fate.FOUND:
                yield "write", write.load, write.endpoint, write.fate


def _class(size: float) -> str:
    """Sizes by powers of two: 1, 2 to 3, 4 to 7; and so below 1."""
    return str(frexp(size)[1])
