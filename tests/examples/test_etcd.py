"""examples/etcd does what its README says: real etcd members, and what clients see of their deaths.

Most of it runs on knockon's local runtime, which starts, kills and pauses the processes; nothing of what
knockon sees or judges is believed here.
"""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from fuzzer.runtimes.local.runtime import LocalRuntime
from fuzzer.targets.files import load_target
from tests.support.waiting import until

ETCD = Path(__file__).parents[2] / "examples" / "etcd"
SCRIPT = Path(__file__).parents[2] / "scripts" / "etcd.sh"
IMAGE = "knockon-etcd:3.4"
MEMBERS = ("etcd-1", "etcd-2", "etcd-3")
LEADER = re.compile(r"^etcd_server_is_leader 1", re.MULTILINE)
BUDGET_S = 1.2
"""Within this a request is answered; this machine may add as much again."""


def call(url, body=None, timeout_s=5.0):
    """Status and text; status 0 when no answer came."""
    try:
        request = urllib.request.Request(url, data=body)
        with urllib.request.urlopen(request, timeout=timeout_s) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError:
        return 0, ""


def free_ports():
    """A prefix whose seven ports nobody listens on, below the range of outgoing connections."""
    while True:
        prefix = random.SystemRandom().randrange(1100, 3270)
        with ExitStack() as held:
            try:
                for digit in range(7):
                    held.enter_context(socket.create_server(("127.0.0.1", prefix * 10 + digit)))
            except OSError:
                continue
            return prefix


def excused(reason, variable):
    if os.environ.get(variable) == "1":
        pytest.fail(f"{variable}=1, and {reason}")
    pytest.skip(reason)


class Stack:
    """The stack at a port prefix, and what was acknowledged there."""

    def __init__(self, prefix):
        self.prefix = prefix
        self.acknowledged = []

    def url(self, service):
        return f"http://127.0.0.1:{self.prefix}{('register', *MEMBERS).index(service)}"

    def write(self, text="an entry"):
        status, answer = call(f"{self.url('register')}/entries", text.encode())
        if status == 201:
            self.acknowledged.append(json.loads(answer)["id"])
        return status

    def read(self, entry):
        status, answer = call(f"{self.url('register')}/entries/{entry}")
        return status, json.loads(answer or "{}").get("entry")

    def lost(self):
        return [entry for entry in self.acknowledged if self.read(entry)[0] != 200]

    def health(self, service):
        return call(f"{self.url(service)}/health", timeout_s=2.0)[0]

    def leaders(self):
        return [m for m in MEMBERS if LEADER.search(call(f"{self.url(m)}/metrics", timeout_s=1.0)[1])]

    def leader(self):
        until(lambda: len(self.leaders()) == 1, "there is not one leader")
        return self.leaders()[0]

    def well(self):
        return all(self.health(service) == 200 for service in ("register", *MEMBERS))

    @contextmanager
    def writing(self):
        """Writes twenty times a second meanwhile; yields the list of (seconds, status) of each."""
        seen, over = [], threading.Event()

        def write():
            while not over.wait(0.05):
                began_s = time.monotonic()
                status = self.write()
                seen.append((time.monotonic() - began_s, status))

        thread = threading.Thread(target=write)
        thread.start()
        try:
            yield seen
        finally:
            over.set()
            thread.join()


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    if not shutil.which("etcd"):
        excused("etcd is not installed: scripts/etcd.sh", "KNOCKON_REQUIRE_ETCD")
    prefix = free_ports()
    target = load_target([ETCD / "compose.yaml"], {**os.environ, "ETCD_PORTS": str(prefix)})
    with LocalRuntime(target, state_dir=tmp_path_factory.mktemp("etcd")) as runtime:
        yield runtime, prefix


@pytest.fixture
def runtime(running):
    return running[0]


@pytest.fixture
def stack(running):
    """Everything runs and is well, whatever the test before left."""
    runtime, prefix = running
    runtime.unpause(MEMBERS)
    runtime.start([*MEMBERS, "register"])
    stack = Stack(prefix)
    until(stack.well, "not all are well")
    return stack


def test_an_entry_that_was_acknowledged_can_be_read(stack):
    assert stack.write("größer als zuvor") == 201
    assert stack.read(stack.acknowledged[0]) == (200, "größer als zuvor")
    assert stack.write("") == 201
    assert stack.read(stack.acknowledged[1]) == (200, "")
    assert stack.read("nobody-wrote-this") == (404, None)


def test_entries_are_counted(stack):
    def counted():
        return json.loads(call(f"{stack.url('register')}/entries")[1])["count"]

    before = counted()
    assert {stack.write() for _ in range(3)} == {201}
    assert counted() == before + 3


def test_what_is_no_entry_is_refused(stack):
    url = stack.url("register")
    assert call(f"{url}/entries", b"x" * (64 * 1024 + 1))[0] in (413, 0)
    assert call(f"{url}/nothing")[0] == 404
    assert call(f"{url}/nothing", b"x")[0] == 404


def test_the_role_expression_of_the_readme_finds_one_leader(stack):
    assert len(stack.leaders()) == 1


def test_a_member_has_the_entries_that_another_one_took(runtime, stack):
    stack.write("kept thrice")
    for member in MEMBERS:
        others = [m for m in MEMBERS if m != member]
        until(stack.well, "not all are well")
        runtime.kill(others[:1])
        assert stack.read(stack.acknowledged[0]) == (200, "kept thrice")
        runtime.start(others[:1])


@pytest.mark.parametrize("whom", ["leader", "follower"])
@pytest.mark.parametrize("fault", ["kill", "pause"])
def test_one_member_harmed_costs_a_moment_and_no_entry(runtime, stack, whom, fault):
    leader = stack.leader()
    victim = leader if whom == "leader" else next(m for m in MEMBERS if m != leader)
    with stack.writing() as seen:
        until(lambda: seen, "nothing was written")
        getattr(runtime, fault)([victim])
        harmed = len(seen)
        until(lambda: len(seen) > harmed + 30 and {s for _, s in seen[-10:]} == {201}, "writes do not go on")
        assert stack.health("register") == 200
        runtime.unpause([victim])
        runtime.start([victim])
        until(stack.well, "not all are well")
    failed_s = sum(seconds for seconds, status in seen if status != 201)
    assert failed_s < 4.0, seen
    assert max(seconds for seconds, _ in seen) < 2 * BUDGET_S
    assert stack.lost() == []
    assert len(stack.leaders()) == 1


@pytest.mark.parametrize("fault", ["kill", "pause"])
def test_without_a_majority_it_says_so_and_keeps_what_it_promised(runtime, stack, fault):
    leader = stack.leader()
    victims = [leader, next(m for m in MEMBERS if m != leader)]
    assert {stack.write() for _ in range(10)} == {201}
    getattr(runtime, fault)(victims)
    for ask in (stack.write, lambda: stack.read(stack.acknowledged[0])[0], lambda: stack.health("register")):
        until(lambda ask=ask: ask() == 503, "it does not say that it cannot")
        began_s = time.monotonic()
        assert ask() == 503
        assert time.monotonic() - began_s < 2 * BUDGET_S
    assert stack.leaders() == []
    runtime.unpause(victims[:1])
    runtime.start(victims[:1])  # with one of them there is a majority again
    until(lambda: stack.write() == 201, "writes do not go on")
    until(lambda: stack.health("register") == 200, "register is not well again")
    assert stack.lost() == []


def test_all_members_may_die_at_once(runtime, stack):
    stack.write("before")
    pids = runtime.status("register").instances
    runtime.kill(MEMBERS)
    until(lambda: stack.health("register") == 503, "it does not say that it cannot")
    runtime.start(MEMBERS)
    until(stack.well, "not all are well")
    assert stack.lost() == []
    assert runtime.status("register").instances == pids


def test_register_waits_for_members_that_come_later(runtime, stack):
    runtime.kill([*MEMBERS, "register"])
    runtime.start(["register"])
    until(lambda: stack.health("register") == 503, "it does not wait")
    runtime.start(MEMBERS)
    until(stack.well, "not all are well")


def test_a_stop_of_register_is_orderly(runtime, stack):
    began_s = time.monotonic()
    runtime.stop(["register"])
    assert time.monotonic() - began_s < 2.0


@pytest.mark.parametrize("urls", ["", "etcd-1:2379", "http://"])
def test_members_that_make_no_sense_are_refused_in_one_sentence(urls):
    done = subprocess.run(
        ["python3", "-m", "register"],
        cwd=ETCD,
        env={"PATH": os.environ["PATH"], "ETCD_URLS": urls},
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
    )
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "ETCD_URLS" in done.stderr or urls in done.stderr


@pytest.fixture
def containers(engine):
    """The stack in containers of the local image; yields it, and a function that runs compose."""
    if not shutil.which("docker-compose"):
        excused("there is no docker-compose: make engine", "KNOCKON_REQUIRE_DOCKER")
    subprocess.run([str(SCRIPT)], check=False, capture_output=True, timeout=600)
    there = subprocess.run(["docker", "image", "inspect", IMAGE], check=False, capture_output=True)
    if there.returncode:
        excused(f"there is no image {IMAGE}: scripts/etcd.sh", "KNOCKON_REQUIRE_ETCD")
    prefix = free_ports()
    environ = {**os.environ, "ETCD_PORTS": str(prefix), "ETCD_IMAGE": IMAGE}

    def compose(*words):
        command = ["docker-compose", "-p", f"knockon-etcd{prefix}", "-f", str(ETCD / "compose.yaml"), *words]
        done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    try:
        compose("up", "-d", "--build")
        yield Stack(prefix), compose
    finally:
        compose("down", "-t", "1", "-v")


@pytest.mark.docker
def test_in_containers_a_leader_may_die_and_two_members_may_not(containers):
    stack, compose = containers
    until(stack.well, "not all are well", 60.0)
    assert {stack.write() for _ in range(10)} == {201}
    leader = stack.leader()
    compose("kill", leader)
    until(lambda: stack.write() == 201, "writes do not go on")
    other = next(m for m in MEMBERS if m != leader)
    compose("kill", other)
    until(lambda: stack.write() == 503, "it does not say that it cannot")
    began_s = time.monotonic()
    assert stack.write() == 503
    assert time.monotonic() - began_s < 2 * BUDGET_S
    compose("start", leader, other)
    until(stack.well, "not all are well", 30.0)
    assert stack.lost() == []
