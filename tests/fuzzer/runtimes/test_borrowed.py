"""Proxies on a server that outlives the run."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from fuzzer.edges.client import ProxySpec
from fuzzer.edges.process import EdgeProcess
from fuzzer.healing import heal_local
from fuzzer.runtimes.borrowed import give_back
from fuzzer.runtimes.proxies import proxies_at
from models.toxic import Toxic
from models.wire import Wire
from tests.support.ports import free_ports

WIRE = Wire("web", "db", 8000, "http")

BORROWS = """
import sys, time
from pathlib import Path
from fuzzer.runtimes.proxies import proxies_at
from models.wire import Wire
url, state, upstream = sys.argv[1:]
with proxies_at(url, Path(state)).lent({Wire("web", "db", 8000, "http"): upstream}):
    print("ready", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def server():
    """It has a proxy of somebody else's already."""
    with EdgeProcess([ProxySpec("theirs", "127.0.0.1:0", "127.0.0.1:9")]) as process:
        process.client.add_toxic("theirs", Toxic("latency", {"latency": 5.0}))
        yield process.client


def test_a_run_that_ends_takes_its_proxies_along(server, tmp_path):
    with proxies_at(server._url, tmp_path).lent({WIRE: "127.0.0.1:9"}):
        assert set(server.proxies()) == {"theirs", WIRE.name}
        assert give_back(tmp_path) == [], "it lives"
        assert len(list(tmp_path.iterdir())) == 1
    assert set(server.proxies()) == {"theirs"}
    assert list(tmp_path.iterdir()) == []


def test_of_a_run_that_was_killed_they_are_taken_away_and_nobody_elses(server, tmp_path):
    words = [sys.executable, "-c", BORROWS, server._url, str(tmp_path), f"127.0.0.1:{free_ports(1).start}"]
    run = subprocess.Popen(
        words,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert run.stdout.readline() == "ready\n"
    server.add_toxic(WIRE.name, Toxic("latency", {"latency": 5.0}))
    run.send_signal(signal.SIGKILL)
    run.communicate()
    assert give_back(tmp_path, heir_of=os.getpid()) == [], "that is another run"
    assert f"local: took the proxies of pid {run.pid} off {server._url}" in heal_local(tmp_path, run.pid)
    assert set(server.proxies()) == {"theirs"}
    assert give_back(tmp_path) == []
    assert list(tmp_path.iterdir()) == []
