"""A topology as text, Mermaid or DOT. Pure: a value in, lines out.

Arrows go from a caller to what it needs. A hard dependency is drawn solid, a soft one dashed, one
that was only inferred (from an URL in the environment) with a question mark. The blast radius of a
set of services is everything that may degrade with them; the services themselves are the targets.
The members of a group stand together; a service that tells whether it is primary says so.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from models.target import Service, Target
from models.topology import Dependency, Group, Strength

Renderer: TypeAlias = Callable[[Target, "Blast"], Iterator[str]]


@dataclass(frozen=True)
class Blast:
    """What is marked: ``targets`` are harmed, and everything else in ``radius`` may degrade."""

    targets: frozenset[str] = frozenset()
    radius: frozenset[str] = frozenset()

    @classmethod
    def of(cls, target: Target, services: Collection[str]) -> Blast:
        """The blast radius of these services; empty for none."""
        return cls(frozenset(services), target.topology.blast_radius(services))

    def mark(self, service: str) -> str:
        """``target``, ``degrades``, or nothing."""
        if service in self.targets:
            return "target"
        return "degrades" if service in self.radius else ""


def as_text(target: Target, blast: Blast) -> Iterator[str]:
    """A paragraph a service, for people."""
    width = max(len(name) for name in target.topology.services)
    marks = {"target": " *", "degrades": " ~", "": "  "}
    for name in target.topology.services:
        mark = marks[blast.mark(name)] if blast.targets else ""
        yield f"{name:{width}}{mark}  {_about(target.services[name], target)}".rstrip()
        for edge in target.topology.dependencies:
            if edge.caller == name:
                yield f"    {_ARROWS[edge.strength]} {edge.dependency}  {_words(edge)}"
    yield ""
    for group in target.topology.groups:
        yield f"group {group.name}: {', '.join(group.members)}  ({_of_group(group)})"
    yield "--> hard: may degrade without it    ..> soft: must keep serving without it"
    if blast.targets:
        names = ", ".join(name for name in target.topology.services if name in blast.targets)
        rest = [name for name in target.topology.services if blast.mark(name) == "degrades"]
        spared = [name for name in target.topology.services if not blast.mark(name)]
        yield f"* harmed: {names}    ~ may degrade: {', '.join(rest) or 'nothing else'}"
        yield f"must stay healthy: {', '.join(spared) or 'nothing'}"


_ARROWS = {Strength.HARD: "-->", Strength.SOFT: "..>"}


def _about(service: Service, target: Target) -> str:
    words = [f"restart: {service.restart}", str(service.health), service.criticality]
    if service.name in target.safety.protect:
        words.append("protected")
    elif not service.opted_in:
        words.append("not opted in")
    if service.role:
        words.append("tells whether it is primary")
    return f"({', '.join(words)})"


def _of_group(group: Group) -> str:
    return f"tolerates {group.tolerates} of {len(group.members)}, takes over within {group.failover_s:g} s"


def _words(edge: Dependency) -> str:
    source = "inferred from its environment, counts as hard" if edge.inferred else edge.source
    return f"({edge.strength}, {source})"


def _role(target: Target, name: str) -> str:
    """What is added to the name of a service that tells its role."""
    return " (role)" if target.services[name].role else ""


def as_mermaid(target: Target, blast: Blast) -> Iterator[str]:
    """A flowchart that Markdown viewers draw."""
    ids = {name: f"s{number}" for number, name in enumerate(target.topology.services)}
    yield "flowchart LR"
    for name, short in ids.items():
        style = f":::{blast.mark(name)}" if blast.mark(name) else ""
        yield f'  {short}["{name}{_role(target, name)}"]{style}'
    for number, group in enumerate(target.topology.groups):
        yield f'  subgraph g{number}["{group.name}: tolerates {group.tolerates} of {len(group.members)}"]'
        yield f"    {' & '.join(ids[name] for name in group.members)}"
        yield "  end"
    for edge in target.topology.dependencies:
        arrow = "-->" if edge.strength is Strength.HARD else "-.->"
        label = "|inferred?|" if edge.inferred else ""
        yield f"  {ids[edge.caller]} {arrow}{label} {ids[edge.dependency]}"
    if blast.targets:
        yield "  classDef target fill:#c62828,color:#fff"
        yield "  classDef degrades fill:#ffcc80,color:#000"


def as_dot(target: Target, blast: Blast) -> Iterator[str]:
    """A digraph for Graphviz: ``knockon graph --format dot | dot -Tsvg > graph.svg``."""
    colours = {
        "target": ', style=filled, fillcolor="#c62828", fontcolor=white',
        "degrades": ', style=filled, fillcolor="#ffcc80"',
        "": "",
    }
    yield f'digraph "{target.name}" {{'
    yield "  rankdir=LR"
    for name in target.topology.services:
        label = f', label="{name}{_role(target, name)}"' if _role(target, name) else ""
        yield f'  "{name}" [shape=box{label}{colours[blast.mark(name)]}]'
    for number, group in enumerate(target.topology.groups):
        names = "; ".join(f'"{name}"' for name in group.members)
        told = f"{group.name}: tolerates {group.tolerates} of {len(group.members)}"
        yield f'  subgraph cluster_{number} {{ label="{told}"; {names} }}'
    for edge in target.topology.dependencies:
        style = "solid" if edge.strength is Strength.HARD else "dashed"
        label = ', label="inferred?", color=gray' if edge.inferred else ""
        yield f'  "{edge.caller}" -> "{edge.dependency}" [style={style}{label}]'
    yield "}"


FORMATS: Mapping[str, Renderer] = {"text": as_text, "mermaid": as_mermaid, "dot": as_dot}
