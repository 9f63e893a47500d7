"""Connections without any proxy, harmed in the networks of containers; seen by the callers themselves."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path
from secrets import token_hex

import pytest

from fuzzer.actions.catalogue import ACTIONS, available
from fuzzer.netns.rule import Rule
from fuzzer.runtimes.base import Undo
from fuzzer.runtimes.docker import neighbour
from fuzzer.runtimes.docker.clients import Clients
from fuzzer.runtimes.docker.helper import HELPER
from fuzzer.runtimes.docker.neighbours import IMAGE, IMAGE_VARIABLE
from fuzzer.scenarios import check_scenario
from models.errors import ScenarioError
from models.scenario import Scenario
from models.toxic import REFUSING, Stream, Toxic
from tests.support.unwired import unwired
from tests.support.watchdogs import end_watchdog_of

pytestmark = pytest.mark.docker

ROOT = Path(__file__).parents[4]
SILENT = [Toxic("timeout", {"timeout": 0.0}, stream) for stream in Stream]
REFUSE = [Toxic(REFUSING)]
REFUSED = "ConnectionRefusedError"
NARROW = [Toxic("bandwidth", {"rate": 1.0}, stream) for stream in Stream]

HOLDS = """
import socket, sys
with socket.create_connection(("b", 8000), 5) as connection:
    print("open", flush=True)
    for line in sys.stdin:
        connection.settimeout(float(line))
        try:
            connection.sendall(b"GET / HTTP/1.1\\r\\nHost: b\\r\\n\\r\\n")
            answer = b"-"
            while answer and not answer.endswith(b"well"):
                answer = connection.recv(4096)
            said = "answered" if answer else "ended"
        except TimeoutError:
            said = "silence"
        except OSError as error:
            said = type(error).__name__
        print(said, flush=True)
"""
"""A connection that is kept: each line of input is a question, and how long to wait for its answer."""

QUEUES = """
import socket, struct
kernel = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
kernel.send(struct.pack("=IHHII", 36, 38, 0x301, 1, 0) + bytes(20))
print(b"htb" in kernel.recv(65536))
"""
"""Whether a network has a queue like ours (RTM_GETQDISC, all)."""


@pytest.fixture(scope="module")
def project(api, tmp_path_factory):
    calls = {"a": ["b", "d"], "b": ["a"], "c": ["b"], "d": []}
    with unwired(tmp_path_factory.mktemp("direct"), calls) as made:
        made.compose("up", "-d", "--scale", "d=2")
        yield made


@pytest.fixture
def runtime(project, saw, wait_until):
    wait_until(lambda: all(is_well(project, *edge) for edge in (("a", "b"), ("b", "a"), ("c", "b"))), 40)
    with project.runtime() as entered:
        entered.watch(saw)
        yield entered
    wait_until(lambda: helpers(entered) == [])  # the engine takes a moment to remove what has ended


def helpers(runtime):
    """Those of this run."""
    with runtime._clients.lent("look for helpers") as api:
        listed = api.containers(all=True, filters={"label": [HELPER], "name": "knockon-net-"})
    return [one["Id"] for one in listed if one["Labels"][HELPER] == runtime._journal._run]


def is_well(project, caller, dependency):
    return said(project, caller, dependency, 5.0) == 200


def said(project, caller, dependency, timeout_s=1.0):
    seen = project.ask(caller, dependency, 1, timeout_s)
    return seen[0]["status"] or seen[0]["error"] if seen else "the caller is down"


def cleanse(runtime, *links):
    runtime.undo(Undo("cleanse", links))


def holding(project):
    """A process in ``a`` with an open connection to ``b``, and a way to ask over it."""
    words = ["docker", "exec", "-i", f"{project.name}_a_1", "python3", "-c", HOLDS]
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin
    assert process.stdout
    assert process.stdout.readline() == "open\n"

    def ask(timeout_s):
        process.stdin.write(f"{timeout_s}\n")
        process.stdin.flush()
        return process.stdout.readline().strip()

    return process, ask


def test_only_the_calls_in_that_direction_vanish_and_from_outside_all_is_well(project, runtime):
    runtime.poison("a -> b", SILENT)
    assert said(project, "a", "b") == "timeout"
    assert said(project, "b", "a", 5.0) == 200
    assert said(project, "c", "b", 5.0) == 200
    for name in ("a", "b"):
        with urllib.request.urlopen(f"{runtime.url(name)}/", timeout=5) as answer:
            assert answer.status == 200, "by the port that is published, as probes and loads come"
    cleanse(runtime, "a -> b")
    assert said(project, "a", "b", 5.0) == 200


def test_everybody_else_a_group_and_both_directions(project, runtime):
    for link, cut, whole in (
        ("* -> b", [("a", "b"), ("c", "b")], [("b", "a")]),
        ("a,c -> b", [("a", "b"), ("c", "b")], [("b", "a")]),
        ("* <-> b", [("a", "b"), ("c", "b"), ("b", "a")], []),
    ):
        runtime.poison(link, REFUSE)
        assert [said(project, *edge) for edge in cut] == [REFUSED] * len(cut), link
        assert [said(project, *edge, 5.0) for edge in whole] == [200] * len(whole), link
        cleanse(runtime, link)
        assert [said(project, *edge, 5.0) for edge in cut] == [200] * len(cut), link


def test_every_container_of_a_dependency_is_meant(project, runtime):
    assert len(runtime.replicas("d")) == 2
    runtime.poison("a -> d", REFUSE)
    # Who asks tries every address that the name stands for before it gives up.
    assert said(project, "a", "d") == REFUSED
    cleanse(runtime, "a -> d")
    assert said(project, "a", "d", 5.0) == 200


@pytest.mark.parametrize(
    ("toxics", "meanwhile", "later"),
    [
        (SILENT, "silence", "answered"),
        (REFUSE, "ConnectionResetError", ""),
        ([Toxic("reset_peer", {"timeout": 0.0})], "ConnectionResetError", ""),
    ],
    ids=["silent", "refused", "reset"],
)
def test_a_connection_that_was_open_is_hit_as_well(project, runtime, toxics, meanwhile, later):
    process, ask = holding(project)
    try:
        assert ask(5) == "answered"
        runtime.poison("a -> b", toxics)
        assert ask(1) == meanwhile
        cleanse(runtime, "a -> b")
        if later:
            assert ask(30) == later, "what was lost is sent again"
    finally:
        process.kill()
        process.communicate()


def test_a_caller_that_starts_again_meets_the_fault_again(project, runtime, saw, wait_until):
    runtime.poison("a -> b", REFUSE)
    runtime.restart(["a"])
    wait_until(lambda: said(project, "a", "b") == REFUSED, 20)
    runtime.crash(["a"])
    wait_until(lambda: runtime.status("a").state == "running", 20)
    wait_until(lambda: said(project, "a", "b") == REFUSED, 20)
    assert saw.interference == []
    cleanse(runtime, "a -> b")
    assert said(project, "a", "b", 5.0) == 200


def test_a_dependency_that_comes_back_with_another_address_is_found(project, api, runtime, saw, wait_until):
    def address():
        networks = api.inspect_container(f"{project.name}_b_1")["NetworkSettings"]["Networks"]
        return next(iter(networks.values()))["IPAddress"]

    before = address()
    runtime.poison("a -> b", SILENT)
    runtime.stop(["b"])
    network = f"{project.name}_default"
    squatter = api.create_container(
        "python:3.11-slim",
        ["sleep", "300"],
        name=f"{project.name}-squatter",
        host_config=api.create_host_config(network_mode=network),
    )["Id"]
    try:
        api.start(squatter)
        runtime.start(["b"])
        assert address() != before
        wait_until(lambda: is_well(project, "c", "b"), 20)
        wait_until(lambda: said(project, "a", "b") == "timeout", 20)
        cleanse(runtime, "a -> b")
        assert said(project, "a", "b", 5.0) == 200
    finally:
        api.remove_container(squatter, force=True)
    assert saw.interference == []


def test_who_takes_a_helper_away_is_noticed(project, api, runtime, saw):
    runtime.poison("a -> b", SILENT)
    (helper,) = helpers(runtime)
    api.remove_container(helper, force=True)
    assert said(project, "a", "b", 5.0) == 200, "its rules ended with it"
    cleanse(runtime, "a -> b")
    assert "rules in the network of a container were lost" in saw.interference[0]


def test_a_queue_that_a_helper_left_behind_is_taken_away_by_whoever_heals(project, api, runtime):
    words = ["docker", "exec", f"{project.name}_a_1", "python3", "-c", QUEUES]
    left = runtime.remember(Undo("cleanse", ("a -> b",)))
    with project.runtime() as dead:
        dead.poison("a -> b", NARROW)
        for helper in helpers(dead):
            api.remove_container(helper, force=True)
    assert subprocess.check_output(words) == b"True\n"
    runtime.undo(left)
    assert subprocess.check_output(words) == b"False\n"


def test_a_helper_that_nobody_talks_to_ends(api, monkeypatch, wait_until):
    monkeypatch.setattr(neighbour, "TTL_S", 1)
    name = token_hex(4)
    alone = neighbour.Neighbour(Clients(), IMAGE, None, name)
    alone.put([Rule("drop", "192.0.2.1", 80)])
    wait_until(lambda: not api.containers(all=True, filters={"label": f"{HELPER}={name}"}), 30)
    with pytest.raises(neighbour.Gone):
        alone.ping()
    alone.close()


def test_after_the_death_of_the_fuzzer_nothing_is_left(project, api, tmp_path, runtime, wait_until):
    target = ["--target", str(project.file), "--project", project.name, "--runtime", "docker"]
    knockon = [sys.executable, "-c", "from fuzzer.cli.main import main; main()"]
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    replay = subprocess.Popen(
        [*knockon, "replay", *target, "refuse a -> b; wait 60s", "--times", "1"],
        cwd=tmp_path,
        env=environ,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert replay.stdout
    try:
        assert any("playing: " in line for line in replay.stdout)
        # A replay starts its fleet anew, and then nobody is answered for a while.
        wait_until(lambda: is_well(project, "c", "b") and said(project, "a", "b") == REFUSED, 90)
        end_watchdog_of(replay.pid)
    finally:
        replay.send_signal(signal.SIGKILL)
        replay.communicate()
    wait_until(lambda: said(project, "a", "b") == 200, 20)  # nobody has healed it yet
    healed = subprocess.run(
        [*knockon, "heal", "--project", project.name, "--runtime", "docker"],
        cwd=tmp_path,
        env=environ,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert healed.returncode == 0, healed.stdout + healed.stderr
    assert "cleanse a -> b" in healed.stdout
    left = [{"label": [f"knockon.project={project.name}"]}, {"label": [HELPER], "name": "knockon-net"}]
    mine = [api.containers(all=True, filters=one) for one in left]
    assert [one["Id"] for one in mine[0]] == []
    modes = [api.inspect_container(one["Id"])["HostConfig"]["NetworkMode"] for one in mine[1]]
    there = [one["Id"] for one in api.containers(filters={"name": f"{project.name}_"})]
    assert not [mode for mode in modes if mode.partition(":")[2] in there]


def test_what_is_asked_for_by_name_and_not_to_be_had_says_why(project, runtime, monkeypatch):
    able = available(runtime)
    assert {"blackhole", "partition", "refuse", "reset", "loss"} <= able.keys()
    assert not {"http_error", "limit_data", "slow_close", "timeout"} & able.keys()
    with pytest.raises(ScenarioError, match=r"packets and not answers; that takes a proxy; .*knockon wire"):
        check_scenario(Scenario.parse("timeout a -> b 500ms"), project.target, runtime)
    monkeypatch.setenv(IMAGE_VARIABLE, "nobody/has:that")
    with project.runtime() as without:
        assert list(without.edges()) == []
        assert "blackhole" not in available(without)
        why = ACTIONS["blackhole"].refusal(without)
    assert "docker pull python:3.11-slim" in why
    assert "nobody/has:that" in why
    assert "knockon wire" in why
