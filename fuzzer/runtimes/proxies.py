"""Who lends proxies: a process of our own, or a Toxiproxy server that runs already.

Both speak the same HTTP API. Our own process ends with this one, however that ends; on a server of
somebody else's each run has proxies of its own, which it takes away again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from fuzzer.edges.client import EdgeProxyClient, ProxySpec
from fuzzer.edges.process import EdgeProcess
from fuzzer.runtimes.borrowed import noted
from models.errors import RequestError
from models.wire import Wire

DIRECT = "off"
"""Instead of a server's URL: no proxies."""


@dataclass(frozen=True)
class Listening:
    """Proxies that listen.

    Attributes:
        client: drives them.
        wires: the connection that each stands on, and where it listens.
    """

    client: EdgeProxyClient
    wires: Mapping[Wire, tuple[str, int]]


class Proxies(Protocol):
    """Lends a proxy for each wire."""

    def lent(self, upstream: Mapping[Wire, str]) -> AbstractContextManager[Listening]:
        """Proxies for as long as the context lasts; ``upstream`` is where each leads to, ``host:port``.

        Raises:
            RuntimeUnavailable: they do not answer.
        """
        ...


class OwnProxies:
    """A process of our own, that ends with us."""

    @contextmanager
    def lent(self, upstream: Mapping[Wire, str]) -> Iterator[Listening]:
        """See ``Proxies``."""
        with EdgeProcess(_specs(upstream, "127.0.0.1")) as process:
            yield Listening(process.client, _places(process.client, upstream))


class ServerProxies:
    """A Toxiproxy server that runs already.

    Args:
        url: where its API is found; its proxies have to be reached at the same host.
        state: the folder in which is written down what has to be taken away if we are killed.
    """

    def __init__(self, url: str, state: Path) -> None:
        parts = urlsplit(url)
        if parts.scheme != "http" or not parts.hostname:
            raise RequestError(
                f"--edge-proxy {url}: expected off, or the URL of a Toxiproxy server, as http://127.0.0.1:8474"
            )
        self._url = url
        self._state = state
        self._host = parts.hostname

    @contextmanager
    def lent(self, upstream: Mapping[Wire, str]) -> Iterator[Listening]:
        """See ``Proxies``. Proxies that an earlier run of the same target left behind are replaced."""
        client = EdgeProxyClient(self._url)
        specs = _specs(upstream, self._host)
        with noted(self._state, self._url, [spec.name for spec in specs]):
            try:
                client.populate(specs)
                yield Listening(client, _places(client, upstream))
            finally:
                for name in client.proxies().keys() & {spec.name for spec in specs}:
                    client.delete(name)


def proxies_at(url: str | None, state: Path) -> Proxies:
    """Those of a server, or our own.

    Raises:
        RequestError: this is no URL of a server.
    """
    return ServerProxies(url, state) if url else OwnProxies()


def _specs(upstream: Mapping[Wire, str], host: str) -> list[ProxySpec]:
    return [ProxySpec(wire.name, f"{host}:0", where) for wire, where in upstream.items()]


def _places(client: EdgeProxyClient, upstream: Mapping[Wire, str]) -> dict[Wire, tuple[str, int]]:
    """Where each proxy listens; the server chose the ports."""
    proxies = client.proxies()
    places = {}
    for wire in upstream:
        host, _, port = proxies[wire.name].listen.rpartition(":")
        places[wire] = host.strip("[]"), int(port)
    return places
