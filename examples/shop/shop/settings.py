"""What a service is told from outside: environment variables, read once and never again.

| variable | meaning |
|---|---|
| PORT, BIND | where to listen; the container defaults are the service's own port on 0.0.0.0 |
| PRODUCT_URL, CHECKOUT_URL, USER_URL, ANALYTICS_URL, ORDERS_DB_URL | where the others are |
| SHOP_MODE | `hardened` (default) or `fragile` |
| SHOP_FLAWS | names from `shop.flaws`, separated by commas |
| DATA_DIR, else KNOCKON_DATA_DIR, else the current folder | where files go |
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Mapping

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)
PORTS = {
    "api-gateway": 8001,
    "product-service": 8002,
    "checkout-service": 8003,
    "user-service": 8004,
    "analytics-service": 8005,
    "orders-db": 8006,
}
URLS = {
    "product-service": "PRODUCT_URL",
    "checkout-service": "CHECKOUT_URL",
    "user-service": "USER_URL",
    "analytics-service": "ANALYTICS_URL",
    "orders-db": "ORDERS_DB_URL",
}


class Settings:
    """One service's settings. A wrong value ends the process with one sentence and exit code 2."""

    def __init__(self, service: str, environ: Mapping[str, str]) -> None:
        if service not in PORTS:
            refuse(f"no service {service!r}; the services are: {', '.join(PORTS)}")
        mode = environ.get("SHOP_MODE") or "hardened"
        if mode not in ("fragile", "hardened"):
            refuse(f"SHOP_MODE is {mode!r}; it can be fragile or hardened")
        self.service = service
        self.mode = mode
        self.fragile = mode == "fragile"
        self.flaws = tuple(f.strip() for f in environ.get("SHOP_FLAWS", "").split(",") if f.strip())
        if self.flaws and self.fragile:
            refuse("SHOP_FLAWS needs SHOP_MODE=hardened: the fragile shop has every flaw that it wants")
        self.bind = environ.get("BIND") or "0.0.0.0"
        port = environ.get("PORT") or str(PORTS[service])
        if not port.isdigit():
            refuse(f"PORT is {port!r}; it must be a number")
        self.port = int(port)
        self.data_dir = environ.get("DATA_DIR") or environ.get("KNOCKON_DATA_DIR") or "."
        self.environ = environ

    def file(self, name: str) -> str:
        """The path of a file of this service's own, in a folder that exists."""
        os.makedirs(self.data_dir, exist_ok=True)
        return os.path.join(self.data_dir, f"{self.service}.{name}")

    def address(self, service: str) -> tuple[str, int]:
        """Host and port of another service: from its URL, else guessed as `neighbour` does."""
        url = self.environ.get(URLS[service], "")
        if not url:
            return self.neighbour(service)
        host, _, port = url.partition("://")[2].partition("/")[0].partition(":")
        if not host or not (port or "80").isdigit():
            refuse(f"{URLS[service]} is {url!r}; it must look like http://{service}:{PORTS[service]}")
        return host, int(port or 80)

    def neighbour(self, service: str) -> tuple[str, int]:
        """Where a service stands by convention, whatever the URLs say.

        In containers that is its name and usual port. Local copies share one port prefix, so the
        own port says where the others are: 8104 looks for product-service at 8102.
        """
        if self.bind.startswith("127."):
            return self.bind, int(str(self.port)[:-1] + str(PORTS[service])[-1])
        return service, PORTS[service]


def refuse(sentence: str) -> None:
    """End the process because it was asked for something that does not exist."""
    print(f"shop: {sentence}", file=sys.stderr, flush=True)
    raise SystemExit(2)


def log(service: str, event: str, **facts: object) -> None:
    """One line, at once, with a time that can be compared with a prober's clock.

    A log that cannot be written (whoever read it is gone) is no reason to stop serving.
    """
    rest = "".join(f" {key}={value}" for key, value in facts.items())
    line = f"{service} {event} ts={time.time():.6f} pid={os.getpid()}{rest}\n"
    with contextlib.suppress(OSError):
        os.write(1, line.encode())


def die(service: str, reason: str) -> None:
    """Exit with code 1 from any thread, cleaning nothing up: what a crash looks like."""
    log(service, "exits", reason=repr(reason))
    os._exit(1)
