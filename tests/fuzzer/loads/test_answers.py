"""Reading answers in pieces: the pieces must not matter, and what is none must be told."""

import pytest

from fuzzer.loads import answers
from fuzzer.loads.answers import Answer, Garbage, Incoming, TooLarge, looked_at
from fuzzer.loads.order import Target

HELLO = b"5\r\nhello\r\n6;note=x\r\n world\r\n0\r\n"
WHOLE = {
    "length": (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, b"hello", True),
    "no body": (b"HTTP/1.1 500 Oops\r\ncontent-length:0\r\n\r\n", 500, b"", True),
    "no reason": (b"HTTP/1.1 200\r\nContent-Length: 1\r\n\r\nx", 200, b"x", True),
    "close": (b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx", 200, b"x", False),
    "old": (b"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx", 200, b"x", False),
    "old, kept": (
        b"HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 1\r\n\r\nx",
        200,
        b"x",
        True,
    ),
    "nothing": (b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", 204, b"", True),
    "chunks": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + HELLO + b"\r\n",
        200,
        b"hello world",
        True,
    ),
    "trailers": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n" + HELLO + b"Sum: 1\r\nB: 2\r\n\r\n",
        200,
        b"hello world",
        True,
    ),
    "informed first": (
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 201 Made\r\n"
        b"Content-Length: 2\r\n\r\nok",
        201,
        b"ok",
        True,
    ),
    "bare line ends": (b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok", 200, b"ok", True),
    "the same length twice": (
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok",
        200,
        b"ok",
        True,
    ),
}


@pytest.mark.parametrize("size", [1, 2, 3, 7, 10_000])
@pytest.mark.parametrize("name", WHOLE)
def test_pieces_do_not_matter(name, size):
    data, status, body, reusable = WHOLE[name]
    incoming = Incoming("GET", wanted=True)
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    assert [incoming.feed(piece) for piece in pieces] == [False] * (len(pieces) - 1) + [True]
    assert (incoming.status, bytes(incoming.body), incoming.reusable) == (status, body, reusable)


@pytest.mark.parametrize("name", WHOLE)
def test_an_answer_that_breaks_off_is_not_complete(name):
    data, *_ = WHOLE[name]
    for at in range(len(data)):
        incoming = Incoming("GET", wanted=False)
        assert not incoming.feed(data[:at])
        assert not incoming.closed()


def test_without_a_length_the_close_is_the_end():
    incoming = Incoming("GET", wanted=True)
    assert not incoming.feed(b"HTTP/1.1 200 OK\r\n\r\nhello")
    assert incoming.closed()
    assert (bytes(incoming.body), incoming.reusable) == (b"hello", False)


def test_an_answer_to_head_has_no_body():
    incoming = Incoming("HEAD", wanted=False)
    assert incoming.feed(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n")
    assert incoming.reusable


@pytest.mark.parametrize("name", ["length", "chunks", "nothing"])
def test_what_comes_after_an_answer_spoils_the_connection(name):
    incoming = Incoming("GET", wanted=True)
    assert incoming.feed(WHOLE[name][0] + b"HTTP")
    assert bytes(incoming.body) == WHOLE[name][2]
    assert not incoming.reusable


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x02\x00",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"\r\n",
        b"HTTP/2.0 200 OK\r\n\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 2000 OK\r\n\r\n",
        b"HTTP/1.1 099 OK\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello!\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"0" * 5000,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + b"A: b\r\n" * 30_000,
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000,
    ],
)
def test_garbage_is_refused(data):
    incoming = Incoming("GET", wanted=False)
    with pytest.raises(Garbage):
        incoming.feed(data)


def test_garbage_is_not_waited_for():
    """A server that speaks something else may wait for the client to go on: for ever."""
    with pytest.raises(Garbage):
        Incoming("GET", wanted=False).feed(b"220 ")


def test_a_long_answer_is_not_kept(monkeypatch):
    monkeypatch.setattr(answers, "KEPT_BYTES", 100)
    incoming = Incoming("GET", wanted=True)
    incoming.feed(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while not incoming.feed(b"x" * 50):
        pass
    assert 100 <= len(incoming.body) <= 150


@pytest.mark.parametrize("head", [b"", b"Transfer-Encoding: chunked\r\n"])
def test_an_endless_answer_is_too_large(monkeypatch, head):
    monkeypatch.setattr(answers, "READ_MOST_BYTES", 1000)
    incoming = Incoming("GET", wanted=False)
    incoming.feed(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n")
    for _ in range(9):
        incoming.feed(b"64\r\n" + b"x" * 100 + b"\r\n")
    with pytest.raises(TooLarge):
        incoming.feed(b"64\r\n" + b"x" * 100 + b"\r\n64\r\n" + b"x" * 100 + b"\r\n")
    assert incoming.status == 200


def target(expect=None, acknowledges=False, id_key=None):
    return Target("http://x", "POST", "/", {}, None, 1.0, expect, acknowledges, id_key)


@pytest.mark.parametrize(
    ("status", "body", "asked", "answer"),
    [
        (200, b"all good", target(expect="good"), Answer(200)),
        (200, b"all bad", target(expect="good"), Answer(200, "wrong-body")),
        (503, b"all bad", target(expect="good"), Answer(503)),
        (201, b"", target(acknowledges=True), Answer(201, written="w-1")),
        (409, b"", target(acknowledges=True), Answer(409)),
        (201, b'{"id": 7}', target(acknowledges=True, id_key="id"), Answer(201, written="7")),
        (201, b'{"a": {"b": "x"}}', target(acknowledges=True, id_key="a.b"), Answer(201, written="x")),
        (201, b'{"id": 7}', target(acknowledges=True, id_key="order"), Answer(201, "wrong-body")),
        (201, b'{"id": null}', target(acknowledges=True, id_key="id"), Answer(201, "wrong-body")),
        (201, b'{"id": {}}', target(acknowledges=True, id_key="id"), Answer(201, "wrong-body")),
        (201, b"[1]", target(acknowledges=True, id_key="id"), Answer(201, "wrong-body")),
        (201, b"\xff\xfe{", target(acknowledges=True, id_key="id"), Answer(201, "wrong-body")),
        (201, b"[" * 100_000, target(acknowledges=True, id_key="id"), Answer(201, "wrong-body")),
    ],
)
def test_what_an_answer_means(status, body, asked, answer):
    assert looked_at(status, body, asked, "w-1") == answer
