"""What a service is told from outside: environment variables, read once and never again.

| variable | meaning |
|---|---|
| PORT, BIND | where to listen; the container defaults are the service's own port on 0.0.0.0 |
| ORDERS_URL | front: where orders is, as in http://orders:8011 |
| DATABASE_URL | orders: where the database is, as in postgresql://user:password@db:5432/shop |
| PG_FLAWS | names from `pgshop.flaws`, separated by commas |
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Mapping

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)
PORTS = {"front": 8010, "orders": 8011}


class Settings:
    """One service's settings. A wrong value ends the process with one sentence and exit code 2."""

    def __init__(self, service: str, environ: Mapping[str, str]) -> None:
        if service not in PORTS:
            refuse(f"no service {service!r}; the services are: {', '.join(PORTS)}")
        port = environ.get("PORT") or str(PORTS[service])
        if not port.isdigit():
            refuse(f"PORT is {port!r}; it must be a number")
        self.service = service
        self.port = int(port)
        self.bind = environ.get("BIND") or "0.0.0.0"
        self.flaws = tuple(f.strip() for f in environ.get("PG_FLAWS", "").split(",") if f.strip())
        self.environ = environ

    def url(self, variable: str, example: str) -> str:
        """A variable that has to be there and to look like a URL."""
        url = self.environ.get(variable, "")
        if "://" not in url:
            refuse(f"{variable} is {url!r}; it must look like {example}")
        return url


def refuse(sentence: str) -> None:
    """End the process because it was asked for something that does not exist."""
    print(f"pgshop: {sentence}", file=sys.stderr, flush=True)
    raise SystemExit(2)


def log(service: str, event: str, **facts: object) -> None:
    """One line, at once; a log that cannot be written is no reason to stop serving."""
    rest = "".join(f" {key}={value}" for key, value in facts.items())
    with contextlib.suppress(OSError):
        os.write(1, f"{service} {event} ts={time.time():.6f} pid={os.getpid()}{rest}\n".encode())
