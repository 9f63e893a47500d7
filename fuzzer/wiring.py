"""Addresses of services in environment variables: found, and replaced by others.

In a compose network a neighbour is found by its name and its container's port. Where services run as
plain processes, or a proxy stands in between, the same variables have to say something else::

    PRODUCT_URL: http://product-service:8002
    BROKERS: kafka-a:9092,kafka-b:9092
    DB: postgres://me:secret@db:5432/orders

Only a name with a port, or one that is the host of a URL, is taken for an address. A bare name may be
anything (``SERVICE_NAME=checkout-service``), so it is left as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass

from models.target import Service
from models.wire import Wire

DEFAULT_PORTS = {
    "http": 80,
    "ws": 80,
    "https": 443,
    "wss": 443,
    "amqp": 5672,
    "mongodb": 27017,
    "mysql": 3306,
    "nats": 4222,
    "postgres": 5432,
    "postgresql": 5432,
    "redis": 6379,
}

_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*)://[^/?#\s]*$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Address:
    """An address as it was found: of which service, on which port of its container.

    Attributes:
        port: None where a URL names none and none can be told.
        written: whether the port was written out.
        scheme: of the URL, in lower case; "" outside of one.
    """

    service: str
    port: int | None
    written: bool
    scheme: str

    @property
    def as_written(self) -> str:
        """What stood there, for a ``place`` that changes some addresses only."""
        return f"{self.service}:{self.port}" if self.written else self.service


def rewrite(value: str, services: Mapping[str, Service], place: Callable[[Address], str]) -> str:
    """The same value with every address of a service replaced by what ``place`` says: ``host:port``."""
    if not services:
        return value
    names = "|".join(re.escape(name) for name in sorted(services, key=len, reverse=True))

    by_name = {name.lower(): name for name in services}  # a URL's host has no case

    def with_port(found: re.Match[str]) -> str:
        scheme = _SCHEME.search(value[: found.start()])
        return place(Address(found[1], int(found[2]), True, scheme[1].lower() if scheme else ""))

    def without_port(found: re.Match[str]) -> str:
        scheme, service = found[1].lower(), by_name[found[3].lower()]
        port = _implied(services[service], scheme)
        return f"{found[1]}{found[2]}{place(Address(service, port, False, scheme))}"

    # `name:port`, not inside a longer name or path, and not a user with a password (`name:80@`).
    pattern = rf"(?<![^\s,;=(\[\"'|@/])(?<!(?<!/)/)({names}):(\d{{1,5}})(?![\w.@:-])"
    value = re.sub(pattern, with_port, value)
    # A URL without a port: `scheme://name`, `scheme://user:password@name/path`.
    pattern = rf"([a-z][a-z0-9+.-]*)(://(?:[^/?#\s@]*@)?)({names})(?=[/?#,;\s\"']|$)"
    return re.sub(pattern, without_port, value, flags=re.IGNORECASE)


def wires(services: Mapping[str, Service], *, local: bool = False) -> tuple[Wire, ...]:
    """Every connection that a service's variables name, each once, in the order of the services.

    Variables that ``x-knockon.direct`` names are left out.

    Args:
        local: leave out variables that ``x-knockon.local`` sets to something else.
    """
    found: dict[tuple[str, str, int], Wire] = {}
    for caller, service in services.items():
        given = service.local.environment if local and service.local else {}
        for address in _addresses(service, services, {*given, *service.direct}):
            if address.service != caller and address.port is not None:
                wire = Wire(caller, address.service, address.port, address.scheme)
                known = found.setdefault((caller, address.service, address.port), wire)
                if not known.scheme:
                    found[caller, address.service, address.port] = wire
    return tuple(found.values())


def _addresses(
    service: Service, services: Mapping[str, Service], without: Container[str]
) -> Iterator[Address]:
    found: list[Address] = []

    def note(address: Address) -> str:
        found.append(address)
        return ""

    for name, value in service.environment.items():
        if name not in without:
            rewrite(value, services, note)
    yield from found


def _implied(service: Service, scheme: str) -> int | None:
    """The port of a URL that names none: its scheme's, else the only one that is published."""
    published = [port.container for port in service.ports if port.host is not None]
    usual = DEFAULT_PORTS.get(scheme.partition("+")[0])
    if usual is not None and (usual in published or len(published) != 1):
        return usual
    return published[0] if len(published) == 1 else None
