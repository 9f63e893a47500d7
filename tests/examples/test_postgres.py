"""The orders in PostgreSQL do what their README says: the good version survives what happens to its
database and to the way there, and each flaw shows itself by faults of that way alone.
"""

import contextlib
import glob
import http.client
import importlib.util
import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from fuzzer.runtimes.docker.clients import default_client
from fuzzer.runtimes.local.runtime import LocalRuntime
from fuzzer.targets.files import load_target
from tests.support.ports import free_prefix

EXAMPLE = Path(__file__).parents[2] / "examples" / "postgres"
LIMIT_S = 20.0
FLAWS = ("pool-never-recovers", "no-statement-timeout", "pool-leak")
THROUGH_THE_EDGE = """
services:
  orders:
    x-knockon:
      local:
        environment: {{DATABASE_URL: "postgresql://shop:secret@127.0.0.1:{port}/shop"}}
"""


class Edge:
    """The way from orders to db, as a proxy: passes, delays, swallows, resets.

    A connection that lost a byte is silent for ever, as after a real loss that nobody repairs.
    """

    def __init__(self, port):
        self._to = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.delay_s, self.swallows = 0.0, False
        self._open = []
        threading.Thread(target=self._accept, daemon=True).start()

    def reset(self):
        """A RST to both ends of every connection."""
        ended, self._open = self._open, []
        for end in ended:
            with contextlib.suppress(OSError):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                end.shutdown(socket.SHUT_RD)  # wakes its pump; close alone would wait for that
            end.close()

    @contextlib.contextmanager
    def blackhole(self):
        self.swallows = True
        try:
            yield
        finally:
            self.swallows = False

    @contextlib.contextmanager
    def slow(self, delay_s):
        self.delay_s = delay_s
        try:
            yield
        finally:
            self.delay_s = 0.0

    def close(self):
        self._listener.close()
        self.reset()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                if self.swallows:
                    self._open.append(near)
                    continue
                try:
                    far = socket.create_connection(("127.0.0.1", self._to), timeout=2)
                except OSError:
                    near.close()
                    continue
                far.settimeout(None)
                self._open += [near, far]
                lost = threading.Event()
                for source, sink in ((near, far), (far, near)):
                    threading.Thread(target=self._pump, args=(source, sink, lost), daemon=True).start()

    def _pump(self, source, sink, lost):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if self.delay_s:
                    time.sleep(self.delay_s)
                if self.swallows or lost.is_set():
                    lost.set()
                    continue
                sink.sendall(data)
        if not lost.is_set():
            with contextlib.suppress(OSError):
                sink.shutdown(socket.SHUT_RDWR)


class Stack:
    """Where the services are, and what they say."""

    def __init__(self, prefix, runtime=None, edge=None, flawed=False):
        self.prefix, self.runtime, self.edge, self.flawed = prefix, runtime, edge, flawed

    def call(self, service, method, path, body=None, timeout_s=5.0):
        """Status, JSON and how long it took; status 0 when no answer came in time."""
        port = self.prefix * 10 + ("front", "orders", "db").index(service) + 1
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout_s)
        began_s = time.monotonic()
        try:
            connection.request(method, path, None if body is None else json.dumps(body))
            response = connection.getresponse()
            return response.status, json.loads(response.read()), time.monotonic() - began_s
        except (OSError, http.client.HTTPException):
            return 0, None, time.monotonic() - began_s
        finally:
            connection.close()

    def order(self, through="front", timeout_s=5.0):
        return self.call(through, "POST", "/orders", {"item": "kettle", "quantity": 2}, timeout_s)

    def health(self, service, timeout_s=1.0):
        return self.call(service, "GET", "/health", timeout_s=timeout_s)[0]

    def well(self):
        return self.health("front") == self.health("orders") == 200

    def soon(self, condition, within_s):
        over_s = time.monotonic() + within_s
        while time.monotonic() < over_s:
            if condition():
                return True
            time.sleep(0.01)
        return False

    def eventually(self, condition, what, limit_s=LIMIT_S):
        """Returns how long it took."""
        began_s = time.monotonic()
        if not self.soon(condition, limit_s):
            pytest.fail(f"not within {limit_s:.0f} s: {what}\n{self.logs()}")
        return time.monotonic() - began_s

    def until_well(self, limit_s=LIMIT_S):
        return self.eventually(self.well, "front and orders answer 200", limit_s)

    def logs(self):
        if self.runtime is None or self.runtime.logs is None:
            return ""
        return "\n".join(f"{p.name}:\n{p.read_text()[-2000:]}" for p in self.runtime.logs.glob("*.log"))

    def processes(self):
        return {name: self.runtime.status(name).instances for name in ("front", "orders")}


def missing():
    """Why the stack cannot run on this machine, if so."""
    if not glob.glob("/usr/lib/postgresql/*/bin/postgres"):
        return "PostgreSQL is not installed: scripts/postgres.sh"
    if not (importlib.util.find_spec("psycopg") and importlib.util.find_spec("psycopg_pool")):
        return "psycopg is not installed: pip install -e '.[dev]'"
    return ""


@pytest.fixture(scope="session")
def open_stack(tmp_path_factory):
    """`with open_stack("pool-leak") as stack:` real processes, all well, db behind an edge."""
    if reason := missing():
        if os.environ.get("KNOCKON_REQUIRE_POSTGRES"):
            pytest.fail(reason)
        pytest.skip(reason)

    @contextlib.contextmanager
    def opened(flaws=""):
        folder, prefix = tmp_path_factory.mktemp("postgres"), free_prefix()
        edge = Edge(prefix * 10 + 3)
        override = folder / "edge.yaml"
        override.write_text(THROUGH_THE_EDGE.format(port=edge.port))
        environ = {
            **os.environ,
            "PG_PORTS": str(prefix),
            "PG_FLAWS": flaws,
            "PG_PYTHON": sys.executable,
        }
        target = load_target([EXAMPLE / "compose.yaml", override], environ)
        with contextlib.closing(edge), LocalRuntime(target, state_dir=folder / "state") as runtime:
            stack = Stack(prefix, runtime, edge, bool(flaws))
            stack.until_well()
            yield stack

    return opened


@pytest.fixture(scope="session")
def good(open_stack):
    with open_stack() as stack:
        yield stack


@pytest.fixture
def stack(good):
    """The shared good stack: well before each test, and after it without any help."""
    good.runtime.start(["db"])
    good.until_well()
    before = good.processes()
    yield good
    good.runtime.unpause(["db"])
    good.runtime.start(["db"])
    good.until_well()
    assert good.processes() == before, "whoever loses a dependency stays"


# What it does


def test_an_order_can_be_written_and_read(stack):
    status, order, _ = stack.order()
    assert status == 201
    assert stack.call("front", "GET", f"/orders/{order['order_id']}")[:2] == (200, order)
    assert order in stack.call("front", "GET", "/orders")[1]["orders"]
    assert stack.call("front", "GET", "/orders/count")[1]["orders"] >= 1


@pytest.mark.parametrize("path", ["/orders/17", "/orders/00000000-0000-0000-0000-000000000000", "/nothing"])
def test_what_is_not_there_is_not_found(stack, path):
    assert stack.call("front", "GET", path)[0] == 404


@pytest.mark.parametrize("body", [[1], {"quantity": "many"}, {"quantity": 1 << 40}, {"item": "\0"}])
def test_an_order_that_makes_no_sense_is_the_clients_fault(stack, body):
    assert stack.call("front", "POST", "/orders", body)[0] == 400
    assert stack.order()[0] == 201


# The good version survives


def test_every_acknowledged_order_is_there_after_a_sigkill_of_postgres(stack):
    kept, over = [], threading.Event()

    def client():
        while not over.is_set():
            status, order, _ = stack.order(timeout_s=2.0)
            if status == 201:
                kept.append(order["order_id"])

    with ThreadPoolExecutor(4) as pool:
        for _ in range(4):
            pool.submit(client)
        stack.eventually(lambda: len(kept) > 40, "orders are taken")
        stack.runtime.crash(["db"])
        crashed = len(kept)
        stack.eventually(lambda: len(kept) > crashed + 20, "orders are taken again, by themselves")
        over.set()
    assert [i for i in kept if stack.call("front", "GET", f"/orders/{i}")[0] != 200] == []


def test_after_a_kill_and_a_start_all_is_well_by_itself(stack):
    stack.runtime.kill(["db"])
    stack.eventually(lambda: stack.health("front") == stack.health("orders") == 503, "they say so")
    status, _, took_s = stack.order()
    assert status == 503
    assert took_s < 1.5
    time.sleep(3)  # long enough for a pool that waits ever longer between two tries
    stack.runtime.start(["db"])
    assert stack.until_well() < 6.0


def test_an_orderly_restart_of_the_database_does_not_wait_for_its_clients(stack):
    began_s = time.monotonic()
    stack.runtime.restart(["db"])
    stack.until_well()
    assert time.monotonic() - began_s < 6.0


def test_a_way_that_swallows_everything_gives_errors_within_a_second_and_then_all_is_well(stack):
    with stack.edge.blackhole(), ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda n: stack.order(("front", "orders")[n % 2]), range(12)))
        assert {status for status, _, _ in answers} == {503}
        assert max(took_s for _, _, took_s in answers) < 2.0  # one second, and the machine is busy
        stack.eventually(lambda: stack.health("orders") == stack.health("front") == 503, "they say so")
        time.sleep(1)
    assert stack.until_well() < 4.0
    assert stack.order()[0] == 201


def test_a_frozen_database_gives_errors_and_thaws(stack):
    # On this runtime the processes that serve the old connections go on: they are in groups of their own.
    stack.runtime.pause(["db"])
    stack.edge.reset()
    stack.eventually(lambda: stack.health("orders") == stack.health("front") == 503, "they say so")
    status, _, took_s = stack.order()
    assert status == 503
    assert took_s < 2.0
    stack.runtime.unpause(["db"])
    assert stack.until_well() < 6.0


def test_after_a_reset_the_next_request_gets_a_new_connection(stack):
    for _ in range(3):
        stack.edge.reset()
        assert stack.order()[0] == 201


def test_a_slow_way_is_slow_and_nothing_more(stack):
    with stack.edge.slow(0.05):
        assert [stack.order()[0] for _ in range(3)] == [201] * 3
    with stack.edge.slow(2.0):
        assert stack.order()[0] == 503
    stack.until_well()


def test_more_clients_than_connections_wait_or_hear_no_at_once(stack):
    with ThreadPoolExecutor(80) as pool:
        answers = list(pool.map(lambda n: stack.call("orders", "GET", "/orders/count"), range(80)))
    assert {status for status, _, _ in answers} <= {200, 503}
    assert answers[0][0] == 200
    assert max(took_s for _, _, took_s in answers) < 3.0


# The flaws


def pool_never_recovers(stack):
    stack.edge.reset()
    if stack.soon(lambda: stack.order()[0] == 201, 2.0):
        return False
    assert stack.order("orders")[0] == stack.health("orders") == 503
    stack.runtime.restart(["orders"])
    stack.until_well()
    assert stack.order()[0] == 201
    return True


def no_statement_timeout(stack):
    with stack.edge.blackhole(), ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: stack.order("orders", timeout_s=3.0)[0], range(8)))
        hangs = stack.health("orders", timeout_s=3.0) == 0
        assert (set(answers) == {0}) == hangs
    return hangs


def pool_leak(stack):
    stack.edge.reset()
    sold = stack.soon(lambda: stack.order()[0] == 201, 2.0)
    if not sold:
        assert "no connection" in stack.order("orders")[1]["error"]
        assert stack.health("orders") == 503
    return not sold


TRIGGERS = dict(zip(FLAWS, (pool_never_recovers, no_statement_timeout, pool_leak), strict=True))


@pytest.mark.parametrize("flaw", FLAWS)
def test_a_flaw_shows_itself_under_its_trigger(open_stack, flaw):
    with open_stack(flaw) as flawed:
        assert flawed.order()[0] == 201
        assert TRIGGERS[flaw](flawed), flawed.logs()


@pytest.mark.parametrize("flaw", FLAWS)
def test_without_the_flaw_its_trigger_does_nothing(stack, flaw):
    assert not TRIGGERS[flaw](stack), stack.logs()


@pytest.mark.skipif(bool(missing()), reason=missing())
def test_a_flaw_that_does_not_exist_is_refused_with_the_list():
    done = subprocess.run(
        [sys.executable, "-m", "pgshop", "orders"],
        cwd=EXAMPLE,
        env={"PG_FLAWS": "pool-leak,heat-death", "DATABASE_URL": "postgresql://shop:x@127.0.0.1:1/shop"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "heat-death" in done.stderr
    assert all(flaw in done.stderr for flaw in FLAWS)


def test_the_readme_lists_the_flaws():
    assert re.findall(r"^\| `([a-z-]+)` \|", (EXAMPLE / "README.md").read_text(), re.MULTILINE) == list(FLAWS)


# On Docker


def database_image():
    """The official image if it is there, else the stand-in of scripts/postgres.sh; "" and why if neither."""
    if not shutil.which("docker-compose"):
        return "", "there is no docker-compose: make engine"
    try:
        client = default_client()
        names = {tag for image in client.images() for tag in image.get("RepoTags") or ()}
        client.close()
    except Exception as error:
        return "", f"no container engine: {error}: make engine"
    for name in ("postgres:15", "knockon-postgres:15"):
        if name in names:
            return name, ""
    return "", "the engine has neither postgres:15 nor knockon-postgres:15: scripts/postgres.sh"


@pytest.mark.docker
def test_the_containers_take_orders_and_survive_the_death_of_the_database():
    image, reason = database_image()
    if reason:
        if os.environ.get("KNOCKON_REQUIRE_DOCKER"):
            pytest.fail(reason)
        pytest.skip(reason)
    prefix, project = free_prefix(), f"knockon-pg{secrets.token_hex(2)}"
    environ = {**os.environ, "PG_PORTS": str(prefix), "PG_IMAGE": image, "PG_FLAWS": ""}
    compose = ["docker-compose", "-p", project, "-f", str(EXAMPLE / "compose.yaml")]

    def run(*words):
        done = subprocess.run(words, env=environ, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.strip()

    try:
        run(*compose, "up", "-d", "--build")
        stack = Stack(prefix)
        stack.until_well(60.0)
        orders = [stack.order() for _ in range(5)]
        assert [status for status, _, _ in orders] == [201] * 5
        db = run(*compose, "ps", "-q", "db")
        run("docker", "pause", db)
        stack.eventually(lambda: stack.health("front") == stack.health("orders") == 503, "they say so")
        assert stack.order()[0] == 503
        run("docker", "unpause", db)
        stack.until_well()
        run("docker", "kill", db)
        run("docker", "start", db)
        stack.until_well(60.0)

        def read(order):
            """A health answer may be from before the death was noticed: the first may find no connection."""
            return stack.call("front", "GET", f"/orders/{order['order_id']}")[:2]

        for _, order, _ in orders:
            stack.eventually(lambda order=order: read(order) == (200, order), f"{order} can be read")
    finally:
        run(*compose, "down", "-t", "0", "-v")
