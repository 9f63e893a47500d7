"""Who depends on whom, and how far harm may spread.

A *hard* dependency may degrade its callers when it is gone; a *soft* one may not. The blast radius
of a set of services is the set plus everything that hard-depends on it, transitively::

    gateway ──hard──▶ checkout ──hard──▶ db
                          └────soft────▶ analytics

    blast_radius({db})                 == {db, checkout, gateway}
    blast_radius({analytics})          == {analytics}
    blast_radius({"checkout -> db"})   == {checkout, gateway}      db itself is not touched
    blast_radius({"checkout -> analytics"}) == {}                  checkout can do without

The members of a *group* stand in for one another: harm to one of them reaches nobody else. Only a group
of which more are harmed than it tolerates reaches its other members and its callers. Harm to whoever is
primary (``primaries:etcd``) is harm to one of them; before it is done, nobody knows to which.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from itertools import pairwise

import networkx as nx

from models.link import Link, is_link
from models.some import Share, Some


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


@dataclass(frozen=True, slots=True)
class Group:
    """Services that stand in for one another, such as the members of a cluster.

    Attributes:
        tolerates: how many may be harmed at once while the others go on; for a quorum, a minority.
        failover_s: how long the others may take to take over, once a member is harmed or comes back.
    """

    name: str
    members: tuple[str, ...]
    tolerates: int
    failover_s: float = 0.0

    @property
    def key(self) -> str:
        """Its name in a blast radius; no service has such a name."""
        return f"group {self.name}"

    @property
    def primary(self) -> str:
        """Whoever leads it, as a step says it."""
        return str(Some(Share.PRIMARIES, self.name))


@dataclass(frozen=True)
class Topology:
    """The services in a fixed order, the dependencies between them, and the groups that they form.

    Raises:
        ValueError: a dependency or a group names a service that is not in ``services``.
    """

    services: tuple[str, ...]
    dependencies: tuple[Dependency, ...] = ()
    groups: tuple[Group, ...] = ()

    def __post_init__(self) -> None:
        known = set(self.services)
        for edge in self.dependencies:
            missing = {edge.caller, edge.dependency} - known
            if missing:
                raise ValueError(f"{edge} names an unknown service: {', '.join(sorted(missing))}")
        for group in self.groups:
            if missing := set(group.members) - known:
                raise ValueError(f"{group.key} names an unknown service: {', '.join(sorted(missing))}")

    def group_of(self, service: str) -> Group | None:
        """The group that a service, or whoever is primary, is a member of."""
        return self._group_of.get(service)

    @cached_property
    def _group_of(self) -> dict[str, Group]:
        return {name: group for group in self.groups for name in (*group.members, group.primary)}

    def may_mean(self, target: str) -> tuple[str, ...]:
        """What a target may turn out to be: any member where the primary of a group is meant."""
        group = self.group_of(target)
        return group.members if group and target == group.primary else (target,)

    def meant_by(self, service: str) -> tuple[str, ...]:
        """The targets that may turn out to be this service: itself, and whoever is primary of its group."""
        group = self.group_of(service)
        return (service, group.primary) if group else (service,)

    @cached_property
    def _needs(self) -> nx.DiGraph[str]:
        """From each dependency to its hard callers."""
        graph: nx.DiGraph[str] = nx.DiGraph()
        graph.add_nodes_from(self.services)
        graph.add_edges_from(
            (e.dependency, e.caller) for e in self.dependencies if e.strength is Strength.HARD
        )
        return graph

    @cached_property
    def _harm(self) -> nx.DiGraph[str]:
        """Edges along which harm may spread: those of ``_needs``, but of a group only as a whole."""
        graph: nx.DiGraph[str] = nx.DiGraph()
        graph.add_nodes_from(self.services)
        graph.add_edges_from((group.key, member) for group in self.groups for member in group.members)
        for dependency, caller in self._needs.edges:
            group = self.group_of(dependency)
            graph.add_edge(group.key if group else dependency, caller)
        return graph

    def blast_radius(self, targets: Iterable[str]) -> frozenset[str]:
        """The targets and everything that hard-depends on one of them, transitively.

        In a cycle of hard dependencies the whole strongly connected component is inside. A target is a
        service, a link, or the key of a group.
        """
        return frozenset().union(*map(self.radius_of, targets))

    def reach(self, targets: Iterable[str]) -> frozenset[str]:
        """The blast radius of several targets together: with groups of which they are more than tolerated."""
        targets = tuple(targets)
        hit = {member for target in targets for member in self.members_hit(target)}
        broken = [g.key for g in self.groups if len(hit & {*g.members, g.primary}) > g.tolerates]
        return self.blast_radius([*targets, *broken])

    def radius_of(self, target: str) -> frozenset[str]:
        """The blast radius of one target; worked out once, since every judgement asks for it."""
        known = self._radii.get(target)
        if known is None:
            reached = {name for one in self.may_mean(target) for name in self._reached(one)}
            reached |= set(self.members_hit(target))
            for caller in self._cut_off(target):
                reached |= {caller} | nx.descendants(self._harm, caller)
            known = frozenset(name for name in self.services if name in reached)
            self._radii[target] = known
        return known

    def _cut_off(self, target: str) -> Iterator[str]:
        """Callers that a link keeps from what they need: of a group, from more members than it tolerates."""
        members = Counter[tuple[str, str]]()
        for edge in self.cut_by(target):
            group = self.group_of(edge.dependency)
            if edge.strength is not Strength.HARD or (group and edge.caller in group.members):
                continue
            members[edge.caller, group.key if group else ""] += 1
            if not group or members[edge.caller, group.key] > group.tolerates:
                yield edge.caller

    def _reached(self, target: str) -> Set[str]:
        return {target} | nx.descendants(self._harm, target) if target in self._harm else set[str]()

    @cached_property
    def _radii(self) -> dict[str, frozenset[str]]:
        return {}

    def cut_by(self, target: str) -> tuple[Dependency, ...]:
        """The dependencies that a link covers; none of a service."""
        link = Link.parse(target) if is_link(target) else None
        return tuple(e for e in self.dependencies if link and link.covers(e.caller, e.dependency))

    def matters(self, target: str, needed: Set[str]) -> bool:
        """Whether harm to a target is felt by whoever needs these services and no others."""
        if not is_link(target):
            return any(name in needed for name in self.may_mean(target))
        return any(
            edge.strength is Strength.HARD and {edge.caller, edge.dependency} <= needed
            for edge in self.cut_by(target)
        )

    def members_hit(self, target: str) -> tuple[str, ...]:
        """The members of groups that harm to a target takes out: the service, the primary, who is cut off."""
        group = self.group_of(target)
        if group and target == group.primary:
            return (target,)
        hit = {name for edge in self.cut_by(target) for name in (edge.caller, edge.dependency)}
        link = Link.parse(target) if is_link(target) else None
        named = hit & set(link.names) if link else {target}
        return tuple(name for name in self.services if name in named and self.group_of(name))

    def needs(self, service: str) -> frozenset[str]:
        """The service and everything that it hard-depends on, transitively."""
        return frozenset({service} | nx.ancestors(self._needs, service))

    def edge(self, caller: str, dependency: str) -> Dependency | None:
        """The dependency of ``caller`` on ``dependency``, if there is one."""
        for edge in self.dependencies:
            if (edge.caller, edge.dependency) == (caller, dependency):
                return edge
        return None

    def path(self, caller: str, target: str) -> tuple[Dependency, ...]:
        """The shortest chain of dependencies of either strength from ``caller`` to a service or a link.

        Empty when there is none: then the edge that would explain the harm is missing.
        """
        cut = self.cut_by(target)
        if cut or is_link(target):
            return min((self._path_over(caller, edge) for edge in cut), key=_by_length, default=())
        return self._path(caller, target)

    def _path_over(self, caller: str, edge: Dependency) -> tuple[Dependency, ...]:
        """The chain that ends with this edge; empty if none does."""
        before = self._path(caller, edge.caller)
        return (*before, edge) if before or caller == edge.caller else ()

    def _path(self, caller: str, dependency: str) -> tuple[Dependency, ...]:
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
        condensed = nx.condensation(self._needs)
        members = condensed.nodes(data="members")
        layers = []
        for generation in nx.topological_generations(condensed):
            together = {name for node in generation for name in members[node]}
            layers.append(tuple(name for name in self.services if name in together))
        return tuple(layers)


def _by_length(path: Sequence[Dependency]) -> tuple[bool, int]:
    """No path at all is longer than any."""
    return not path, len(path)
