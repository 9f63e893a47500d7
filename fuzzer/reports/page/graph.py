"""The dependency graph of a target, and what became of its services in a finding. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import networkx as nx

from fuzzer.reports.page.layout import BOX_H, BOX_W, GAP_Y, MARGIN, curve, laid_out
from fuzzer.runs.lines import LoggedEdge, LoggedFinding, LoggedRun
from models.link import Link, is_link
from models.some import services_of
from models.topology import Strength


@dataclass(frozen=True)
class Box:
    """A service. ``role``: harmed, both, broken, excused or calm; ``label`` and ``words`` say the same."""

    name: str
    shown: str
    x: float
    y: float
    role: str
    label: str
    words: str


@dataclass(frozen=True)
class Arrow:
    """An edge, as the path of an SVG.

    Attributes:
        offending: whether it is on the way from what broke a promise to what was harmed.
        cut: whether a fault was done to this connection.
    """

    caller: str
    dependency: str
    path: str
    soft: bool
    offending: bool
    cut: bool

    @property
    def words(self) -> str:
        """What it means."""
        soft = ", but must keep serving without it" if self.soft else ""
        cut = " (a fault was done to this connection)" if self.cut else ""
        return f"{self.caller} needs {self.dependency}{soft}{cut}"


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
        boxes = (f"{box.name}: {box.words}" for box in self.boxes)
        return "; ".join([*boxes, *(arrow.words for arrow in self.arrows)])

    @property
    def marked(self) -> bool:
        """Whether anybody is anything but calm."""
        return any(box.role != "calm" for box in self.boxes) or any(arrow.cut for arrow in self.arrows)


ROLES: Mapping[str, tuple[str, str]] = {
    "harmed": ("harmed on purpose", "a fault was done to it"),
    "both": ("harmed; broke a promise", "a fault was done to it, and it broke a promise"),
    "broken": ("broke a promise", "it broke a promise"),
    "excused": ("may degrade", "it may degrade, for it needs what was harmed"),
    "calm": ("", "it must stay healthy"),
}
"""What is written into a box, and told of it."""

NAME_MOST = 20
"""Characters of a name that fit into a box, or beside a lane."""


def shortened(name: str, most: int = NAME_MOST) -> str:
    """A name with its middle left out; its ends tell most names apart."""
    if len(name) <= most:
        return name
    head = (most - 1) // 2
    return f"{name[:head]}…{name[head - most + 1 :]}"


def draw(run: LoggedRun, finding: LoggedFinding | None = None) -> Drawing:
    """The graph of a target; with a finding, who was harmed, who may degrade, and who broke a promise."""
    names = {service.name for service in run.services}
    edges = tuple(edge for edge in run.edges if {edge.caller, edge.dependency} <= names)
    places, ways = laid_out([service.name for service in run.services], edges)
    roles = _roles(run, finding)
    way, cut = _way(edges, finding), _cut(edges, finding)
    boxes = tuple(
        Box(name, shortened(name), x, y, roles[name], *ROLES[roles[name]]) for name, (x, y) in places.items()
    )
    arrows = tuple(
        Arrow(
            edge.caller,
            edge.dependency,
            curve(
                places[edge.caller],
                ways.get((edge.caller, edge.dependency), ()),
                places[edge.dependency],
            ),
            edge.strength is Strength.SOFT,
            (edge.caller, edge.dependency) in way,
            (edge.caller, edge.dependency) in cut,
        )
        for edge in edges
    )
    width = max((x for x, _ in places.values()), default=0) + BOX_W + MARGIN
    passed = (place for way in ways.values() for place in way)
    height = max((y for _, y in (*places.values(), *passed)), default=0) + BOX_H + MARGIN
    return Drawing(width, height + GAP_Y, boxes, arrows)


def _roles(run: LoggedRun, finding: LoggedFinding | None) -> dict[str, str]:
    roles = {service.name: "calm" for service in run.services}
    if finding is None:
        return roles
    if finding.story:
        roles |= dict.fromkeys(finding.story.radius, "excused")
    broken = {one.service for one in (finding.violation, *finding.also)}
    harmed = set(harmed_services(finding))
    roles |= {name: "broken" for name in broken if name in roles}
    roles |= {name: "both" if name in broken else "harmed" for name in harmed if name in roles}
    return roles


def harmed_services(finding: LoggedFinding) -> tuple[str, ...]:
    """Services that a fault was done to; of a link, none."""
    faults = finding.story.faults if finding.story else ()
    return services_of(fault.on for fault in faults if not is_link(fault.on))


def _cut(edges: Iterable[LoggedEdge], finding: LoggedFinding | None) -> set[tuple[str, str]]:
    """The connections that a fault was done to."""
    faults = finding.story.faults if finding and finding.story else ()
    links = [link for fault in faults if (link := Link.parse(fault.on))]
    ends = [(edge.caller, edge.dependency) for edge in edges]
    return {edge for edge in ends if any(link.covers(*edge) for link in links)}


def _way(edges: Sequence[LoggedEdge], finding: LoggedFinding | None) -> set[tuple[str, str]]:
    """The shortest way of calls from the service that broke a promise to what was harmed."""
    if finding is None or finding.violation.service in harmed_services(finding):
        return set()
    graph: nx.DiGraph[str] = nx.DiGraph((edge.caller, edge.dependency) for edge in edges)
    broken = finding.violation.service
    if broken not in graph:
        return set()
    reached: dict[str, list[str]] = dict(nx.single_source_shortest_path(graph, broken))
    ways = [reached[end] for end in harmed_services(finding) if end in reached]
    ways += [[*reached[a], b] for a, b in _cut(edges, finding) if a in reached]
    shortest = min(ways, key=len, default=[])
    return set(pairwise(shortest))
