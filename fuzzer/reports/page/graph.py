"""Where each service and each edge of the dependency graph is drawn. Pure: values in, places out.

Callers stand to the left of what they need. A service's column is the longest way to it from a service
that nobody calls; a call that would close a circle goes back. Within a column services are ordered by where
their callers stand, which keeps most edges from crossing (the barycenter heuristic of Sugiyama,
Tagawa and Toda, "Methods for visual understanding of hierarchical system structures", IEEE SMC-11, 1981).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import mean
from typing import TypeAlias

import networkx as nx

from fuzzer.runs.lines import LoggedEdge, LoggedFinding, LoggedRun
from models.link import Link
from models.topology import Strength

BOX_W, BOX_H = 168, 40
GAP_X, GAP_Y = 72, 20
MARGIN = 12

Place: TypeAlias = tuple[float, float]
"""The left upper corner of a box."""


@dataclass(frozen=True)
class Box:
    """A service. ``role``: harmed, broken, excused or calm; ``words`` say the same."""

    name: str
    x: float
    y: float
    role: str
    words: str


@dataclass(frozen=True)
class Arrow:
    """An edge, as the path of an SVG. ``offending``: harm spread along it where it must not."""

    caller: str
    dependency: str
    path: str
    soft: bool
    offending: bool


@dataclass(frozen=True)
class Drawing:
    """The whole graph."""

    width: float
    height: float
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]

    @property
    def offending(self) -> tuple[Arrow, ...]:
        """The edges along which harm spread where it must not."""
        return tuple(arrow for arrow in self.arrows if arrow.offending)

    @property
    def told(self) -> str:
        """The picture in words, for those who do not see it."""
        return "; ".join(f"{box.name}: {box.words}" for box in self.boxes)


WORDS: Mapping[str, str] = {
    "harmed": "a fault was done to it",
    "broken": "it broke a promise",
    "excused": "it may degrade, for it needs what was harmed",
    "calm": "it must stay healthy",
}


def draw(run: LoggedRun, finding: LoggedFinding | None = None) -> Drawing:
    """The graph of a target; with a finding, who was harmed, who may degrade, and who broke a promise."""
    places, ways = _laid_out(run)
    roles = _roles(run, finding)
    way = _way(run.edges, finding)
    boxes = tuple(Box(name, x, y, roles[name], WORDS[roles[name]]) for name, (x, y) in places.items())
    arrows = tuple(
        Arrow(
            edge.caller,
            edge.dependency,
            _curve(
                places[edge.caller],
                ways.get((edge.caller, edge.dependency), ()),
                places[edge.dependency],
            ),
            edge.strength is Strength.SOFT,
            (edge.caller, edge.dependency) in way,
        )
        for edge in run.edges
    )
    width = max((x for x, _ in places.values()), default=0) + BOX_W + MARGIN
    passed = (place for way in ways.values() for place in way)
    height = max((y for _, y in (*places.values(), *passed)), default=0) + BOX_H + MARGIN
    return Drawing(width, height + GAP_Y, boxes, arrows)


def _laid_out(run: LoggedRun) -> tuple[dict[str, Place], dict[tuple[str, str], list[Place]]]:
    """Where each service stands, and where each long edge passes the columns between its ends."""
    graph = _without_circles(run)
    column_of = {
        name: column for column, names in enumerate(nx.topological_generations(graph)) for name in names
    }
    ways = {}
    for caller, dependency in list(graph.edges):
        between = range(column_of[caller] + 1, column_of[dependency])
        way = [f"{caller} {dependency} {column}" for column in between]  # no service has such a name
        column_of |= dict(zip(way, between, strict=True))
        ways[caller, dependency] = way
        if way:
            graph.remove_edge(caller, dependency)
            nx.add_path(graph, [caller, *way, dependency])
    places = _in_rows(graph, column_of)
    passed = {edge: [places[stop] for stop in way] for edge, way in ways.items()}
    return {service.name: places[service.name] for service in run.services}, passed


def _in_rows(graph: nx.DiGraph[str], column_of: Mapping[str, int]) -> dict[str, Place]:
    """Column by column, in the order of where their callers stand."""
    columns: dict[int, list[str]] = {}
    for name, column in column_of.items():
        columns.setdefault(column, []).append(name)
    most = max(map(len, columns.values()), default=1)
    rows: dict[str, float] = {}
    places: dict[str, Place] = {}
    for column, names in sorted(columns.items()):
        wanted = {
            name: mean([rows[caller] for caller in graph.predecessors(name)] or [number])
            for number, name in enumerate(names)
        }
        for number, name in enumerate(sorted(names, key=lambda name: wanted[name])):
            rows[name] = number + (most - len(names)) / 2
            places[name] = MARGIN + column * (BOX_W + GAP_X), MARGIN + rows[name] * (BOX_H + GAP_Y)
    return places


def _without_circles(run: LoggedRun) -> nx.DiGraph[str]:
    """What is needed most comes first; an edge that would close a circle does not order anything."""
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(service.name for service in run.services)
    for edge in sorted(run.edges, key=lambda edge: edge.strength is Strength.SOFT):
        if not nx.has_path(graph, edge.dependency, edge.caller):
            graph.add_edge(edge.caller, edge.dependency)
    return graph


def _curve(caller: Place, way: Sequence[Place], dependency: Place) -> str:
    """From the right side of one box to the left side of the other; around the outside to go back."""
    if dependency[0] <= caller[0]:
        x1, x2 = caller[0] + BOX_W / 2, dependency[0] + BOX_W / 2
        y1, y2 = caller[1] + BOX_H, dependency[1] + BOX_H
        low = max(y1, y2) + GAP_Y
        return f"M{x1:g} {y1:g} C{x1:g} {low:g} {x2:g} {low:g} {x2:g} {y2:g}"
    x1, y1 = caller[0] + BOX_W, caller[1] + BOX_H / 2
    path = f"M{x1:g} {y1:g}"
    for place in (*way, dependency):
        x2, y2 = place[0], place[1] + BOX_H / 2
        middle = (x1 + x2) / 2
        path += f" C{middle:g} {y1:g} {middle:g} {y2:g} {x2:g} {y2:g}"
        if place is not dependency:
            path += f" H{x2 + BOX_W:g}"
        x1, y1 = x2 + BOX_W, y2
    return path


def _roles(run: LoggedRun, finding: LoggedFinding | None) -> dict[str, str]:
    roles = {service.name: "calm" for service in run.services}
    if finding is None:
        return roles
    if finding.story:
        roles |= dict.fromkeys(finding.story.radius, "excused")
    broken = {one.service for one in (finding.violation, *finding.also)}
    roles |= {name: "broken" for name in broken if name in roles}
    roles |= {name: "harmed" for name in _harmed(finding) if name in roles}
    return roles


def _harmed(finding: LoggedFinding) -> Iterable[str]:
    """Services that a fault was done to; of a link, none."""
    faults = finding.story.faults if finding.story else ()
    return (fault.on for fault in faults if Link.parse(fault.on) is None)


def _way(edges: Iterable[LoggedEdge], finding: LoggedFinding | None) -> set[tuple[str, str]]:
    """The shortest way of calls from each service that broke a promise to what was harmed."""
    if finding is None or finding.story is None:
        return set()
    graph: nx.DiGraph[str] = nx.DiGraph((edge.caller, edge.dependency) for edge in edges)
    cut = [link for fault in finding.story.faults if (link := Link.parse(fault.on))]
    ends = {name for name in _harmed(finding) if name in graph}
    along = {edge for edge in graph.edges if any(link.covers(*edge) for link in cut)}
    found = set[tuple[str, str]]()
    for broken in {finding.violation.service} & set(graph):
        reached = nx.single_source_shortest_path(graph, broken)
        ways = [reached[end] for end in ends if end in reached and end != broken]
        ways += [[*reached[a], b] for a, b in along if a in reached]
        if ways:
            way = min(ways, key=len)
            found |= set(pairwise(way))
    return found
