"""A shop for a test: six real processes on ports of their own, and someone who keeps looking.

Nothing here comes from the fuzzer: the shop is what the fuzzer is measured against, so the shop's
own tests must not believe the fuzzer.
"""

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.support.ports import free_prefix

SHOP = Path(__file__).parents[2] / "examples" / "shop"
SERVICES = (
    "api-gateway",
    "product-service",
    "checkout-service",
    "user-service",
    "analytics-service",
    "orders-db",
)
HARD = {
    "api-gateway": {"product-service", "user-service", "checkout-service"},
    "checkout-service": {"product-service", "orders-db"},
    "user-service": {"orders-db"},
}
LIMIT_S = 15.0


def blast_radius(*targets):
    """The targets and whatever cannot do without them."""
    radius = set(targets)
    while more := {s for s, needs in HARD.items() if needs & radius} - radius:
        radius |= more
    return radius


def claim_prefix():
    """A port prefix whose six ports are free, below the range of outgoing connections, and a socket
    on its port 0 that keeps other test runs away from it."""
    while True:
        prefix = free_prefix()
        with contextlib.suppress(OSError), contextlib.ExitStack() as held:
            claim = held.enter_context(socket.create_server(("127.0.0.1", prefix * 10)))
            for digit in range(1, 7):
                socket.create_server(("127.0.0.1", prefix * 10 + digit)).close()
            held.pop_all()
            return prefix, claim


class Shop:
    """The processes of one shop, by service name. Only processes started here are ever signalled."""

    def __init__(self, folder, mode, flaws="", services=SERVICES, **environment):
        self.folder, self.services = folder, services
        self.flaws = flaws
        self.prefix, self._claim = claim_prefix()
        self.environment = {
            "PATH": os.environ["PATH"],
            "BIND": "127.0.0.1",
            "SHOP_MODE": mode,
            "SHOP_FLAWS": flaws,
            "KNOCKON_DATA_DIR": str(folder),
            "PYTHONPYCACHEPREFIX": str(folder.parent / "pycache"),
            **environment,
        }
        self.processes = {}
        self.log = folder / "shop.log"
        for service in reversed(services):  # orders-db first, as `depends_on` would have it
            self.start(service)
            if service == "orders-db":
                self.eventually(lambda: self.health("orders-db") == 200, "orders-db answers")

    def port(self, service):
        return self.prefix * 10 + SERVICES.index(service) + 1

    def start(self, service):
        with self.log.open("ab") as log:
            self.processes[service] = subprocess.Popen(
                [sys.executable, "-m", "shop", service],
                cwd=SHOP,
                env={**self.environment, "PORT": str(self.port(service))},
                stdout=log,
                stderr=log,
            )

    def signal(self, service, number):
        self.processes[service].send_signal(number)

    def kill(self, service):
        self.signal(service, signal.SIGKILL)
        self.processes[service].wait()

    def stop(self, service):
        """SIGTERM; returns the exit code and how long it took."""
        begun = time.monotonic()
        self.signal(service, signal.SIGTERM)
        return self.processes[service].wait(LIMIT_S), time.monotonic() - begun

    def crash(self, service, down_s=0.4):
        """What a restart policy makes of a SIGKILL: back after a short while."""
        self.kill(service)
        time.sleep(down_s)
        self.start(service)

    @contextlib.contextmanager
    def paused(self, service):
        self.signal(service, signal.SIGSTOP)
        try:
            yield
        finally:
            self.signal(service, signal.SIGCONT)

    def exit_code(self, service):
        """None while it runs."""
        return self.processes[service].poll()

    def running(self):
        return {s for s in self.services if self.exit_code(s) is None}

    def call(self, service, method, path, body=None, timeout_s=5.0):
        """Status and JSON; status 0 when no answer came."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port(service), timeout=timeout_s)
        try:
            connection.request(method, path, None if body is None else json.dumps(body))
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        except (OSError, http.client.HTTPException):
            return 0, None
        finally:
            connection.close()

    def health(self, service, timeout_s=1.0):
        return self.call(service, "GET", "/health", timeout_s=timeout_s)[0]

    def metrics(self, service):
        return self.call(service, "GET", "/metrics.json")[1]

    def well(self, services=None):
        return all(self.health(s) == 200 for s in services or self.services)

    def eventually(self, condition, what, limit_s=LIMIT_S):
        """Wait until it is so; returns how long it took. Fails with the shop's log."""
        begun = time.monotonic()
        while not condition():
            if time.monotonic() - begun > limit_s:
                pytest.fail(f"not within {limit_s} s: {what}\n{self.log.read_text()[-3000:]}")
            time.sleep(0.01)
        return time.monotonic() - begun

    def happens(self, condition, within_s):
        """Whether it becomes so: with a flaw, patiently; without, nothing is awaited for long."""
        return self.soon(condition, LIMIT_S if self.flaws else within_s)

    def soon(self, condition, within_s):
        """Whether it becomes so within this time: for what must not happen, the time is waited out."""
        over = time.monotonic() + within_s
        while time.monotonic() < over:
            if condition():
                return True
            time.sleep(0.01)
        return False

    def until_well(self, limit_s=LIMIT_S):
        return self.eventually(self.well, "every service answers 200", limit_s)

    def end(self):
        for process in self.processes.values():
            if process.poll() is None:
                process.kill()
        for process in self.processes.values():
            process.wait()
        self._claim.close()


class Onlooker:
    """Asks the /health of some services twenty times a second while a test does its worst."""

    def __init__(self, shop, services):
        self.shop, self.services = shop, services
        self.seen = []
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._look, args=(s,)) for s in services]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _look(self, service):
        while not self._over.wait(0.05):
            begun = time.monotonic()
            status = self.shop.health(service, timeout_s=2.0)
            self.seen.append((service, status, time.monotonic() - begun))

    def ill(self):
        return [row for row in self.seen if row[1] != 200]

    def usual_s(self):
        """How long most answers took; a busy test machine may delay a few."""
        return sorted(row[2] for row in self.seen)[len(self.seen) // 2]


@pytest.fixture(scope="session")
def open_shop(tmp_path_factory):
    """`with open_shop("hardened", "lost-write") as shop:` six processes, all well at the start."""

    @contextlib.contextmanager
    def opened(mode, flaws="", services=SERVICES, wait=True, **environment):
        shop = Shop(tmp_path_factory.mktemp("shop"), mode, flaws, services, **environment)
        try:
            if wait:
                shop.until_well()
                time.sleep(0.15)  # soft dependencies and the flaws' spies are found a little later
            yield shop
        finally:
            shop.end()

    return opened


@pytest.fixture(scope="session")
def hardened(open_shop):
    """One hardened shop for all tests that leave it well; whoever does not is told at once."""
    with open_shop("hardened") as shop:
        yield shop


@pytest.fixture
def repaired(hardened):
    """The shared hardened shop, with whatever a test left dead or frozen brought back."""
    yield hardened
    for service in hardened.services:
        if hardened.exit_code(service) is None:
            hardened.signal(service, signal.SIGCONT)
        else:
            hardened.start(service)
    hardened.until_well()


@pytest.fixture(scope="session")
def onlooker():
    """`with onlooker(shop, services) as seen:` see `Onlooker`."""
    return Onlooker


@pytest.fixture(scope="session")
def radius():
    """`radius("orders-db")`: see `blast_radius`."""
    return blast_radius
