"""What a load sends: endpoints with weights, a rate, a shape; and what it was answered.

An endpoint is ``method path`` on a service. Which faults excuse its bad answers follows from what it
needs: the service that it enters, and whatever that hard-depends on; or what the target names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from models.histogram import Histogram

ID = "{id}"
"""Stands in a path, body or header for a word that no other request has."""

LATE_MS = 50.0
"""A request that its engine sent later than this after it was due proves nothing about the fleet."""


@dataclass(frozen=True, slots=True)
class Durable:
    """How to read back what a request wrote.

    Attributes:
        entry: the service that is asked.
        path: where, with ``{id}`` for the record's id.
        id: the key of the JSON answer that holds the id; None when the request itself made it up
            with ``{id}``.
    """

    entry: str
    path: str
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One kind of request.

    Attributes:
        name: ``POST /checkout``; unique within its load.
        weight: its share of the load, relative to the others.
        needs: the services that it cannot do without, beside ``entry``; None for whatever ``entry``
            hard-depends on.
        expect: text that a good answer contains.
        durable: set when a good answer acknowledges a write.
    """

    name: str
    entry: str
    method: str = "GET"
    path: str = "/"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str | None = None
    weight: float = 1.0
    needs: tuple[str, ...] | None = None
    expect: str | None = None
    durable: Durable | None = None


@dataclass(frozen=True, slots=True)
class Load:
    """Requests that a scenario may send: ``rate_rps`` in all, each given up after ``timeout_s``."""

    name: str
    endpoints: tuple[Endpoint, ...]
    rate_rps: float = 20.0
    timeout_s: float = 5.0

    @property
    def services(self) -> tuple[str, ...]:
        """Every service that is asked, reading back included, each once."""
        entries = [endpoint.entry for endpoint in self.endpoints]
        entries += [endpoint.durable.entry for endpoint in self.endpoints if endpoint.durable]
        return tuple(dict.fromkeys(entries))


class Shape(StrEnum):
    """How requests are spread over the time of a load; its mean rate is the same in each."""

    STEADY = "steady"
    """Evenly."""
    RAMP = "ramp"
    """From nothing to twice the rate, growing evenly."""
    BURST = "burst"
    """All requests of a second at its beginning."""


class Phase(StrEnum):
    """When a load runs, as seen from the scenario."""

    BEFORE = "before"
    """Before the first step: what is normal here and now."""
    DURING = "during"
    """From the first step until the fleet is steady again."""
    AFTER = "after"
    """Once everything is healed and steady."""


@dataclass(frozen=True, slots=True)
class LoadRun:
    """One run of the load engine, or of an outside tool.

    Attributes:
        ended_s: None while it runs.
        trouble: what was wrong with the engine itself, "" if nothing: then its figures prove nothing.
    """

    load: Load
    phase: Phase
    rate_rps: float
    began_s: float
    ended_s: float | None = None
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """One request of a load.

    Attributes:
        intended_s: when it was due, seconds of the runtime's clock. Latency counts from here.
        lag_ms: how much later than that it was sent, or its answer read, by the engine's own fault.
        status: None when no answer came.
        error: why it counts as bad: refused, reset, timeout, dns, tls, unreachable, garbage, too-large,
            unsent, wrong-body; "" for any complete answer, also one of 500.
        written: the id of what it wrote, where the answer acknowledges that.
    """

    load: str
    endpoint: str
    intended_s: float
    latency_ms: float
    status: int | None
    error: str = ""
    lag_ms: float = 0.0
    written: str = ""

    @property
    def good(self) -> bool:
        """Answered, completely, as expected, and not with a server error."""
        return self.status is not None and self.status < 500 and not self.error

    @property
    def late(self) -> bool:
        """Whether it was sent too late by the engine's own fault, or not at all."""
        return self.lag_ms > LATE_MS or self.error == "unsent"

    @property
    def ended_s(self) -> float:
        """When the answer was there, or it was given up."""
        return self.intended_s + self.latency_ms / 1000

    @property
    def kind(self) -> str:
        """What became of it in a word: ``ok``, an error, ``HTTP 503``."""
        return "ok" if self.good else self.error or f"HTTP {self.status}"


@dataclass(frozen=True)
class Summary:
    """What became of many requests of an outside tool that tells of no single ones.

    Attributes:
        endpoint: ``GET /products``, or ``(all)`` where the tool does not tell endpoints apart.
        failed: those without a complete answer, or with a server error.
        kinds: how many failed in which way, as far as the tool tells.
        latency: ms.
    """

    load: str
    endpoint: str
    sent: int
    failed: int
    kinds: Mapping[str, int]
    latency: Histogram


@dataclass(frozen=True, slots=True)
class Written:
    """What a client was told at ``at_s``: it is stored under this id."""

    load: str
    endpoint: str
    id: str
    at_s: float
    durable: Durable


class Fate(StrEnum):
    """What became of an acknowledged write, as it is read back after healing."""

    FOUND = "found"
    LOST = "lost"
    UNREADABLE = "unreadable"
    """The read failed or told nothing: that proves nothing either way."""


@dataclass(frozen=True, slots=True)
class ReadBack:
    """One acknowledged write, read back."""

    load: str
    endpoint: str
    id: str
    written_s: float
    fate: Fate
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Calls:
    """A caller's own count: until ``at_s`` it had sent ``count`` requests to ``dependency``.

    Counts grow from the first look at them, through restarts of the caller.
    """

    caller: str
    dependency: str
    at_s: float
    count: int
