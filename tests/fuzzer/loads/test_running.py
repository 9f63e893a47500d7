"""The load generator against real servers."""

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from statistics import median

import pytest

from fuzzer.loads.running import RunningLoads
from models.target import Load


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.server.gate.wait()
        self.send_response(self.server.status)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def do_POST(self):
        self.server.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.do_GET()

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        server.gate, server.status, server.bodies = threading.Event(), 200, []
        server.gate.set()
        server.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.gate.set()
        server.shutdown()


@pytest.fixture
def seen():
    return []


@pytest.fixture
def loads(seen):
    running = RunningLoads(seen.append, time.monotonic)
    yield running
    running.stop()


def wait_for(condition, seconds=20.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_every_request_that_was_due_is_recorded(server, loads, seen):
    began_s = time.monotonic()
    loads.start(Load("browse", "shop"), server.url, rate_rps=40, duration_s=1)
    wait_for(lambda: len(seen) == 40)
    assert all(request.good and request.status == 200 for request in seen)
    due = sorted(request.intended_s for request in seen)
    assert began_s < due[0]
    gaps = [b - a for a, b in pairwise(due)]
    assert median(gaps) == pytest.approx(1 / 40, rel=0.01)


def test_a_stall_is_seen_by_every_request_that_was_due_in_it(server, loads, seen):
    server.gate.clear()
    loads.start(Load("browse", "shop"), server.url, rate_rps=20, duration_s=1)
    time.sleep(1.2)
    server.gate.set()
    wait_for(lambda: len(seen) == 20)
    late = sorted(request.latency_ms for request in seen)
    assert late[-1] > 1000
    assert late[10] > 400  # not only the request that happened to be in flight


def test_a_server_error_is_no_good_answer(server, loads, seen):
    server.status = 503
    loads.start(Load("browse", "shop"), server.url, rate_rps=10, duration_s=0.5)
    wait_for(lambda: len(seen) == 5)
    assert {request.status for request in seen} == {503}
    assert not any(request.good for request in seen)


def test_a_body_is_sent(server, loads, seen):
    loads.start(
        Load("buy", "shop", "POST", "/checkout", body='{"item": 1}'), server.url, rate_rps=5, duration_s=0.5
    )
    wait_for(lambda: len(seen) == 2)
    assert server.bodies == [b'{"item": 1}'] * 2


def test_nobody_there(loads, seen):
    loads.start(Load("browse", "shop"), "http://127.0.0.1:1", rate_rps=10, duration_s=0.5)
    wait_for(lambda: len(seen) == 5)
    assert {request.error for request in seen} == {"refused"}


def test_stopping_ends_the_sender_and_keeps_what_it_sent(server, loads, seen):
    loads.start(Load("browse", "shop"), server.url, rate_rps=50, duration_s=60)
    wait_for(lambda: len(seen) > 5)
    process = loads._sending[0].process
    loads.stop()
    assert process.returncode is not None
    count = len(seen)
    assert count > 5
    assert loads.ends_s == float("-inf")
