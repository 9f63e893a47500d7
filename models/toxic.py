"""What may be done to the connections of a link, in the words of Toxiproxy.

Names, attributes and units are those of its documentation (github.com/Shopify/toxiproxy, README,
"Toxics"): milliseconds, KB/s, bytes. ``http_error`` and ``loss`` are our own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

REFUSING = "refusing"
"""No toxic but a proxy that is switched off: nobody listens any more. Every proxy can do that."""

SILENCE = "silence"
"""No toxic of its own either, but a ``timeout`` of 0: nothing comes through, for ever. A kernel can do that,
and a proxy; to end the connection after a while takes a proxy."""


class Stream(StrEnum):
    """Which way the bytes go that a toxic changes."""

    UPSTREAM = "upstream"
    """From the caller to the dependency."""
    DOWNSTREAM = "downstream"
    """From the dependency to the caller."""


@dataclass(frozen=True, slots=True)
class Toxic:
    """Something to do to a connection; its attributes and their units are listed in ``docs/edge-proxy.md``.

    Attributes:
        toxicity: the share of connections that it hits, from 0 to 1; for ``http_error``, of requests.
        name: unique on its proxy; where it is empty, the proxy makes one: ``latency_downstream``.
    """

    kind: str
    attributes: Mapping[str, float] = field(default_factory=dict)
    stream: Stream = Stream.DOWNSTREAM
    toxicity: float = 1.0
    name: str = ""
