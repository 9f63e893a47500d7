"""One page, one deadline: whatever a server does, asking ends."""

import time

import pytest

from fuzzer.probes.ask import FAILURES, ask
from tests.fuzzer.probes.servers import once, polite, requests, serving


def page(body, status="200 OK", *headers):
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(head).encode() + body


def test_a_page():
    with serving(polite(page(b"hello", "404 Not Found"))) as server:
        assert ask(server.url, 5.0) == (404, b"hello")


def test_what_is_asked():
    heads = []

    def listen(connection, number):
        heads.append(next(requests(connection)))
        connection.sendall(page(b""))

    with serving(listen) as server:
        ask(server.url.replace("//", "//me:a%40b@") + "/ä?x=a b", 5.0)
    lines = heads[0].split(b"\r\n")
    assert lines[0] == b"GET /health/%C3%A4?x=a%20b HTTP/1.1"
    assert f"Host: 127.0.0.1:{server.port}".encode() in lines
    assert b"Authorization: Basic bWU6YUBi" in lines


def test_a_redirect_is_followed():
    with (
        serving(polite(page(b"there"))) as there,
        serving(polite(page(b"", "302 Found", f"Location: {there.url}"))) as here,
    ):
        assert ask(here.url, 5.0) == (200, b"there")


def dripping(at_once, data):
    def manners(connection, number):
        next(requests(connection))
        connection.sendall(at_once)
        for byte in data:
            connection.sendall(bytes([byte]))
            time.sleep(0.02)

    return manners


@pytest.mark.parametrize(
    "manners",
    [
        lambda connection, number: time.sleep(3),
        dripping(b"", b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1000),
        dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n", b"x" * 9999),
        dripping(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 9999),
        lambda connection, number: connection.close(),
        once(b"garbage\r\n\r\n"),
        once(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"),
        once(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * (2 << 20)),
        once(b"HTTP/1.1 200 OK\r\nContent-Length: 90000000\r\n\r\n" + b"x" * (2 << 20)),
        polite(page(b"", "302 Found", "Location: /again")),
        polite(page(b"", "302 Found", "Location: file:///etc/passwd")),
    ],
)
def test_no_answer_of_any_use_is_a_failure_in_time(manners):
    with serving(manners) as server:
        began_s = time.monotonic()
        with pytest.raises(FAILURES):
            ask(server.url, 0.5)
        assert time.monotonic() - began_s < 20  # the slow ones would last minutes


@pytest.mark.parametrize(
    "url", ["ftp://127.0.0.1/x", "http:///x", "/x", "http://127.0.0.1:1/x", "http://127.0.0.1:x/"]
)
def test_nowhere_to_ask(url):
    with pytest.raises(FAILURES):
        ask(url, 1.0)


def test_redirects_in_a_circle_end():
    with (
        serving(polite(page(b"", "302 Found", "Location: /health"))) as here,
        pytest.raises(FAILURES, match="more than 5 redirects"),
    ):
        ask(here.url, 5.0)
