"""Faults of connections on which no proxy stands: done to packets, by helpers in the containers' networks.

What is asked for is kept as a whole, and each change puts the whole in place anew: rules for the addresses
that the containers have now. A container that starts has a new network, without rules and without its
helper, and often another address; so what is in force is put there again then, and half a minute is the
longest that an address which changed otherwise goes unnoticed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from threading import Event as Flag
from threading import RLock, Thread
from urllib.parse import urlsplit

from fuzzer.netns.rule import Rule
from fuzzer.probes import question
from fuzzer.runtimes.base import Undo, at_once
from fuzzer.runtimes.docker.containers import Look
from fuzzer.runtimes.docker.fleet import Fleet
from fuzzer.runtimes.docker.lives import Event
from fuzzer.runtimes.docker.neighbours import Neighbours
from fuzzer.runtimes.docker.packets import Ends, merged
from models.answer import Answer
from models.bearing import Bearing
from models.errors import Inconclusive, StepInvalid
from models.target import Target
from models.toxic import Toxic

LOOK_EVERY_S = 30.0
"""Helpers end when nobody says anything to them for two minutes (``neighbour.TTL_S``)."""

Edge = tuple[str, str]


class Kernel:
    """Keeps rules in force, and notices when they go.

    Args:
        target: whose connections; those of services that have a network of another kind are left out.
        fleet: its containers.
        neighbours: lends helpers.
        look: looks at a container; None when it is gone.
        lost: takes a sentence when rules were lost that should be in force.
    """

    def __init__(
        self,
        target: Target,
        fleet: Fleet,
        neighbours: Neighbours,
        look: Callable[[str], Look | None],
        lost: Callable[[str], None],
    ) -> None:
        own = {name for name, service in target.services.items() if service.networks}
        self._wires = [w for w in target.wires if w.edge in target.edges and own.issuperset(w.edge)]
        self._services = target.services
        self._fleet = fleet
        self._neighbours = neighbours
        self._look = look
        self._lost = lost
        self._poisoned: dict[Edge, list[Toxic]] = {}
        self._lock = RLock()
        self._turn = count()
        self._wake, self._closing = Flag(), Flag()
        self._thread: Thread | None = None

    @property
    def edges(self) -> list[Edge]:
        """Caller and dependency of each connection between containers with networks of their own."""
        return list(dict.fromkeys(wire.edge for wire in self._wires))

    @property
    def bearing(self) -> Bearing:
        """What can be done to them here; tried out when it is first asked for."""
        return self._neighbours.bearing

    # What is done to them.

    def poison(self, edges: Sequence[Edge], toxics: Sequence[Toxic]) -> None:
        """Add toxics to these connections.

        Raises:
            StepInvalid: a container has no address, or the kernel refuses.
            RuntimeUnavailable: the engine does not answer.
        """
        with self._lock:
            for edge in edges:
                self._poisoned.setdefault(edge, []).extend(toxics)
            for edge in edges:
                if not all(ends.callers and ends.dependencies for ends in self._ends(edge)):
                    raise StepInvalid(f"{' -> '.join(edge)}: one of them has no address in any network now")
            self._put()

    def cleanse(self, edges: Sequence[Edge], undo: Undo) -> None:
        """Take every toxic off; where another process put rules, take its remains away. Idempotent."""
        with self._lock:
            if [edge for edge in edges if self._poisoned.pop(edge, None)]:
                self._put()
        left: list[str] = json.loads(undo.detail) if undo.detail else []
        if left:
            at_once(self._wash, left)

    def remember(self, edges: Sequence[Edge]) -> str:
        """The containers in whose networks there may be rules for these connections; "" for none."""
        names = dict.fromkeys(name for edge in edges for name in edge)
        there = [life.container.id for name in names for life in self._fleet.of(name)]
        return json.dumps(there) if there else ""

    def _wash(self, container: str) -> None:
        """Rules have ended with their helper; queues may be there still."""
        seen = self._look(container)
        if seen and seen.addresses:
            self._neighbours.put(container, seen.started_s, [])

    # Asking.

    def asks(self, edge: Edge) -> bool:
        """Whether there is a question for what is spoken there."""
        return any(wire.edge == edge and question.is_known(wire.scheme) for wire in self._wires)

    def ask(self, edge: Edge, timeout_s: float) -> Answer:
        """Ask the dependency from the network of its caller; of several containers, each in its turn.

        Raises:
            StepInvalid: none of the caller's runs, or the dependency has no address.
        """
        wire = next(w for w in self._wires if w.edge == edge and question.is_known(w.scheme))
        callers, others = self._running(wire.caller), self._running(wire.dependency)
        if not callers or not others:
            raise StepInvalid(f"{' -> '.join(edge)}: one of them does not run")
        turn = next(self._turn)
        container, seen = list(callers.items())[turn % len(callers)]
        url = self._services[wire.dependency].health.url
        path = urlsplit(url).path if url and wire.scheme == "http" else ""
        address = list(others.values())[turn % len(others)].addresses[0]
        return self._neighbours.ask(container, seen.started_s, wire, address, path or "/", timeout_s)

    # Keeping them.

    def watch(self) -> None:
        """Keep rules in force by themselves, until ``close``."""
        self._thread = Thread(target=self._run, name="knockon-docker-kernel", daemon=True)
        self._thread.start()

    def heard(self, event: Event) -> None:
        """One event of the project."""
        if event.action == "start" and not event.one_off:
            self._wake.set()

    def missed(self) -> None:
        """Events were missed: look at what there is now."""
        self._wake.set()

    def close(self) -> None:
        """Take everything away."""
        self._closing.set()
        self._wake.set()
        if self._thread:
            self._thread.join()
        with self._lock:
            self._poisoned.clear()
            self._neighbours.close()

    def _run(self) -> None:
        while not self._closing.is_set():
            self._wake.wait(LOOK_EVERY_S)
            self._wake.clear()
            with self._lock:
                if self._closing.is_set():
                    return
                self._again()

    def _again(self) -> None:
        self._neighbours.ping()
        if not self._poisoned:
            return
        try:
            self._put()
        except Inconclusive as error:
            self._lost(f"faults of connections could not be kept in force: {error}")

    def _put(self) -> None:
        """Put in place what is to be in force now, wherever that is not so already."""
        wanted = self._wanted()
        self._neighbours.keep(wanted)
        if wanted:
            at_once(lambda container: self._put_one(container, wanted[container]), list(wanted))

    def _put_one(self, container: str, rules: list[Rule]) -> None:
        seen = self._look(container)
        if seen is None or not seen.addresses:
            return  # it has just ended; its next start will be heard
        try:
            self._neighbours.put(container, seen.started_s, rules)
        except Inconclusive:
            now = self._look(container)
            if now and now.addresses and now.started_s == seen.started_s:
                raise

    def _wanted(self) -> dict[str, list[Rule]]:
        found: dict[str, list[Rule]] = {}
        for edge, toxics in self._poisoned.items():
            for ends in self._ends(edge):
                for container, rules in ends.rules(toxics).items():
                    found.setdefault(container, []).extend(rules)
        return {container: merged(rules) for container, rules in found.items() if rules}

    def _ends(self, edge: Edge) -> list[Ends]:
        callers, others = (
            {container: seen.addresses for container, seen in self._running(name).items()} for name in edge
        )
        return [Ends(callers, others, wire.port) for wire in self._wires if wire.edge == edge]

    def _running(self, service: str) -> Mapping[str, Look]:
        """Its containers that have addresses now."""
        looks = {life.container.id: self._look(life.container.id) for life in self._fleet.of(service)}
        return {container: seen for container, seen in looks.items() if seen and seen.addresses}
