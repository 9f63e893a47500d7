"""Who depends on whom, and how far harm may spread.

A *hard* dependency may degrade its callers when it is gone; a *soft* one may not. The blast radius
of a set of services is the set plus everything that hard-depends on it, transitively::

    gateway ──hard──▶ checkout ──hard──▶ db
                          └────soft────▶ analytics

    blast_radius({db})        == {db, checkout, gateway}
    blast_radius({analytics}) == {analytics}
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from itertools import pairwise

import networkx as nx


class Strength(StrEnum):
    """How much a caller needs a dependency."""

    HARD = "hard"
    SOFT = "soft"


class Source(StrEnum):
    """Where a dependency was read from."""

    DEPENDS_ON = "depends_on"
    DECLARED = "x-knockon"
    ENVIRONMENT = "environment"


@dataclass(frozen=True, slots=True)
class Dependency:
    """``caller`` needs ``dependency``. An edge found only in an environment URL is *inferred*."""

    caller: str
    dependency: str
    strength: Strength = Strength.HARD
    source: Source = Source.DECLARED

    @property
    def inferred(self) -> bool:
        """Whether nobody declared this edge; it then counts as hard."""
        return self.source is Source.ENVIRONMENT

    def __str__(self) -> str:
        mark = ", inferred" if self.inferred else ""
        return f"{self.caller} -> {self.dependency} ({self.strength}{mark})"


@dataclass(frozen=True)
class Topology:
    """The services in a fixed order, and the dependencies between them.

    Raises:
        ValueError: a dependency names a service that is not in ``services``.
    """

    services: tuple[str, ...]
    dependencies: tuple[Dependency, ...] = ()

    def __post_init__(self) -> None:
        known = set(self.services)
        for edge in self.dependencies:
            missing = {edge.caller, edge.dependency} - known
            if missing:
                raise ValueError(f"{edge} names an unknown service: {', '.join(sorted(missing))}")

    @cached_property
    def _harm(self) -> nx.DiGraph[str]:
        """Edges along which harm may spread: from a dependency to its hard callers."""
        graph: nx.DiGraph[str] = nx.DiGraph()
        graph.add_nodes_from(self.services)
        graph.add_edges_from(
            (e.dependency, e.caller) for e in self.dependencies if e.strength is Strength.HARD
        )
        return graph

    def blast_radius(self, targets: Iterable[str]) -> frozenset[str]:
        """The targets and everything that hard-depends on one of them, transitively.

        In a cycle of hard dependencies the whole strongly connected component is inside.
        """
        return frozenset().union(*map(self.radius_of, targets))

    def radius_of(self, target: str) -> frozenset[str]:
        """The blast radius of one service; worked out once, since every judgement asks for it."""
        known = self._radii.get(target)
        if known is None:
            known = frozenset({target} | nx.descendants(self._harm, target))
            self._radii[target] = known
        return known

    @cached_property
    def _radii(self) -> dict[str, frozenset[str]]:
        return {}

    def needs(self, service: str) -> frozenset[str]:
        """The service and everything that it hard-depends on, transitively."""
        return frozenset({service} | nx.ancestors(self._harm, service))

    def edge(self, caller: str, dependency: str) -> Dependency | None:
        """The dependency of ``caller`` on ``dependency``, if there is one."""
        for edge in self.dependencies:
            if (edge.caller, edge.dependency) == (caller, dependency):
                return edge
        return None

    def path(self, caller: str, dependency: str) -> tuple[Dependency, ...]:
        """The shortest chain of dependencies of either strength from ``caller`` to ``dependency``.

        Empty when there is none: then the edge that would explain the harm is missing.
        """
        graph: nx.DiGraph[str] = nx.DiGraph()
        graph.add_nodes_from(self.services)
        graph.add_edges_from((e.caller, e.dependency) for e in self.dependencies)
        try:
            nodes: Sequence[str] = nx.shortest_path(graph, caller, dependency)
        except nx.NetworkXNoPath:
            return ()
        edges = (self.edge(a, b) for a, b in pairwise(nodes))
        return tuple(edge for edge in edges if edge is not None)

    def start_layers(self) -> tuple[tuple[str, ...], ...]:
        """Services in the order in which they can start: each layer needs only earlier ones.

        Soft dependencies do not delay a start; a cycle starts together.
        """
        return self._start_layers

    @cached_property
    def _start_layers(self) -> tuple[tuple[str, ...], ...]:
        condensed = nx.condensation(self._harm)
        members = condensed.nodes(data="members")
        layers = []
        for generation in nx.topological_generations(condensed):
            together = {name for node in generation for name in members[node]}
            layers.append(tuple(name for name in self.services if name in together))
        return tuple(layers)
