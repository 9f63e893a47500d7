"""What a service's process is told: an environment in which its neighbours can be found.

In a compose network a neighbour is found by its name and its container's port; here everything is on
one machine, at the ports that compose publishes, or where a proxy stands in between::

    ports: ["8302:8002"]                       of product-service
    PRODUCT_URL: http://product-service:8002   becomes http://127.0.0.1:8302
    BROKERS: kafka-a:9092,kafka-b:9092         becomes 127.0.0.1:19092,127.0.0.1:19093
    DB: postgres://me:secret@db:5432/orders    becomes postgres://me:secret@127.0.0.1:5432/orders

What is taken for an address stands in ``fuzzer/wiring.py``; ``x-knockon.local.environment`` overrides
whatever that cannot know.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from fuzzer.wiring import Address, rewrite
from models.target import Service, Target

DATA_DIR = "KNOCKON_DATA_DIR"
HOST_VARIABLES = ("PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TMPDIR")
"""What a process gets from the machine, and every ``LC_…``: enough to run, too little to depend on."""


def host_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The few variables of this machine that every process gets."""
    return {k: v for k, v in environ.items() if k in HOST_VARIABLES or k.startswith("LC_")}


def service_environment(
    target: Target,
    service: str,
    environ: Mapping[str, str],
    data_dir: Path,
    proxies: Mapping[tuple[str, str, int], str] | None = None,
) -> dict[str, str]:
    """The whole environment of one service's process; later sources override earlier ones.

    The machine's few variables, compose's with their addresses rewritten, those that
    ``x-knockon.local`` gives as they are, and ``KNOCKON_DATA_DIR``, a folder of the service's own.

    Args:
        proxies: ``host:port`` of the proxy on a connection: of a caller to a dependency on its port.
    """
    mine = target.services[service]
    place = published(target.services)

    def through_proxy(address: Address) -> str:
        between = (service, address.service, address.port or 0)
        return (proxies or {}).get(between) or place(address)

    rewritten = {
        name: rewrite(value, target.services, place if name in mine.direct else through_proxy)
        for name, value in mine.environment.items()
    }
    given = mine.local.environment if mine.local else {}
    return {**host_environment(environ), **rewritten, **given, DATA_DIR: str(data_dir)}


def published(services: Mapping[str, Service]) -> Callable[[Address], str]:
    """Where an address is on this machine; a port that is not published stays as it is."""

    def place(address: Address) -> str:
        ports = {port.container: port.host for port in services[address.service].ports}
        host = ports.get(address.port or 0)
        if host is None and not address.written:
            return "127.0.0.1"
        return f"127.0.0.1:{address.port if host is None else host}"

    return place
