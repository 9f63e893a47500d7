"""From a compose file to behaviours: what is read from it, what was learnt, and what is only assumed.

A hint in the file counts most, then what was learnt from real runs, then an assumption. An assumption
is told in words wherever a verdict rests on it, because a simulation proves nothing about a fleet.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import networkx as nx

from fuzzer.runtimes.sim.poison import SIZE_BYTES
from models.behaviour import (
    Away,
    Behaviour,
    Call,
    CallHints,
    Hints,
    Reaction,
    Response,
    StandIns,
    UncleanHints,
)
from models.link import Link
from models.target import Condition, ProbeKind, Service, Target
from models.topology import Dependency, Group, Strength

NOTHING = Hints()


@dataclass(frozen=True, slots=True)
class Assumption:
    """Something that the file does not say; it matters to a verdict that involves all these services.

    One about the calls of an ``edge`` matters only where that connection was harmed.
    """

    services: frozenset[str]
    text: str
    edge: tuple[str, str] | None = None


@dataclass(frozen=True)
class Assumed:
    """How every service behaves, and what of that is only assumed."""

    behaviours: Mapping[str, Behaviour]
    assumptions: tuple[Assumption, ...]

    def about(self, names: Iterable[str]) -> tuple[str, ...]:
        """The assumptions that concern nobody but these services, and the links among the names."""
        involved = frozenset(names)
        links = [link for name in involved if (link := Link.parse(name))]
        about = [one for one in self.assumptions if one.services <= involved]
        harmed = [one for one in about if not one.edge or any(link.covers(*one.edge) for link in links)]
        return tuple(dict.fromkeys(one.text for one in harmed))


def assume(target: Target, learnt: Mapping[str, Hints] | None = None) -> Assumed:
    """Everything that a simulation needs to know.

    Args:
        learnt: hints from real runs, by service.
    """
    reader = _Reader(target, learnt or {})
    behaviours = {name: reader.behaviour(service) for name, service in target.services.items()}
    return Assumed(behaviours, tuple(reader.assumptions))


class _Reader:
    """Puts the behaviour of each service together, and notes what nobody said."""

    def __init__(self, target: Target, learnt: Mapping[str, Hints]) -> None:
        self._target = target
        self._learnt = learnt
        self._edges: dict[str, list[Dependency]] = {name: [] for name in target.services}
        for edge in target.topology.dependencies:
            self._edges[edge.caller].append(edge)
        hard = [(e.caller, e.dependency) for e in target.topology.dependencies if e.strength is Strength.HARD]
        graph: nx.DiGraph[str] = nx.DiGraph(hard)
        knots = nx.strongly_connected_components(graph)
        self._knot = {name: number for number, knot in enumerate(knots) for name in knot}
        self.assumptions: list[Assumption] = []

    def behaviour(self, service: Service) -> Behaviour:
        """How one service behaves; what nobody said about it is added to the assumptions."""
        said, learnt = service.model, self._known_here(self._learnt.get(service.name, NOTHING))
        plain = {**_said(learnt, _PLAIN), **_said(said, _PLAIN)}
        self._note_usual(service, plain)
        unclean = _said(said.unclean, _UNCLEAN) or _said(learnt.unclean, _UNCLEAN)
        calls = {
            edge.dependency: _call(learnt.calls.get(edge.dependency), said.calls.get(edge.dependency))
            for edge in self._edges[service.name]
        }
        known = [*said.reactions, *_not_said(said, learnt)]
        self._note_calls(service.name, learnt, said)
        return replace(
            Behaviour(**plain),
            unclean_start_s=unclean.get("start_s"),
            unclean_exit=unclean.get("exit_code"),
            needs_at_start=self._needs_at_start(service, said, learnt),
            hard=frozenset(e.dependency for e in self._edges[service.name] if e.strength is Strength.HARD),
            calls=calls,
            reactions=(*known, *self._usual_reactions(service.name, known, calls)),
            stand_ins=tuple(self._stand_ins(service.name, calls)),
        )

    def _known_here(self, learnt: Hints) -> Hints:
        """What was learnt about services that the target still has."""
        services = self._target.services
        needed = learnt.needs_at_start
        return learnt.model_copy(
            update={
                "needs_at_start": needed and [name for name in needed if name in services],
                "reactions": [one for one in learnt.reactions if one.when.keys() <= services.keys()],
            }
        )

    def _note_usual(self, service: Service, plain: Mapping[str, object]) -> None:
        usual = Behaviour()
        if "start_s" not in plain:
            self._assume(f"{service.name} starts in {usual.start_s:g} s", service.name)
        if service.health.kind is ProbeKind.RUNNING:
            text = "is well while it runs, and ready once it has started: it has no health check"
            self._assume(f"{service.name} {text}", service.name)
        if self._target.loads and not {"work_ms", "workers"} & plain.keys():
            text = f"takes {usual.work_ms:g} ms for a request, and works on {usual.workers} at a time"
            self._assume(f"{service.name} {text}", service.name)

    def _needs_at_start(self, service: Service, said: Hints, learnt: Hints) -> tuple[str, ...]:
        for hints in (said, learnt):
            if hints.needs_at_start is not None:
                return tuple(hints.needs_at_start)
        needed = []
        for edge in self._edges[service.name]:
            condition = service.starts_after.get(edge.dependency)
            if edge.strength is not Strength.HARD or condition is None or self._group(edge):
                continue
            if condition is Condition.STARTED:
                needed.append(edge.dependency)
                text = (
                    f"{service.name} exits when {edge.dependency} does not answer at its start: its "
                    "depends_on names no `condition: service_healthy`, so nobody seems to have thought of it"
                )
            else:
                text = f"{service.name} waits when {edge.dependency} does not answer at its start"
            self._assume(text, service.name, edge.dependency)
        return tuple(needed)

    def _usual_reactions(
        self, service: str, known: Sequence[Reaction], calls: Mapping[str, Call]
    ) -> Iterator[Reaction]:
        """Without what it hard-depends on a service errs; nothing else happens to it."""
        told = [reaction.when for reaction in known]
        for edge in self._edges[service]:
            call, group = calls[edge.dependency], self._group(edge)
            if group and edge.strength is Strength.HARD and not call.fallback:
                text = (
                    f"{service} answers with errors while more than {group.tolerates} of {group.key} are away"
                )
                self._assume(f"{text}, and no longer", service, edge.dependency)
                continue
            unknown = [away for away in Away if {edge.dependency: away} not in told]
            if not unknown:
                continue
            hows = " or ".join(
                f"{away} (no answer within {call.timeout_s:g} s)" if away is Away.HUNG else away
                for away in unknown
            )
            if edge.strength is Strength.SOFT or call.fallback:
                text = f"{service} serves on while {edge.dependency} is {hows}"
            else:
                text = f"{service} answers with errors while {edge.dependency} is {hows}, and no longer"
                for away in unknown:
                    if away is not Away.SICK or not self._in_a_knot(edge):
                        yield Reaction(when={edge.dependency: away}, then=Response.ERRORS)
            self._assume(text, service, edge.dependency)

    def _group(self, edge: Dependency) -> Group | None:
        """Who stands in for a dependency, if anybody does."""
        group = self._target.topology.group_of(edge.dependency)
        return group if group and group.tolerates else None

    def _stand_ins(self, service: str, calls: Mapping[str, Call]) -> Iterator[StandIns]:
        edges: dict[str, Dependency] = {}
        for edge in self._edges[service]:
            if edge.strength is Strength.HARD and not calls[edge.dependency].fallback:
                group = self._group(edge)
                if group:
                    edges.setdefault(group.key, edge)
        for edge in edges.values():
            group = self._group(edge)
            assert group
            others = tuple(name for name in group.members if name != service)
            yield StandIns(others, group.tolerates, sick=not self._in_a_knot(edge))

    def _note_calls(self, service: str, learnt: Hints, said: Hints) -> None:
        """What a fault of a connection puts to the test."""
        usual = Call()
        for edge in self._edges[service]:
            both = (service, edge.dependency)
            if both not in self._target.edges:
                continue
            hints = (learnt.calls.get(edge.dependency), said.calls.get(edge.dependency))
            known = {name for each in hints for name in _said(each, _CALL)}
            told = {
                "timeout_s": f"are given up after {usual.timeout_s:g} s",
                "retries": "are not repeated",
                "breaker": f"are not sent after {usual.breaker} failures in a row",
                "reconnects": "get over a broken connection",
            }
            parts = [text for name, text in told.items() if name not in known]
            parts.append(f"have {SIZE_BYTES} bytes, like their answers")
            text = f"calls of {service} to {edge.dependency} {', '.join(parts)}"
            self.assumptions.append(Assumption(frozenset(both), text, both))

    def _in_a_knot(self, edge: Dependency) -> bool:
        """Of services that need one another each would stay sick because the others are."""
        return self._knot.get(edge.caller) == self._knot.get(edge.dependency)

    def _assume(self, text: str, *services: str) -> None:
        self.assumptions.append(Assumption(frozenset(services), text))


def _not_said(said: Hints, learnt: Hints) -> Iterator[Reaction]:
    """What was learnt of the same absences, a person knows better."""
    told = [reaction.when for reaction in said.reactions]
    return (reaction for reaction in learnt.reactions if reaction.when not in told)


_PLAIN = ("replicas", "start_s", "stop_s", "notice_s", "health_ms", "work_ms", "workers", "queue", "commit_s")
_UNCLEAN = ("start_s", "exit_code")
_CALL = ("timeout_s", "retries", "volley", "breaker", "fallback", "reconnects")


def _said(hints: Hints | CallHints | UncleanHints | None, names: tuple[str, ...]) -> dict[str, Any]:
    """What hints really say of these, by name."""
    return {name: value for name in names if hints and (value := getattr(hints, name)) is not None}


def _call(learnt: CallHints | None, said: CallHints | None) -> Call:
    return Call(**{**_said(learnt, _CALL), **_said(said, _CALL)})
