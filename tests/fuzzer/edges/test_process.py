from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from fuzzer.edges.client import EdgeProxyClient, ProxySpec
from fuzzer.edges.process import EdgeProcess
from fuzzer.edges.sources import sources
from models.errors import RuntimeUnavailable
from models.toxic import Toxic
from tests.fuzzer.edges.rig import BUSY_S
from tests.support.waiting import until

ROOT = Path(__file__).parents[3]


def is_gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_it_listens_when_entered_and_is_gone_when_left():
    with EdgeProcess([ProxySpec("a", "127.0.0.1:0", "b.example:80")]) as process:
        pid = process.pid
        assert not is_gone(pid)
        assert process.client.proxies() == process.listens
    assert is_gone(pid)
    process.end()
    with pytest.raises(RuntimeUnavailable):
        process.client.version()


def test_a_port_that_is_taken_is_told_and_leaves_no_process():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        where = f"127.0.0.1:{taken.getsockname()[1]}"
        process = EdgeProcess([ProxySpec("a", where, "b.example:80")])
        with pytest.raises(RuntimeUnavailable, match="cannot listen"), process:
            pass
    assert process.pid == 0


def test_what_cannot_start_says_why(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(RuntimeUnavailable, match="ended at once"), EdgeProcess([]):
        pass


def test_it_ends_with_its_owner_even_when_that_is_killed():
    program = (
        "import time; from fuzzer.edges.process import EdgeProcess\n"
        "with EdgeProcess([]) as p: print(p.pid, flush=True); time.sleep(600)"
    )
    owner = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE)
    pid = int(owner.stdout.readline())
    assert not is_gone(pid)
    owner.kill()
    owner.wait()
    owner.stdout.close()
    until(lambda: is_gone(pid), "the proxy ends with its owner")


def test_toxics_heal_themselves_when_nobody_calls():
    with EdgeProcess([ProxySpec("a", "127.0.0.1:0", "b.example:80")], ttl_s=1.0) as process:
        client = process.client
        client.add_toxic("a", Toxic("timeout"))
        client.set_enabled("a", False)
        host, _, port = process.listens["a"].listen.partition(":")

        def listens() -> bool:  # asking the API would keep the toxics alive
            with socket.socket() as caller:
                return caller.connect_ex((host, int(port))) == 0

        assert not listens()
        assert client.toxics("a")
        until(listens, "the proxy is enabled again")
        assert client.toxics("a") == ()


def test_the_same_seed_rolls_the_same_dice():
    rolls = []
    for _ in range(2):
        with EdgeProcess([ProxySpec("a", "127.0.0.1:0", "127.0.0.1:9")], seed=5) as process:
            upstream = socket.create_server(("127.0.0.1", 0))
            spec = ProxySpec("a", "127.0.0.1:0", f"127.0.0.1:{upstream.getsockname()[1]}")
            host, _, port = process.client.populate([spec])["a"].listen.partition(":")
            process.client.add_toxic("a", Toxic("limit_data", {"bytes": 0}, "upstream", 0.5))
            rolled = ""
            for _ in range(16):
                with socket.create_connection((host, int(port)), BUSY_S) as caller:
                    other, _ = upstream.accept()
                    caller.sendall(b"x")
                    rolled += "x" if other.recv(1) else "-"
                    other.close()
            rolls.append(rolled)
            upstream.close()
    assert rolls[0] == rolls[1]
    assert set(rolls[0]) == {"x", "-"}


@pytest.fixture
def alone(tmp_path):
    """Starts it from nothing but its sources, with nothing but the standard library."""
    started = []

    def start(*options: str) -> tuple[subprocess.Popen, str]:
        for name, content in sources().items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        process = subprocess.Popen(
            [sys.executable, "-S", "-E", "-m", "fuzzer.edges", "--api", "127.0.0.1:0", *options],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process, process.stdout.readline()

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_alone_with_a_config_it_starts_though_a_name_does_not_resolve(alone, tmp_path):
    config = tmp_path / "edges.json"
    config.write_text(json.dumps([{"name": "a", "listen": "127.0.0.1:0", "upstream": "nobody.invalid:1"}]))
    process, line = alone("--config", str(config))
    client = EdgeProxyClient(f"http://{json.loads(line)['api']}")
    assert set(client.proxies()) == {"a"}
    os.kill(process.pid, signal.SIGTERM)
    assert process.wait(BUSY_S) == 0


@pytest.mark.parametrize(
    "config", ["nothing", "[{}]", '[{"name": "a", "upstream": "b:1", "listen": "192.0.2.1:1"}]']
)
def test_a_config_that_is_wrong_is_told_in_one_line(alone, tmp_path, config):
    path = tmp_path / "edges.json"
    path.write_text(config)
    process, line = alone("--config", str(path))
    assert line == ""
    assert process.wait(BUSY_S) == 2
    told = process.stderr.read()
    assert told.startswith("fuzzer.edges: ")
    assert told.count("\n") == 1
