"""Connections between services that lead through proxies: poisoned, cleansed, and asked over.

Whoever runs the proxies (this process, a container, a Toxiproxy server somewhere) is driven by the same
HTTP API. One proxy stands on each wire: a caller, a dependency, a port.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from urllib.parse import urlsplit

from fuzzer.edges.client import EdgeProxyClient
from fuzzer.probes import question
from fuzzer.runtimes.base import Undo
from models.answer import Answer
from models.bearing import Bearing
from models.errors import StepInvalid
from models.link import Link
from models.target import Service
from models.toxic import REFUSING, Toxic
from models.wire import Wire

NO_PROXY = "no proxy stands on it"


class Links:
    """Meets what ``CanPoison`` asks for.

    Args:
        client: drives the proxies.
        wires: those that have a proxy, each with where it listens, as seen from here.
        services: tell what a dependency can be asked for.
        harmable: the connections that may be poisoned; None for all. Every one is cleansed.
    """

    def __init__(
        self,
        client: EdgeProxyClient,
        wires: Mapping[Wire, tuple[str, int]],
        services: Mapping[str, Service],
        harmable: Collection[tuple[str, str]] | None = None,
    ) -> None:
        self._client = client
        self._harmable = harmable
        self._wires = dict(wires)
        self._services = services
        self.bearing = Bearing.of_proxy(client.kinds())

    @property
    def edges(self) -> Sequence[tuple[str, str]]:
        """Caller and dependency of each connection that has a proxy."""
        return list(dict.fromkeys(wire.edge for wire in self._wires))

    def poison(self, link: str, toxics: Sequence[Toxic]) -> None:
        """Add toxics to every connection of a link.

        Raises:
            StepInvalid: no connection of it has a proxy.
            RuntimeUnavailable: the proxies do not answer.
        """
        wires = [w for w in self._on(link) if self._harmable is None or w.edge in self._harmable]
        if not wires:
            raise StepInvalid(f"{link}: no proxy stands on any connection of it that faults may touch")
        for wire in wires:
            for toxic in toxics:
                if toxic.kind == REFUSING:
                    self._client.set_enabled(wire.name, False)
                else:
                    self._client.add_toxic(wire.name, toxic)

    def cleanse(self, undo: Undo) -> None:
        """Take every toxic off the links, and let their proxies listen again. Idempotent."""
        for wire in dict.fromkeys(wire for link in undo.targets for wire in self._on(link)):
            self._client.set_enabled(wire.name, True)
            self._client.remove_toxics(wire.name)

    def asks(self, caller: str, dependency: str) -> bool:
        """Whether there is a question for what is spoken there."""
        return any(question.is_known(wire.scheme) for wire in self._between(caller, dependency))

    def ask(self, caller: str, dependency: str, timeout_s: float) -> Answer:
        """Ask the dependency through the proxy of its caller."""
        wire = next(w for w in self._between(caller, dependency) if question.is_known(w.scheme))
        url = self._services[dependency].health.url
        path = urlsplit(url).path if url and wire.scheme == "http" else ""
        return question.ask(self._wires[wire], wire.scheme, dependency, path or "/", timeout_s)

    def _on(self, link: str) -> list[Wire]:
        covering = Link.parse(link)
        return [wire for wire in self._wires if covering and covering.covers(*wire.edge)]

    def _between(self, caller: str, dependency: str) -> list[Wire]:
        return [wire for wire in self._wires if wire.edge == (caller, dependency)]


class Linked:
    """Meets ``CanPoison`` for a runtime whose connections lead through proxies, if they do."""

    def __init__(self) -> None:
        self._links: Links | None = None

    def edges(self) -> Sequence[tuple[str, str]]:
        """Caller and dependency of each connection that can be harmed; none if nothing is wired."""
        return self._links.edges if self._links else ()

    def bears(self, caller: str, dependency: str) -> Bearing:
        """The kinds of toxics that this connection can have here."""
        if self._links and (caller, dependency) in self._links.edges:
            return self._links.bearing
        return Bearing(lacks={"": "no connection leads through a proxy" if not self._links else NO_PROXY})

    def poison(self, link: str, toxics: Sequence[Toxic]) -> None:
        """Add toxics to every connection of a link; they last until undone."""
        self._wired.poison(link, toxics)

    def asks(self, caller: str, dependency: str) -> bool:
        """Whether there is a question that this dependency would answer."""
        return self._wired.asks(caller, dependency)

    def ask(self, caller: str, dependency: str, timeout_s: float) -> Answer:
        """Ask the dependency something harmless, over the same way as its caller."""
        return self._wired.ask(caller, dependency, timeout_s)

    def cleanse(self, undo: Undo) -> None:
        """Take every toxic off; nothing to do where nothing is wired."""
        if self._links:
            self._links.cleanse(undo)

    @property
    def _wired(self) -> Links:
        if self._links is None:
            raise StepInvalid("no connection leads through a proxy here")
        return self._links
