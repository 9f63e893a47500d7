from __future__ import annotations

import http.client
from contextlib import suppress

from tests.fuzzer.edges.rig import exchange_s, read
from tests.support.waiting import until


def calling(edge) -> http.client.HTTPConnection:
    return http.client.HTTPConnection(*edge.where, timeout=30)


def ask(calls: http.client.HTTPConnection, method="GET", **rest) -> tuple[int, bytes]:
    calls.request(method, "/", **rest)
    answer = calls.getresponse()
    return answer.status, answer.read()


def test_the_edge_answers_and_the_connection_lives_on(http_edge):
    calls = calling(http_edge)
    assert ask(calls) == (200, b"real")
    own = calls.sock.getsockname()
    http_edge.add("http_error", status=503)
    seen = len(http_edge.dependency.chunks)
    status, body = ask(calls)
    assert status == 503
    assert b"503" in body
    assert ask(calls, "HEAD") == (503, b"")
    assert ask(calls, "POST", body=b"x" * 300_000)[0] == 503
    chunked = iter([b"one", b"two" * 50_000])
    assert (
        ask(calls, "PUT", body=chunked, encode_chunked=True, headers={"Transfer-Encoding": "chunked"})[0]
        == 503
    )
    assert len(http_edge.dependency.chunks) == seen, "the dependency saw none of it"
    http_edge.clear()
    assert ask(calls) == (200, b"real")
    assert calls.sock.getsockname() == own


def test_the_dice_are_rolled_for_each_request(http_edge):
    http_edge.add("http_error", status=500, toxicity=0.5)
    calls = calling(http_edge)
    statuses = [ask(calls, "POST", body=b"x" * 1000)[0] for _ in range(60)]
    assert 10 < statuses.count(500) < 50
    assert set(statuses) == {200, 500}


def test_pipelined_requests_get_their_answers_in_order(http_edge):
    http_edge.add("http_error", status=500, toxicity=0.5)
    caller = http_edge.connect()
    caller.sendall(b"".join(b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % number for number in range(40)))
    with caller.makefile("rb") as file:
        statuses = []
        for _ in range(40):
            statuses.append(int(file.readline().split()[1]))
            length = 0
            while line := file.readline().strip():
                if line.lower().startswith(b"content-length:"):
                    length = int(line.split(b":")[1])
            file.read(length)
    assert 5 < statuses.count(500) < 35
    assert sum(chunk.count(b"GET") for chunk in http_edge.dependency.chunks) == statuses.count(200)


def test_a_last_request_is_answered_and_the_connection_closed(http_edge):
    http_edge.add("http_error", status=404)
    caller = http_edge.connect()
    caller.sendall(b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n")
    answer = read(caller, 10_000)
    assert answer.startswith(b"HTTP/1.1 404 ")
    assert b"connection: close" in answer.lower()


def test_who_expects_to_be_asked_for_a_body_is_told_at_once(http_edge):
    http_edge.add("http_error", status=503)
    caller = http_edge.connect()
    caller.sendall(b"POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n")
    assert read(caller, 10_000).startswith(b"HTTP/1.1 503 ")


def test_a_head_may_come_byte_by_byte(http_edge):
    http_edge.add("http_error", status=503)
    caller = http_edge.connect()
    for byte in b"GET / HTTP/1.1\r\nHost: a\r\n\r\n":
        caller.sendall(bytes([byte]))
    assert read(caller, 12) == b"HTTP/1.1 503"


def test_what_is_no_http_passes(edge):
    edge.add("http_error", status=503)
    caller = edge.connect()
    for data in (
        b"*1\r\n$4\r\nPING\r\n",
        b"PING\r\n",
        b"HELO a.example\r\n",
        bytes(range(256)),
        b"\x16\x03\x01abc",
    ):
        exchange_s(caller, data)


def test_removed_in_the_middle_of_a_request_nothing_half_reaches_the_dependency(http_edge):
    http_edge.add("http_error", status=503)
    caller = http_edge.connect()
    caller.sendall(b"POST / HTTP/1.1\r\nContent-Length: 100\r\n\r\nhalf")
    http_edge.client.version()
    http_edge.clear()
    assert read(caller, 1) == b""
    assert http_edge.dependency.chunks == []


def test_a_request_that_waits_for_its_turn_is_not_lost_when_the_toxic_goes(http_edge):
    http_edge.add("http_error", status=503, toxicity=0.0)
    caller = http_edge.connect()
    caller.sendall(b"GET /1 HTTP/1.1\r\n\r\n")
    until(lambda: http_edge.dependency.chunks, "the dependency is asked")
    http_edge.client._ask(
        "PATCH", f"/proxies/{http_edge.name}/toxics/http_error_downstream", {"toxicity": 1.0}
    )
    caller.sendall(b"GET /2 HTTP/1.1\r\n\r\n")
    http_edge.clear()
    answers = b""
    while answers.count(b"HTTP/1.1 ") < 2:
        answers += caller.recv(1000)
    assert answers.startswith(b"HTTP/1.1 200 ")


def test_an_unwanted_body_never_reaches_the_dependency(http_edge):
    http_edge.add("http_error", status=503)
    caller = http_edge.connect()
    caller.sendall(b"POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 200000\r\n\r\n")
    assert read(caller, 10_000).startswith(b"HTTP/1.1 503 ")
    caller.sendall(bytes(200_000))
    caller.close()
    until(lambda: http_edge.dependency.endings, "the dependency sees the end")
    assert http_edge.dependency.chunks == []


def test_who_never_reads_answers_is_not_read_for_ever(http_edge):
    http_edge.add("http_error", status=503)
    caller = http_edge.connect()
    caller.settimeout(0.5)
    sent, requests = 0, b"GET / HTTP/1.1\r\n\r\n" * 5000
    with suppress(TimeoutError):
        while sent < 50_000_000:
            sent += caller.send(requests)
    assert sent < 50_000_000
    http_edge.clear()
    caller.settimeout(30)
    assert caller.recv(12) == b"HTTP/1.1 503"
