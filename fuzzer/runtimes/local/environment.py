"""What a service's process is told: an environment in which its neighbours can be found.

In a compose network a neighbour is found by its name and its container's port; here everything is on
one machine, at the ports that compose publishes::

    ports: ["8302:8002"]                       of product-service
    PRODUCT_URL: http://product-service:8002   becomes http://127.0.0.1:8302
    BROKERS: kafka-a:9092,kafka-b:9092         becomes 127.0.0.1:19092,127.0.0.1:19093
    DB: postgres://me:secret@db:5432/orders    becomes postgres://me:secret@127.0.0.1:5432/orders

Only a name with a port, or one that is the host of a URL, is taken for an address. A bare name may be
anything (``SERVICE_NAME=checkout-service``), so it is left as it is; ``x-knockon.local.environment``
overrides whatever this cannot know.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from models.target import Service, Target

DATA_DIR = "KNOCKON_DATA_DIR"
HOST_VARIABLES = ("PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TMPDIR")
"""What a process gets from the machine, and every ``LC_…``: enough to run, too little to depend on."""

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


def host_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The few variables of this machine that every process gets."""
    return {k: v for k, v in environ.items() if k in HOST_VARIABLES or k.startswith("LC_")}


def service_environment(
    target: Target, service: str, environ: Mapping[str, str], data_dir: Path
) -> dict[str, str]:
    """The whole environment of one service's process; later sources override earlier ones.

    The machine's few variables, compose's with their addresses rewritten, those that
    ``x-knockon.local`` gives as they are, and ``KNOCKON_DATA_DIR``, a folder of the service's own.
    """
    mine = target.services[service]
    rewritten = {name: rewrite(value, target.services) for name, value in mine.environment.items()}
    given = mine.local.environment if mine.local else {}
    return {**host_environment(environ), **rewritten, **given, DATA_DIR: str(data_dir)}


def rewrite(value: str, services: Mapping[str, Service]) -> str:
    """The same value with every address of a service replaced by its published one."""
    if not services:
        return value
    names = "|".join(re.escape(name) for name in sorted(services, key=len, reverse=True))
    # `name:port`, not inside a longer name or path, and not a user with a password (`name:80@`).
    value = re.sub(
        rf"(?<![^\s,;=(\[\"'|@/])(?<!(?<!/)/)({names}):(\d{{1,5}})(?![\w.@:-])",
        lambda found: f"127.0.0.1:{_published(services[found[1]], int(found[2]))}",
        value,
    )
    # A URL without a port: `scheme://name`, `scheme://user:password@name/path`.
    return re.sub(
        rf"([a-z][a-z0-9+.-]*)(://(?:[^/?#\s@]*@)?)({names})(?=[/?#,;\s\"']|$)",
        lambda found: f"{found[1]}{found[2]}127.0.0.1{_implied(services[found[3]], found[1])}",
        value,
        flags=re.IGNORECASE,
    )


def _published(service: Service, container: int) -> int:
    """Where a container's port is on this machine; a port that is not published stays as it is."""
    for port in service.ports:
        if port.container == container and port.host is not None:
            return port.host
    return container


def _implied(service: Service, scheme: str) -> str:
    """``:port`` for a URL that names none: its scheme's, else the only one that is published."""
    published = {port.container: port.host for port in service.ports if port.host is not None}
    implied = DEFAULT_PORTS.get(scheme.lower().partition("+")[0])
    if implied in published:
        return f":{published[implied]}"
    return f":{next(iter(published.values()))}" if len(published) == 1 else ""
