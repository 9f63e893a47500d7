"""Who depends on whom, from the best evidence to the weakest.

1. ``x-knockon.hard`` and ``soft`` say it outright.
2. ``depends_on`` is hard, and so is what compose starts in order like it (``links``,
   ``network_mode: service:…``).
3. A host name in an environment variable is an inferred edge: it counts as hard, and is pointed out,
   so that a forgotten declaration does not look like a cascade.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass

import networkx as nx

from fuzzer.targets.base import Place, nearest
from fuzzer.targets.hosts import inferred_edges
from models.compose_nodes import MapNode, is_nothing, quoted
from models.compose_spec import COMPLETED, CONDITIONS, DEPENDS_ON_KEYS, EXTENSION
from models.target import Condition
from models.topology import Dependency, Source, Strength


@dataclass(frozen=True, slots=True)
class Caller:
    """A service of the file, as far as its dependencies are concerned."""

    name: str
    place: Place
    environment: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Known:
    """The names that a dependency may have. Edges to ``absent`` services are left out silently."""

    fleet: Set[str]
    absent: Set[str]

    def check(self, place: Place, name: str, caller: str) -> bool:
        """Whether an edge to ``name`` is to be kept; complains when it can be none."""
        if name == caller:
            place.complain("another service", found="the service itself")
            return False
        if name not in self.fleet and name not in self.absent:
            place.complain(f"the name of a service{nearest(name, self.fleet)}", found=quoted(name))
        return name in self.fleet


def read_edges(callers: Sequence[Caller], known: Known) -> tuple[list[Dependency], list[str]]:
    """All edges between the callers, each pair once, and remarks about those that were inferred.

    Complains about names that do not exist, and about cycles of ``depends_on``.
    """
    names = _host_names(callers)
    ordered: dict[tuple[str, str], Place] = {}
    edges: list[Dependency] = []
    notes: list[str] = []
    for caller in callers:
        found: dict[str, Dependency] = {}
        for name, place in _started_after(caller.place):
            if known.check(place, name, caller.name):
                ordered[caller.name, name] = place
                found[name] = Dependency(caller.name, name, Strength.HARD, Source.DEPENDS_ON)
        for name, strength in _declared(caller, known):
            found[name] = Dependency(caller.name, name, strength, Source.DECLARED)
        for edge, note in inferred_edges(caller.name, caller.environment, names, found):
            found[edge.dependency] = edge
            notes.append(note)
        edges += found.values()
    _refuse_cycles(ordered)
    return edges, notes


def completed_by_others(places: Iterable[Place]) -> set[str]:
    """Services that somebody waits for to end: they run once, and are down on purpose after that."""
    return {name for place in places for name, condition in _conditions(place) if condition.word == COMPLETED}


def read_conditions(place: Place) -> dict[str, Condition]:
    """What compose waits for before it starts a service; what is wrong there is told with the edges."""
    known = {condition.value: condition for condition in Condition}
    words = {name: how.get("condition") for name, how in _depends_on(place)}
    return {
        name: known[(word and word.word) or Condition.STARTED]
        for name, word in words.items()
        if word is None or word.word in known
    }


def _conditions(place: Place) -> Iterator[tuple[str, Place]]:
    for name, how in _depends_on(place):
        condition = how.get("condition")
        if condition is not None:
            yield name, condition


def _depends_on(place: Place) -> Iterator[tuple[str, Place]]:
    depends_on = place.get("depends_on")
    if depends_on is not None:
        yield from depends_on.entries("names of services, or a mapping of them")


def _started_after(place: Place) -> Iterator[tuple[str, Place]]:
    """Services that compose starts before this one, and where it says so."""
    for name, how in _depends_on(place):
        _check_condition(how)
        yield name, how
    for key in ("links", "volumes_from"):
        for item in _children(place.get(key)):
            name = (item.word or "").partition(":")[0]
            if name and (name, key) != ("container", "volumes_from"):
                yield name, item
    for key in ("network_mode", "ipc", "pid"):
        value = place.get(key)
        if value and value.word and value.word.startswith("service:"):
            yield value.word.removeprefix("service:"), value


def _check_condition(how: Place) -> None:
    if is_nothing(how.node):
        return
    if not isinstance(how.node, MapNode):
        how.complain("a mapping with a condition")
    how.check_keys(DEPENDS_ON_KEYS, "depends_on")
    condition = how.get("condition")
    text = condition.text(f"one of {', '.join(CONDITIONS)}") if condition else None
    if condition and text is not None and text not in CONDITIONS:
        condition.complain(f"one of {', '.join(CONDITIONS)}{nearest(text, CONDITIONS)}")


def _declared(caller: Caller, known: Known) -> Iterator[tuple[str, Strength]]:
    hard = _children(caller.place.at(EXTENSION, "hard"))
    soft = _children(caller.place.at(EXTENSION, "soft"))
    needed = {item.word for item in hard}
    for strength, items in ((Strength.HARD, hard), (Strength.SOFT, soft)):
        for item in items:
            if item.word is None:
                continue  # no text: complained about where the keys were checked
            if strength is Strength.SOFT and item.word in needed:
                item.complain("each name under hard or under soft", found=f"{quoted(item.word)} under both")
            elif known.check(item, item.word, caller.name):
                yield item.word, strength


def _refuse_cycles(ordered: Mapping[tuple[str, str], Place]) -> None:
    """One complaint for each knot of services that wait for one another."""
    graph: nx.DiGraph[str] = nx.DiGraph(list(ordered))
    for knot in nx.strongly_connected_components(graph):
        if len(knot) > 1:
            # Not a subgraph view, whose order, and with it the cycle that is shown, changes from run to run.
            inside: nx.DiGraph[str] = nx.DiGraph([edge for edge in ordered if knot.issuperset(edge)])
            cycle = [edge[0] for edge in nx.find_cycle(inside)]
            shown = " -> ".join([*cycle[:10], *(["…"] if len(cycle) > 10 else []), cycle[0]])
            place = ordered[cycle[0], cycle[1]]
            place.complain(
                "depends_on without a cycle, since compose refuses one", found=f"the cycle {shown}"
            )


def _host_names(callers: Sequence[Caller]) -> dict[str, str]:
    """The service behind each name that a container can be called by, in lower case."""
    names = {caller.name.lower(): caller.name for caller in callers}
    for caller in callers:
        places = [caller.place.get("container_name"), caller.place.get("hostname")]
        for network in _children(caller.place.get("networks")):
            places += _children(network.get("aliases"))
        for place in places:
            if place and place.word:
                names.setdefault(place.word.lower(), caller.name)
    return names


def _children(place: Place | None) -> list[Place]:
    return list(place.children()) if place else []
