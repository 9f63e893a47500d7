"""A fleet with proxies on its connections is read as the fleet that it is without them.

``knockon wire`` makes callers connect to ``knockon-edges:20001`` instead of ``db:5432``, and labels the
service that runs the proxies with what stands behind each port. Where that service is met, in a file or
in a running project, it is no part of the fleet, and addresses of its ports are read as what they lead
to. So dependencies, wires and limits do not depend on whether the override was given.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from fuzzer.targets.base import Place
from fuzzer.wiring import Address, rewrite
from models.proxied import EDGES_LABEL, WIRES_LABEL, Proxied, from_text
from models.target import Service


def read_proxies(places: Mapping[str, Place]) -> dict[str, tuple[Proxied, ...]]:
    """The services of a file that run proxies, and which; complains about a label that cannot be read."""
    return {name: _proxies(place) for name, place in places.items() if place.at("labels", EDGES_LABEL)}


def _proxies(service: Place) -> tuple[Proxied, ...]:
    label = service.at("labels", WIRES_LABEL)
    text = label.text("what `knockon wire` writes") if label else None
    if label is None or text is None:
        return ()
    try:
        return from_text(text)
    except ValueError as error:
        label.complain(f"what `knockon wire` writes ({error})")
        return ()


def led_directly(
    services: Mapping[str, Service], proxies: Mapping[str, Sequence[Proxied]]
) -> dict[str, Service]:
    """The services, with every address of a proxy replaced by the one that it leads to."""
    there = {name: Service(name) for name in proxies}
    ahead = {
        (name, one.listen): f"{one.wire.dependency}:{one.wire.port}"
        for name, every in proxies.items()
        for one in every
    }

    def place(address: Address) -> str:
        return ahead.get((address.service, address.port or 0)) or address.as_written

    return {name: replace(service, **_without(service, there, place)) for name, service in services.items()}


def _without(
    service: Service, proxies: Mapping[str, Service], place: Callable[[Address], str]
) -> dict[str, Any]:
    return {
        "environment": {key: rewrite(value, proxies, place) for key, value in service.environment.items()},
        "starts_after": {name: how for name, how in service.starts_after.items() if name not in proxies},
    }
