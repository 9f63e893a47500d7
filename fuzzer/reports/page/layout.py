"""Where each service and each edge of the dependency graph is drawn. Pure: values in, places out.

Callers stand to the left of what they need. A service's column is the longest way to it from a service
that nobody calls; a call that would close a circle goes back. Within a column services are ordered by where
their callers stand, which keeps most edges from crossing (the barycenter heuristic of Sugiyama,
Tagawa and Toda, "Methods for visual understanding of hierarchical system structures", IEEE SMC-11, 1981).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import mean
from typing import TypeAlias

import networkx as nx

from fuzzer.runs.lines import LoggedEdge
from models.topology import Strength

BOX_W, BOX_H = 168, 40
GAP_X, GAP_Y = 72, 20
MARGIN = 12
ROW = 4
"""Services beside one another that have no edge."""

Place: TypeAlias = tuple[float, float]
"""The left upper corner of a box."""


def laid_out(
    services: Sequence[str], edges: Sequence[LoggedEdge]
) -> tuple[dict[str, Place], dict[tuple[str, str], list[Place]]]:
    """Where each service stands, and where each long edge passes the columns between its ends."""
    graph = _without_circles(edges)
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
    places |= _alone([name for name in services if name not in places], places)
    return {name: places[name] for name in services}, passed


def _alone(names: Sequence[str], places: Mapping[str, Place]) -> dict[str, Place]:
    """Services that need nobody and are needed by nobody, in rows below the others."""
    below = max((y + BOX_H + GAP_Y for _, y in places.values()), default=MARGIN)
    return {
        name: (
            MARGIN + number % ROW * (BOX_W + GAP_X),
            below + number // ROW * (BOX_H + GAP_Y),
        )
        for number, name in enumerate(names)
    }


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


def _without_circles(edges: Sequence[LoggedEdge]) -> nx.DiGraph[str]:
    """What is needed most comes first; an edge that would close a circle does not order anything."""
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(name for edge in edges for name in (edge.caller, edge.dependency))
    for edge in sorted(edges, key=lambda edge: edge.strength is Strength.SOFT):
        if not nx.has_path(graph, edge.dependency, edge.caller):
            graph.add_edge(edge.caller, edge.dependency)
    return graph


def curve(caller: Place, way: Sequence[Place], dependency: Place) -> str:
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
