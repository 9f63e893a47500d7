"""What the faults of connections share: they poison links, and ask over them to see that it took effect.

A link fault says which toxics it is made of, and how an answer over a poisoned link differs from one over
a healthy one. It is undone by taking every toxic off the link again. To add one: a file with a class
derived from ``LinkFault``; the smallest example is ``latency.py``.

Some harm cannot be seen so, and is done and believed: where nobody knows how to ask, where an earlier fault
that still lasts keeps the dependency from answering, and where a healthy answer lacks what would change.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from fuzzer.actions.base import EFFECT_SEEN_S, Fault, Stage, still_harmed
from fuzzer.runtimes.able import CanBeWired, CanPoison
from fuzzer.runtimes.base import ProcessState, Runtime, Undo
from models.answer import Answer
from models.errors import ScenarioError, StepInvalid
from models.expected import Effect, Expected
from models.link import ANY, Link
from models.step import Step
from models.target import Target
from models.toxic import Toxic
from models.wire import Wire

ASKED_S = 2.0
"""For how long a healthy dependency may take to answer a question."""

LOOK_S = 0.05

SILENCE_S = 0.5
"""Who has not answered by then is silent."""


class LinkFault(Fault):
    """Harm to the connections of a link that lasts until it is healed.

    Attributes:
        kinds: the toxics that it is made of; a runtime whose proxies know others cannot do it.
        both_ways: whether links in both directions are drawn.
    """

    needs: ClassVar[type | None] = CanPoison
    noun: ClassVar[str] = "link"
    effect: ClassVar[Effect] = Effect.CUT
    kinds: ClassVar[frozenset[str]]
    both_ways: ClassVar[bool] = False

    @abstractmethod
    def toxics(self, step: Step) -> tuple[Toxic, ...]:
        """What is done to each connection."""

    @abstractmethod
    def shows(self, step: Step, before: Answer, now: Answer) -> bool:
        """Whether an answer over the link shows the harm, compared with one from before it."""

    def would_show(self, before: Answer) -> bool:
        """Whether the harm could be seen by comparison with this answer at all."""
        return True

    def asked_s(self, step: Step) -> float:
        """How long to wait for an answer over the poisoned link."""
        return ASKED_S

    def edges(self, target: Target) -> tuple[tuple[str, str], ...]:
        """The connections that it can be done to; all of them before it is known where the target runs."""
        able = {wire.edge for wire in target.wires if not self._lacking(wire)}
        return tuple(edge for edge in target.edges if edge in able)

    def _lacking(self, wire: Wire) -> str:
        return wire.bears.why_not(self.kinds) if wire.bears else ""

    def refusal(self, runtime: Runtime) -> str:
        """What is missing: proxies, or what they or the kernel would have to know."""
        if not isinstance(runtime, CanPoison):
            return super().refusal(runtime)
        whys = [runtime.bears(*edge).why_not(self.kinds) for edge in self.edges(runtime.target)]
        why = ", ".join(dict.fromkeys(whys)) or "there is no connection that faults may touch"
        how = f"; to put proxies there: {runtime.how_to_wire()}" if isinstance(runtime, CanBeWired) else ""
        return f"{super().refusal(runtime)}: {why}{how}"

    # What may be drawn.

    def works_on(self, runtime: Runtime) -> bool:
        """Whether there is a connection that bears it."""
        return isinstance(runtime, CanPoison) and any(
            self.kinds <= runtime.bears(*edge).kinds for edge in runtime.edges()
        )

    def candidates(self, target: Target, expected: Expected) -> tuple[str, ...]:
        """Links that are whole, between services that nobody keeps down, while there is room for a fault.

        Only then can the harm be seen: over a link that leads nowhere nothing answers anyway.
        """
        if len(expected.active()) >= target.safety.max_faults:
            return ()
        harmed = expected.lasting()
        whole = [
            (caller, dependency)
            for caller, dependency in self.edges(target)
            if caller not in harmed and dependency not in harmed and not _covering(harmed, caller, dependency)
        ]
        found = (name for name in self.known_targets(target) if self._within(name, target, whole))
        return tuple(name for name in found if self.fits((name,), target, expected))

    def _within(self, name: str, target: Target, whole: Sequence[tuple[str, str]]) -> bool:
        link = Link.parse(name)
        return link is not None and all(edge in whole for edge in _covered(link, self.edges(target)))

    def known_targets(self, target: Target) -> tuple[str, ...]:
        """Each connection, and all those to a service of which there is more than one, if all bear it."""
        single = [f"{caller} -> {dependency}" for caller, dependency in self.edges(target)]
        called = [dependency for _, dependency in self.edges(target)]
        every = [f"{ANY} -> {name}" for name in dict.fromkeys(called) if called.count(name) > 1]
        if self.both_ways:
            named = dict.fromkeys(name for edge in self.edges(target) for name in edge)
            every = [f"{ANY} <-> {name}" for name in named]
        unable = [wire.edge for wire in target.wires if self._lacking(wire)]
        return (*single, *(name for name in every if not _covering_any(name, unable)))

    def check_target(self, name: str, step: Step, target: Target) -> None:
        """Any link will do that covers a connection which faults may touch."""
        link = Link.parse(name)
        if link is None:
            raise ScenarioError(f"`{step}`: found {name!r}; expected a link, for example `{self.example}`")
        unknown = [one for one in link.names if one not in target.services]
        if unknown:
            known = ", ".join(target.topology.services)
            raise ScenarioError(f"`{step}`: there is no service {unknown[0]!r}; expected one of: {known}")
        for wire in target.wires:
            if link.covers(*wire.edge) and (why := self._lacking(wire)):
                raise ScenarioError(f"`{step}`: it cannot be done to {' -> '.join(wire.edge)}: {why}")
        if not _covered(link, self.edges(target)):
            have = ", ".join(f"{caller} -> {dependency}" for caller, dependency in self.edges(target))
            raise ScenarioError(
                f"`{step}`: no connection that faults may touch is part of {name}; expected one of: "
                f"{have or 'none: no variable of an opted-in service names the address of another'}"
            )

    def obstacle(self, step: Step, target: Target, expected: Expected) -> str:
        """Over a connection to somebody who is kept down the harm could not be seen."""
        kept = expected.lasting(Effect.DOWN) + expected.lasting(Effect.HUNG)
        for name in (end for edge in self._covered_by(step, target) for end in edge):
            if name in kept:
                return still_harmed(name)
        return super().obstacle(step, target, expected)

    # How it is done.

    def undo(self, step: Step) -> tuple[Undo, ...]:
        """Take every toxic off."""
        return (Undo("cleanse", step.targets),)

    def ready(self, step: Step, stage: Stage) -> None:
        """Wait until both ends of every connection run."""
        limit_s = stage.target.limits.recovery_s_max + EFFECT_SEEN_S
        for name in dict.fromkeys(name for edge in self._edges(step, stage) for name in edge):
            stage.until_state(name, ProcessState.RUNNING, ProcessState.DOWN, limit_s=limit_s)
            if stage.runtime.status(name).state is ProcessState.DOWN:
                raise StepInvalid(f"cannot {self.name} {' '.join(step.targets)}: {name} is down")

    def inject(self, step: Step, stage: Stage) -> None:
        """Poison the links, and ask over each connection until the harm shows, if it can."""
        runtime = stage.runtime
        assert isinstance(runtime, CanPoison)
        asked = [edge for edge in self._edges(step, stage) if runtime.asks(*edge)]
        before = {edge: self._healthy(edge, stage) for edge in asked}
        for link in step.targets:
            runtime.poison(link, self.toxics(step))
        for edge, answer in before.items():
            if answer and self.would_show(answer):
                self._until_shown(edge, answer, step, stage)

    def _edges(self, step: Step, stage: Stage) -> list[tuple[str, str]]:
        return self._covered_by(step, stage.target)

    def _covered_by(self, step: Step, target: Target) -> list[tuple[str, str]]:
        links = [link for name in step.targets if (link := Link.parse(name))]
        return list(dict.fromkeys(edge for link in links for edge in _covered(link, self.edges(target))))

    def _healthy(self, edge: tuple[str, str], stage: Stage) -> Answer | None:
        """An answer from before the harm; of two, the quicker. None where an earlier fault allows for none.

        Who owes an answer is waited for, and judged meanwhile: silence may be what breaks a promise.
        """
        runtime, (caller, dependency) = stage.runtime, edge
        assert isinstance(runtime, CanPoison)
        clock = runtime.clock
        deadline_s = clock.now() + stage.target.limits.recovery_s_max + EFFECT_SEEN_S
        while True:
            first = runtime.ask(caller, dependency, ASKED_S)
            if first.first_ms is not None:
                second = runtime.ask(caller, dependency, ASKED_S)
                if second.first_ms is not None:
                    return first if first.first_ms <= second.first_ms else second
            if stage.hampered(dependency):
                return None
            if clock.now() > deadline_s:
                raise StepInvalid(
                    f"cannot {self.name} {caller} -> {dependency}: {dependency} does not answer before it"
                )
            stage.pass_time(LOOK_S)

    def _until_shown(self, edge: tuple[str, str], before: Answer, step: Step, stage: Stage) -> None:
        runtime, seen = stage.runtime, list[Answer]()
        assert isinstance(runtime, CanPoison)

        def shown() -> bool:
            seen[:] = [runtime.ask(*edge, self.asked_s(step))]
            return self.shows(step, before, seen[0])

        stage.until(shown, lambda: f"{self.name} had no effect on {' -> '.join(edge)}: {told(before, seen)}")


def told(before: Answer, seen: Sequence[Answer]) -> str:
    """How answers were before and are now, for people."""
    return f"answered {_words(before)} before and {_words(seen[-1]) if seen else 'not at all'} since"


def _words(answer: Answer) -> str:
    if answer.first_ms is None:
        return answer.error or "with nothing"
    return f"after {answer.first_ms:.0f} ms" + (f" with HTTP {answer.status}" if answer.status else "")


def _covered(link: Link, edges: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    return [edge for edge in edges if link.covers(*edge)]


def _covering(harmed: Sequence[str], caller: str, dependency: str) -> bool:
    """Whether a link that is harmed already covers this connection."""
    return any(link.covers(caller, dependency) for name in harmed if (link := Link.parse(name)))


def _covering_any(name: str, edges: Sequence[tuple[str, str]]) -> bool:
    link = Link.parse(name)
    return link is not None and bool(_covered(link, edges))


def http_edges(edges: Sequence[tuple[str, str]], target: Target) -> tuple[tuple[str, str], ...]:
    """Those of these connections whose address is an HTTP URL."""
    http = {wire.edge for wire in target.wires if wire.scheme == "http"}
    return tuple(edge for edge in edges if edge in http)
