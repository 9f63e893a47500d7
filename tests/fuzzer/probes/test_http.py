"""What a user would notice: an outage that is none, a hang that is missed, a probe that never ends."""

import socket
import threading
import time

import pytest

from fuzzer.probes.http import HttpProbe
from models.errors import RequestError

from .servers import OK, once, polite, requests, serving

SLACK_S = 0.5  # a busy machine


def check(url, timeout_s=1.0):
    probe = HttpProbe(url)
    began = time.monotonic()
    try:
        return probe.check(timeout_s)
    finally:
        assert time.monotonic() - began < timeout_s + SLACK_S, "a probe keeps to its time"
        probe.close()


def answer(status, body=b"", *headers):
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(head).encode() + body


@pytest.mark.parametrize(
    ("status", "healthy"),
    [
        ("200 OK", True),
        ("204 No Content", True),
        ("299 Odd", True),
        ("302 Found", False),
        ("404 Not Found", False),
        ("503 Service Unavailable", False),
    ],
)
def test_only_2xx_is_healthy(status, healthy):
    with serving(polite(answer(status))) as server:
        assert check(server.url) == (healthy, f"HTTP {status[:3]}")


def test_a_redirect_is_not_followed():
    with (
        serving(polite()) as healthy,
        serving(polite(answer("302 Found", b"", f"Location: {healthy.url}"))) as server,
    ):
        assert check(server.url) == (False, "HTTP 302")
        assert not healthy.connections


def test_nobody_listens():
    with serving(polite()) as server:
        url = server.url
    assert check(url) == (False, "refused")


def drip(connection, number):
    next(requests(connection))
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    while True:
        connection.sendall(b".")
        time.sleep(0.02)


def drip_headers(connection, number):
    next(requests(connection))
    connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
    while True:
        connection.sendall(b".")
        time.sleep(0.02)


def continue_for_ever(connection, number):
    next(requests(connection))
    while True:
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n" * 100)


def silent(connection, number):
    time.sleep(10)


@pytest.mark.parametrize("manners", [drip, drip_headers, continue_for_ever, silent])
def test_a_server_that_never_ends_is_a_timeout(manners):
    with serving(manners) as server:
        assert check(server.url, 0.3) == (False, "timeout after 0.3 s")


def test_a_frozen_server_whose_backlog_is_full_is_a_timeout():
    listener = socket.create_server(("127.0.0.1", 0), backlog=0)
    address = listener.getsockname()
    waiting = []
    for _ in range(4):
        connection = socket.socket()
        connection.setblocking(False)
        connection.connect_ex(address)
        waiting.append(connection)
    try:
        assert check(f"http://127.0.0.1:{address[1]}/", 0.3) == (False, "timeout after 0.3 s")
    finally:
        for each in [listener, *waiting]:
            each.close()


def huge(connection, number):
    next(requests(connection))
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n")
    for _ in range(100):
        connection.sendall(b"x" * 1_000_000)


def endless(connection, number):
    next(requests(connection))
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        connection.sendall(b"2000\r\n" + b"x" * 0x2000 + b"\r\n")


@pytest.mark.parametrize("manners", [huge, endless])
def test_the_status_decides_when_the_body_is_too_long_to_read(manners):
    with serving(manners) as server:
        probe = HttpProbe(server.url)
        assert probe.check(2.0) == (True, "HTTP 200")
        assert probe.check(2.0) == (True, "HTTP 200")
        assert len(server.connections) == 2, "a connection with an unread body is not used again"
        probe.close()


@pytest.mark.parametrize(
    ("sent", "detail"),
    [
        (b"", "closed without an answer"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "answered garbage"),
        (b"HTTP/1.1 abc\r\n\r\n", "answered garbage"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200, "answered garbage"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70000, "answered garbage"),
        (bytes(range(256)) * 10, "answered garbage"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", "closed in the middle of its answer"),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            "closed in the middle of its answer",
        ),
    ],
)
def test_a_bad_answer_says_how_it_is_bad(sent, detail):
    with serving(once(sent)) as server:
        assert check(server.url) == (False, detail)


def test_a_bad_status_counts_even_if_its_body_is_broken():
    with serving(once(b"HTTP/1.1 503 No\r\nContent-Length: 10\r\n\r\nhalf")) as server:
        assert check(server.url) == (False, "HTTP 503")


def test_a_reset_is_told():
    def manners(connection, number):
        next(requests(connection))
        linger_and_reset = b"\x01\0\0\0\0\0\0\0"
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger_and_reset)

    with serving(manners) as server:
        assert check(server.url) == (False, "reset")


def test_the_connection_is_kept():
    with serving(polite()) as server:
        probe = HttpProbe(server.url)
        for _ in range(20):
            assert probe.check(1.0)[0]
        assert len(server.connections) == 1
        probe.close()


@pytest.mark.parametrize("body", [OK, b"HTTP/1.0 200 OK\r\n\r\nuntil the end"])
def test_a_kept_connection_that_broke_is_no_outage(body):
    with serving(once(body)) as server:
        probe = HttpProbe(server.url)
        for expected in range(1, 6):
            assert probe.check(1.0) == (True, "HTTP 200")
            time.sleep(0.01)  # the server's end is closed now
            assert len(server.connections) == expected
        probe.close()


def test_a_hang_on_a_kept_connection_is_a_timeout_and_is_not_asked_twice():
    def hangs_at_the_second(connection, number):
        asked = requests(connection)
        next(asked)
        connection.sendall(OK)
        next(asked)
        time.sleep(5)

    with serving(hangs_at_the_second) as server:
        probe = HttpProbe(server.url)
        assert probe.check(1.0)[0]
        assert probe.check(0.2) == (False, "timeout after 0.2 s")
        assert len(server.connections) == 1
        assert probe.check(1.0)[0], "the next question goes out on a new connection"
        probe.close()


def test_what_is_sent_is_one_ordinary_request():
    heads = []

    def manners(connection, number):
        for head in requests(connection):
            heads.append(head)
            connection.sendall(OK)

    with serving(manners) as server:
        check(f"http://ad%40min:pass@127.0.0.1:{server.port}/a path?x=ü")
    first, *rest = heads[0].decode().split("\r\n")
    assert first == "GET /a%20path?x=%C3%BC HTTP/1.1"
    assert f"Host: 127.0.0.1:{server.port}" in rest
    assert "Authorization: Basic YWRAbWluOnBhc3M=" in rest


def test_localhost_is_tried_at_every_address():
    with serving(polite()) as server:  # on IPv4 only
        assert check(f"http://localhost:{server.port}/")[0]


def test_an_unknown_host_is_unhealthy(monkeypatch):
    def nobody_knows(*args, **kwargs):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", nobody_knows)
    assert check("http://no-such-host.invalid/") == (False, "name or service not known")


def test_close_ends_a_check_under_way():
    with serving(silent) as server:
        probe = HttpProbe(server.url)
        answers = []
        thread = threading.Thread(target=lambda: answers.append(probe.check(30.0)))
        thread.start()
        while not server.connections:
            time.sleep(0.005)
        began = time.monotonic()
        probe.close()
        thread.join(5)
        assert answers == [(False, "the probe was closed")]
        assert time.monotonic() - began < SLACK_S


@pytest.mark.parametrize("url", ["ftp://x/", "127.0.0.1:80", "http://", "nonsense"])
def test_a_url_that_is_not_http_is_refused_when_made(url):
    with pytest.raises(RequestError, match="health URL"):
        HttpProbe(url)
