"""Drives an edge proxy, ours or a real Toxiproxy, from outside; synchronous, for one thread at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from models.errors import RuntimeUnavailable
from models.toxic import Stream, Toxic

TOXIPROXYS = frozenset(
    ("latency", "bandwidth", "slow_close", "timeout", "reset_peer", "slicer", "limit_data")
)
"""The types of toxics that a real Toxiproxy knows."""

NOT_FOUND = 404


@dataclass(frozen=True, slots=True)
class ProxySpec:
    """An edge: its name, where callers connect to, and where the dependency is; both ``host:port``."""

    name: str
    listen: str
    upstream: str


class EdgeProxyClient:
    """Every method raises ``RuntimeUnavailable`` if the proxy does not answer, or refuses.

    Args:
        url: of its API, ``http://127.0.0.1:8474``.
        timeout_s: how long to wait for an answer.
    """

    def __init__(self, url: str, timeout_s: float = 5.0) -> None:
        self._url = url.rstrip("/")
        self._timeout_s = timeout_s
        self._session = requests.Session()
        self._session.trust_env = False  # HTTP_PROXY is meant for others
        # A kept connection may end at the very moment at which it is used again.
        once_more = Retry(total=1, connect=0, status=0, allowed_methods={"GET", "DELETE"})
        self._session.mount("http://", HTTPAdapter(max_retries=once_more))

    def close(self) -> None:
        """Let its connections go."""
        self._session.close()

    def version(self) -> str:
        """What the proxy says of itself."""
        return str(self._field(self._ask("GET", "/version"), "version"))

    def kinds(self) -> frozenset[str]:
        """The types of toxics that it knows."""
        answer = self._send("GET", "/toxics")
        return TOXIPROXYS if answer.status_code == NOT_FOUND else frozenset(self._value("/toxics", answer))

    def populate(self, specs: Sequence[ProxySpec]) -> dict[str, ProxySpec]:
        """Create proxies, or replace those of the same name; ports that were 0 are real in what returns."""
        wanted = [{"name": one.name, "listen": one.listen, "upstream": one.upstream} for one in specs]
        made = self._field(self._ask("POST", "/populate", wanted), "proxies")
        return {one["name"]: _spec(one) for one in made or ()}

    def proxies(self) -> dict[str, ProxySpec]:
        """All proxies by name, with the addresses where they listen."""
        return {name: _spec(one) for name, one in self._ask("GET", "/proxies").items()}

    def toxics(self, proxy: str) -> tuple[Toxic, ...]:
        """The toxics of a proxy, as it has them."""
        found = self._ask("GET", _path(proxy, "toxics"))
        return tuple(
            Toxic(one["type"], one["attributes"], Stream(one["stream"]), one["toxicity"], one["name"])
            for one in found
        )

    def add_toxic(self, proxy: str, toxic: Toxic) -> Toxic:
        """Add a toxic; returns it as the proxy has it, with its name."""
        one = self._ask("POST", _path(proxy, "toxics"), _wanted(toxic))
        return Toxic(one["type"], one["attributes"], Stream(one["stream"]), one["toxicity"], one["name"])

    def remove_toxics(self, proxy: str) -> None:
        """Remove all toxics of a proxy."""
        for toxic in self.toxics(proxy):
            path = _path(proxy, "toxics", toxic.name)
            answer = self._send("DELETE", path)
            if answer.status_code != NOT_FOUND:  # somebody else was quicker
                self._value(path, answer)

    def delete(self, proxy: str) -> None:
        """Remove a proxy, and every connection over it."""
        self._ask("DELETE", _path(proxy))

    def set_enabled(self, proxy: str, enabled: bool) -> None:
        """Let it listen, or let it refuse connections and drop those that are open."""
        self._ask("POST", _path(proxy), {"enabled": enabled})

    def reset(self) -> None:
        """Remove all toxics of all proxies, and enable all."""
        self._ask("POST", "/reset")

    def _ask(self, method: str, path: str, body: object = None) -> Any:
        return self._value(path, self._send(method, path, body))

    def _send(self, method: str, path: str, body: object = None) -> requests.Response:
        try:
            return self._session.request(
                method, f"{self._url}{path}", json=body, timeout=self._timeout_s, allow_redirects=False
            )
        except requests.RequestException as error:
            raise RuntimeUnavailable(
                f"the edge proxy at {self._url} does not answer ({method} {path}): {error}"
            ) from error

    def _value(self, path: str, answer: requests.Response) -> Any:
        try:
            value = answer.json() if answer.content else None
        except ValueError:
            value = None
        if not answer.ok:
            reason = value.get("error") if isinstance(value, dict) else answer.text[:200]
            raise RuntimeUnavailable(
                f"the edge proxy refused {answer.request.method} {path} ({answer.status_code}): {reason}"
            )
        if value is None and answer.content:
            raise RuntimeUnavailable(f"what answers at {self._url}{path} is no edge proxy")
        return value

    def _field(self, value: object, name: str) -> Any:
        if not isinstance(value, dict) or name not in value:
            raise RuntimeUnavailable(f"what answers at {self._url} is no edge proxy: no {name!r}")
        return value[name]


def _path(*names: str) -> str:
    return "/proxies/" + "/".join(quote(name, safe="") for name in names)


def _spec(shown: Mapping[str, Any]) -> ProxySpec:
    return ProxySpec(shown["name"], shown["listen"], shown["upstream"])


def _wanted(toxic: Toxic) -> dict[str, object]:
    wanted: dict[str, object] = {
        "type": toxic.kind,
        "stream": toxic.stream,
        "toxicity": toxic.toxicity,
        # Toxiproxy's attributes are integers, and 100.0 would be refused.
        "attributes": {k: int(v) if float(v).is_integer() else v for k, v in toxic.attributes.items()},
    }
    if toxic.name:
        wanted["name"] = toxic.name
    return wanted
