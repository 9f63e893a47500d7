from __future__ import annotations

import pytest

from fuzzer.edges.http1 import NotHttp, body_of, read_head


def test_a_head_is_read_and_its_size_told():
    data = b"\r\nPOST /a HTTP/1.1\r\nHost: b\r\nX: 1\r\nX: 2\r\n\r\nbody"
    head = read_head(data)
    assert head
    assert (head.method, head.target, head.fields) == ("POST", "/a", {"host": "b", "x": "1, 2"})
    assert data[head.size :] == b"body"


@pytest.mark.parametrize(
    "data", [b"G", b"GET ", b"GET / HTTP/1.1\r\n", b"HTTP/1.1 200 OK\r\nA: b\r\n", b"HT"]
)
def test_what_may_become_a_head_is_waited_for(data):
    assert read_head(data) is None


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01",
        b"PING\r\n",
        b"get / HTTP/1.1\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\n",
        b"HELO a\r\n",
        b"GET / HTTP/1.1\r\n: x\r\n\r\n",
    ],
)
def test_what_is_no_head_is_told_at_once(data):
    with pytest.raises(NotHttp):
        read_head(data)


def message(fields: bytes, first: bytes = b"POST / HTTP/1.1"):
    head = read_head(first + b"\r\n" + fields + b"\r\n\r\n")
    assert head
    return head


@pytest.mark.parametrize("step", [1, 3, 1000])
def test_a_chunked_body_ends_where_it_ends(step):
    kept = bytearray()
    body = body_of(message(b"Transfer-Encoding: chunked"), keep=kept.extend)
    data = b"3;x=y\r\nabc\r\n0a\r\n0123456789\r\n0\r\nTrailer: 1\r\n\r\n"
    stream, taken = data + b"GET", 0
    while not body.ended:
        count = body.take(stream[taken : taken + step])
        assert count
        taken += count
    assert (taken, bytes(kept)) == (len(data), b"abc0123456789")


@pytest.mark.parametrize(
    "fields", [b"Content-Length: -1", b"Content-Length: 1, 2", b"Transfer-Encoding: gzip"]
)
def test_a_request_whose_end_cannot_be_told_is_refused(fields):
    with pytest.raises(NotHttp):
        body_of(message(fields))


@pytest.mark.parametrize(
    ("first", "fields", "asked", "ended"),
    [
        (b"HTTP/1.1 200 OK", b"Content-Length: 5", "HEAD", True),
        (b"HTTP/1.1 304 Not Modified", b"Content-Length: 5", "GET", True),
        (b"HTTP/1.1 200 OK", b"Content-Length: 5", "GET", False),
        (b"HTTP/1.1 200 OK", b"A: b", "GET", False),
    ],
)
def test_which_answers_have_a_body(first, fields, asked, ended):
    assert body_of(message(fields, first), asked).ended is ended
