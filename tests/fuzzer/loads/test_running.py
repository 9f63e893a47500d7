"""The load engine, the real process, against real servers."""

import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from fuzzer.loads import running
from fuzzer.loads.order import Order
from models.errors import StepInvalid
from models.load import Durable, Endpoint, Load, Phase, Shape
from tests.fuzzer.loads.conftest import BUSY_S, drip, until
from tests.fuzzer.probes.servers import OK, once, polite, requests, serving

ROOT = Path(__file__).resolve().parents[3]


def load(*endpoints, timeout_s=BUSY_S, **keys):
    made = endpoints or (Endpoint("GET /", "shop", **keys),)
    return Load("browse", made, timeout_s=timeout_s)


def origin(server):
    return f"http://127.0.0.1:{server.port}"


def test_every_request_that_was_due_is_recorded(server, rig):
    seen = rig.play(load(), server.url, 40, 1)
    assert len(seen) == len(server.seen) == 40
    assert all(request.good and request.status == 200 for request in seen)
    began, ended = rig.told.loads
    due = sorted(request.intended_s for request in seen)
    assert [b - a for a, b in pairwise(due)] == pytest.approx([1 / 40] * 39, abs=1e-5)
    assert due[0] == began.began_s
    assert began.ended_s is None
    assert (began.phase, began.rate_rps, ended.ended_s is not None) == (Phase.DURING, 40, True)
    assert all(0 < request.latency_ms < 1000 * (ended.ended_s - began.began_s) for request in seen)


def test_it_is_told_while_it_goes_on(server, rig):
    """A step waits for the first answer of its load, and laws are judged as it plays."""
    rig.start(load(), server.url, 20, 60)
    until(lambda: len(rig.told.requests) > 5)
    assert not rig.loads.quiet
    assert rig.told.loads[0].began_s + 59 < rig.loads.ends_s < rig.told.loads[0].began_s + 61


def test_endpoints_by_weight(server, rig):
    often, seldom = Endpoint("often", "shop", path="/a", weight=3), Endpoint("seldom", "shop", path="/b")
    seen = rig.play(load(often, seldom), server.url, 80, 0.5)
    assert Counter(request.endpoint for request in seen) == {"often": 30, "seldom": 10}
    assert Counter(path for _, path, _, _ in server.seen) == {"/a": 30, "/b": 10}


def test_several_services(server, rig):
    with serving(polite()) as other:
        endpoints = Endpoint("one", "shop"), Endpoint("two", "search")
        seen = rig.play(load(*endpoints), {"shop": server.url, "search": origin(other)}, 20, 0.5)
        assert Counter(request.endpoint for request in seen) == {"one": 5, "two": 5}
        assert len(server.seen) == 5


def test_headers_bodies_and_words_of_its_own(server, rig):
    rig.play(
        load(method="POST", path="/o/{id}", headers={"X-Key": "{id}"}, body='{"n": "{id}"}'),
        server.url,
        20,
        0.5,
    )
    words = {path.removeprefix("/o/") for _, path, _, _ in server.seen}
    assert len(words) == 10
    assert all(method == "POST" for method, _, _, _ in server.seen)
    assert {headers["X-Key"] for _, _, headers, _ in server.seen} == words
    assert {body.decode() for _, _, _, body in server.seen} == {f'{{"n": "{word}"}}' for word in words}


def test_words_are_never_used_again(server, rig):
    """Else a write of an earlier run would be found in place of one that was lost."""
    for _ in range(2):
        rig.play(load(path="/{id}"), server.url, 20, 0.5)
    assert len({path for _, path, _, _ in server.seen}) == 20


def test_another_body_than_expected(server, rig):
    seen = rig.play(load(expect="better"), server.url, 10, 0.5)
    assert {(request.status, request.error, request.good) for request in seen} == {(200, "wrong-body", False)}


def test_ids_that_the_server_makes(server, rig):
    server.answer = 201, b'{"order": {"id": "a \\"b\\" \xc3\xa9"}}'
    durable = Durable("shop", "/orders/{id}", "order.id")
    seen = rig.play(load(method="POST", durable=durable), server.url, 10, 0.5)
    assert [request.written for request in seen] == ['a "b" é'] * 5


def test_ids_that_requests_make(server, rig):
    durable = Durable("shop", "/orders/{id}")
    seen = rig.play(load(method="PUT", path="/orders/{id}", durable=durable), server.url, 10, 0.5)
    assert {f"/orders/{request.written}" for request in seen} == {path for _, path, _, _ in server.seen}
    server.answer = 503, b""
    assert {request.written for request in rig.play(load(durable=durable), server.url, 10, 0.5)[5:]} == {""}


def test_a_ramp(server, rig):
    seen = rig.play(load(), server.url, 50, 1, Shape.RAMP)
    middle_s = rig.told.loads[0].began_s + 0.5
    assert len(seen) == 50
    assert sum(request.intended_s < middle_s for request in seen) == pytest.approx(50 / 4, abs=1)


def test_a_burst(server, rig):
    server.gate.clear()
    rig.start(load(), server.url, 40, 2, Shape.BURST)
    until(lambda: len(server.seen) == 40)  # all under way at once, though none was answered
    server.gate.set()
    rig.finish()
    assert sorted(Counter(request.intended_s for request in rig.told.requests).values()) == [40, 40]


def test_a_stall_is_seen_by_every_request_that_was_due_in_it(server, rig):
    server.gate.clear()
    rig.start(load(), server.url, 50, 1)
    until(lambda: len(server.seen) == 50)
    time.sleep(0.5)
    opened_s = time.monotonic()
    server.gate.set()
    rig.finish()
    for request in rig.told.requests:
        assert request.ended_s >= opened_s
        assert request.ended_s == pytest.approx(opened_s, abs=1.0)
    latencies = sorted(request.latency_ms for request in rig.told.requests)
    assert latencies[-1] - latencies[0] == pytest.approx(980, abs=300)


def test_a_server_error_is_no_good_answer(server, rig):
    server.answer = 503, b"{}"
    seen = rig.play(load(), server.url, 10, 0.5)
    assert {(request.status, request.error, request.good) for request in seen} == {(503, "", False)}


def test_a_server_that_closes_what_is_idle_fails_nobody(rig):
    def closes_soon(connection, number):
        connection.settimeout(0.03)
        for _ in requests(connection):
            connection.sendall(OK)

    with serving(closes_soon) as server:
        seen = rig.play(load(), origin(server), 10, 1)
        assert Counter(request.kind for request in seen) == {"ok": 10}
        assert len(server.connections) > 5


def never(connection, number):
    connection.settimeout(BUSY_S)
    while connection.recv(4096):
        pass


@pytest.mark.parametrize(
    ("manners", "kind"),
    [
        (lambda connection, number: connection.close(), "reset"),
        (once(b"\x00\x01\x02\r\n\r\n"), "garbage"),
        (once(b"HTTP/1.1 200 OK\r\nContent-Length: 77777777777\r\n\r\n"), "too-large"),
        (never, "timeout"),
        (lambda connection, number: drip(connection, b"HTTP/1.1 200 OK\r\nX: " + b"x" * 9999), "timeout"),
        (lambda connection, number: drip(connection, b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 9999), "timeout"),
    ],
)
def test_bad_servers_are_told_and_hold_up_nobody(rig, manners, kind):
    with serving(manners) as server:
        began_s = time.monotonic()
        seen = rig.play(load(timeout_s=1.0), origin(server), 40, 0.5)
        assert time.monotonic() - began_s < 0.5 + 1.0 + 20.0
    assert Counter(request.kind for request in seen) == {kind: 20}


def test_a_service_that_hangs_is_no_trouble_of_the_engine(rig):
    """As many requests are under way as it takes: the engine keeps its schedule, and says timeout."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=2048)  # accepts, and never answers
    seen = rig.play(load(timeout_s=1.5), f"http://127.0.0.1:{listener.getsockname()[1]}", 600, 2)
    listener.close()
    assert Counter(request.kind for request in seen) == {"timeout": 1200}
    assert min(request.latency_ms for request in seen) >= 1500


@pytest.mark.parametrize(
    ("url", "kind"), [("http://127.0.0.1:1", "refused"), ("http://nowhere.invalid", "dns")]
)
def test_nobody_there(rig, url, kind):
    assert Counter(request.kind for request in rig.play(load(), url, 10, 0.5)) == {kind: 5}


def test_large_answers_leave_no_trace(rig):
    body = b"x" * (10 << 20)
    with serving(polite(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)) as server:
        rig.start(load(expect="y"), origin(server), 10, 3)
        most = 0

        def look():
            nonlocal most
            most = max(most, resident_bytes(rig.engine.pid))

        until(lambda: rig.loads.quiet, check=look)
    assert Counter(request.kind for request in rig.told.requests) == {"wrong-body": 30}
    assert 0 < most < 150 << 20


def resident_bytes(pid):
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError):
        return 0


def test_an_engine_that_is_killed_proves_nothing_but_what_it_told_is_kept(server, rig):
    rig.start(load(), server.url, 50, 60)
    until(lambda: len(rig.told.requests) > 10)
    rig.engine.kill()
    run = rig.finish()
    assert run.trouble == "the engine of load browse ended before its time, by signal 9"
    assert run.ended_s - run.began_s < 60
    assert len(rig.told.requests) > 10
    assert all(request.good for request in rig.told.requests)


def test_stopping_ends_it_and_keeps_what_it_told(server, rig):
    rig.start(load(), server.url, 50, 60)
    until(lambda: len(rig.told.requests) > 5)
    process = rig.engine
    rig.loads.stop()
    assert process.returncode is not None
    assert rig.told.loads[-1].trouble == "the engine of load browse was stopped"
    assert len(rig.told.requests) > 5
    assert rig.loads.quiet
    assert rig.loads.ends_s == float("-inf")


def test_stopping_what_is_over_takes_nothing_back(server, rig):
    rig.play(load(), server.url, 20, 0.5)
    rig.loads.stop()
    assert [run.trouble for run in rig.told.loads] == ["", ""]


def test_an_engine_that_was_not_scheduled_says_so(server, rig):
    rig.start(load(), server.url, 50, 2)
    until(lambda: len(rig.told.requests) > 5)
    rig.engine.send_signal(signal.SIGSTOP)
    time.sleep(1.0)
    rig.engine.send_signal(signal.SIGCONT)
    run = rig.finish()
    assert run.trouble.startswith("the engine of load browse fell behind its schedule: ")
    assert len(rig.told.requests) == 100
    late = [request for request in rig.told.requests if request.lag_ms > running.LATE_MS]
    assert len(late) >= 30
    for request in late:  # what is not the engine's own is small: the server was well all the time
        assert request.latency_ms - request.lag_ms < 500


def test_what_nobody_would_wait_for_any_more_is_not_sent_but_told(server, rig):
    rig.start(load(timeout_s=0.3), server.url, 50, 2)
    until(lambda: len(rig.told.requests) > 5)
    rig.engine.send_signal(signal.SIGSTOP)
    time.sleep(1.0)
    rig.engine.send_signal(signal.SIGCONT)
    assert "fell behind its schedule" in rig.finish().trouble
    unsent = [request for request in rig.told.requests if request.error == "unsent"]
    assert len(rig.told.requests) == 100
    assert len(unsent) >= 20
    assert len(server.seen) <= 100 - len(unsent)
    assert all(request.lag_ms >= 300 and request.status is None for request in unsent)


def test_an_answer_that_came_while_the_engine_was_not_scheduled_proves_nothing(server, rig):
    """It was sent in time, and read late: without the lag, the service would be blamed."""
    server.gate.clear()
    rig.start(load(), server.url, 1, 1)
    until(lambda: len(server.seen) == 1)
    rig.engine.send_signal(signal.SIGSTOP)
    server.gate.set()
    time.sleep(1.0)
    rig.engine.send_signal(signal.SIGCONT)
    assert "fell behind its schedule: 1 of 1 requests" in rig.finish().trouble
    assert rig.told.requests[0].lag_ms > 500 - running.LATE_MS


def test_an_engine_that_never_ends_is_ended(server, rig, monkeypatch):
    monkeypatch.setattr(running, "PATIENCE_S", 0.5)
    rig.start(load(timeout_s=0.5), server.url, 20, 0.5)
    rig.engine.send_signal(signal.SIGSTOP)
    assert rig.finish().trouble == "the engine of load browse did not end by itself"


def test_a_told_line_that_is_missing_is_missed(server, rig, monkeypatch):
    monkeypatch.setattr(running, "due_count", lambda *_: 11)
    rig.start(load(), server.url, 20, 0.5)
    assert rig.finish().trouble == "the engine of load browse told of 10 of 11 requests"


@pytest.mark.parametrize("program", ["exit 1", "echo hello", "echo ready soon", "exec sleep 60", "cat"])
def test_an_engine_that_does_not_begin_is_an_invalid_step(rig, monkeypatch, tmp_path, program):
    fake = tmp_path / "python"
    fake.write_text(f"#!/bin/sh\n{program}\n")
    fake.chmod(0o755)
    monkeypatch.setattr(running, "READY_S", 0.5)
    monkeypatch.setattr(running.sys, "executable", str(fake))
    began_s = time.monotonic()
    with pytest.raises(StepInvalid, match="the engine of load browse did not start"):
        rig.start(load(), "http://127.0.0.1:1")
    assert time.monotonic() - began_s < 20
    assert rig.told.loads == []
    assert rig.loads.quiet


def test_an_engine_ends_with_its_parent(server):
    program = """
        import sys, time
        from fuzzer.loads.running import RunningLoads
        from models.load import Endpoint, Load, Phase, Shape
        class Sink:
            saw_request = saw_load = lambda self, seen: None
        loads = RunningLoads(Sink(), time.monotonic)
        load = Load("browse", (Endpoint("GET /", "shop"),))
        loads.start(load, {"shop": sys.argv[1]}, Phase.DURING, Shape.STEADY, 20.0, 600.0)
        print(loads._sending[0].process.pid, flush=True)
        time.sleep(600)
    """
    parent = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program), server.url],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        engine = int(parent.stdout.readline())
        until(lambda: len(server.seen) > 3)
    finally:
        parent.kill()
        parent.wait()
        parent.stdout.close()
    until(lambda: not resident_bytes(engine))


def test_a_parent_that_does_not_listen_stalls_nothing(server):
    """The pipe is full after some hundred requests; the schedule goes on."""
    order = Order.of(load(path="/" + "x" * 100), {"shop": server.url}, 200, 2, Shape.STEADY)
    engine = subprocess.Popen(
        [sys.executable, "-m", "fuzzer.loads.engine"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    set_pipe_size(engine.stdout, 4096)
    engine.stdin.write(order.dumps() + "\n")
    engine.stdin.flush()
    until(lambda: len(server.seen) == 400)
    lines = engine.stdout.read().splitlines()
    engine.stdin.close()
    engine.stdout.close()
    engine.wait()
    assert (lines[0].split()[0], len(lines), lines[-1]) == ("ready", 402, "done")


def set_pipe_size(pipe, size):
    import fcntl

    fcntl.fcntl(pipe.fileno(), fcntl.F_SETPIPE_SZ, size)


def test_latency_is_told_to_the_millisecond(rig):
    """Against a server that takes 20 ms; what is over that is the engine's, on a machine that is busy."""

    def slowly(connection, number):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in requests(connection):
            time.sleep(0.02)
            connection.sendall(OK)

    with serving(slowly) as server:
        seen = rig.play(load(), origin(server), 50, 2)
    latencies_ms = sorted(request.latency_ms for request in seen)
    assert latencies_ms[0] >= 20
    assert latencies_ms[len(latencies_ms) // 10] < 25  # of the rest much may be the machine's
