"""What a compose project says about the proxies on its connections: two labels on one container.

``knockon wire`` writes them, and whoever meets the project later reads them::

    knockon.edges: "1"          here run proxies, which are no part of the fleet
    knockon.wires: '[{"name": "shop--db--5432", "listen": "0.0.0.0:20001", "upstream": "db:5432", …}]'

The second holds Toxiproxy's own list of proxies, the same that the proxies are started with, and
beside it what is spoken on each connection. So what was written as ``knockon-edges:20001`` can be read
as ``db:5432`` again, and a fleet with proxies is the same fleet as without.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from models.wire import Wire

EDGES_LABEL = "knockon.edges"
"""Marks the one service, or container, that runs the proxies."""

WIRES_LABEL = "knockon.wires"
"""Its proxies, as JSON."""

EVERYWHERE = "0.0.0.0"  # noqa: S104 - within the container, for whoever shares a network with it


@dataclass(frozen=True, slots=True)
class Proxied:
    """A wire with a proxy on it; ``listen`` is its port in the proxies' container."""

    wire: Wire
    listen: int

    def to_json(self) -> dict[str, str]:
        """What Toxiproxy needs of it, and the scheme."""
        wire = self.wire
        return {
            "name": wire.name,
            "listen": f"{EVERYWHERE}:{self.listen}",
            "upstream": f"{wire.dependency}:{wire.port}",
            "scheme": wire.scheme,
        }


def to_text(proxied: Iterable[Proxied]) -> str:
    """A JSON list, one proxy a line."""
    return "[\n" + ",\n".join(json.dumps(one.to_json()) for one in proxied) + "\n]"


def from_text(text: str) -> tuple[Proxied, ...]:
    """Read what ``to_text`` wrote.

    Raises:
        ValueError: it is something else.
    """
    found = json.loads(text)
    if not isinstance(found, Sequence) or isinstance(found, str):
        raise ValueError("expected a list")
    return tuple(map(_proxied, found))


def _proxied(data: object) -> Proxied:
    if not isinstance(data, dict):
        raise ValueError("expected an object for each proxy")
    words = {key: data.get(key) for key in ("name", "listen", "upstream", "scheme")}
    for key, word in words.items():
        if not isinstance(word, str):
            raise ValueError(f"expected text under {key!r}")
    dependency, _, port = str(words["upstream"]).rpartition(":")
    # Any part may hold dashes: the name is read from its end, which the upstream tells.
    caller = str(words["name"]).removesuffix(f"--{dependency}--{port}")
    listen = str(words["listen"]).rpartition(":")[2]
    return Proxied(Wire(caller, dependency, int(port), str(words["scheme"])), int(listen))
