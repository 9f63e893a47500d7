"""What comes back over a connection: an HTTP/1.1 answer, read piece by piece, whatever it is.

The standard library reads an answer by blocking until it is there, which would take a thread for each
request that is under way. This reader takes pieces of any size as they come (RFC 9112), keeps no more
of them than is looked at, and refuses what is no answer as soon as that can be told.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from fuzzer.loads.order import Target

READ_MOST_BYTES = 64 << 20
"""A longer answer is not read to its end: it counts as bad."""

KEPT_BYTES = 1 << 20
"""How much of an answer is looked at for what it should contain; the rest is read and forgotten."""

HEAD_MOST_BYTES = 64 << 10
LINE_MOST_BYTES = 4 << 10

_BEGIN = b"HTTP/1."
_STATUS = re.compile(rb"HTTP/1\.([0-9]) ([1-9][0-9]{2})[ \r\n]")
_HEAD_END = re.compile(rb"\n\r?\n")
_FIELD = re.compile(rb"\n(content-length|transfer-encoding|connection)[ \t]*:[ \t]*([^\r\n]*)", re.IGNORECASE)
_SIZE = re.compile(rb"([0-9a-fA-F]{1,16})[ \t]*(?:;.*)?")
_UNTIL_CLOSED, _CHUNKED = -1, -2
_NO_BODY = (204, 304)


class Garbage(Exception):
    """What came is no HTTP answer."""


class TooLarge(Exception):
    """The answer is longer than is read."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a request; ``written`` is the id of what the server says it has stored."""

    status: int | None
    error: str = ""
    written: str = ""


class Incoming:
    """One answer on its way.

    Attributes:
        status: None until the head was read.
        body: its beginning, if it is wanted.
        reusable: once it is complete, whether the connection may be used again.
    """

    __slots__ = ("_chunks", "_head", "_headless", "_left", "_size", "_wanted", "body", "reusable", "status")

    def __init__(self, method: str, *, wanted: bool) -> None:
        self._headless = method == "HEAD"
        self._wanted = wanted
        self._head = bytearray()
        self._left = 0
        self._size = 0
        self._chunks: _Chunks | None = None
        self.status: int | None = None
        self.body = bytearray()
        self.reusable = False

    def feed(self, data: bytes) -> bool:
        """Take what came; whether the answer is complete.

        Raises:
            Garbage: it is none.
            TooLarge: it is longer than is read.
        """
        while self.status is None:
            rest = self._read_head(data)
            if rest is None:
                return False
            data = rest
        if self._chunks:
            for piece in self._chunks.feed(data):
                self._take(piece)
            if self._chunks.over and self._chunks.rest:
                self.reusable = False
            return self._chunks.over
        if self._left == _UNTIL_CLOSED:
            self._take(data)
            return False
        if len(data) > self._left:  # more than was announced: whose is it?
            data, self.reusable = data[: self._left], False
        self._take(data)
        self._left -= len(data)
        return not self._left

    def closed(self) -> bool:
        """The server closed the connection; whether that makes the answer complete."""
        self.reusable = False
        return self.status is not None and self._left == _UNTIL_CLOSED

    def _read_head(self, data: bytes) -> bytes | None:
        """What follows the head in ``data``; None while the head is not complete."""
        head = self._head
        seen = len(head)
        head += data
        if not head.startswith(_BEGIN) and not _BEGIN.startswith(head):
            raise Garbage
        end = _HEAD_END.search(head, max(0, seen - 3))
        if end is None:
            if len(head) > HEAD_MOST_BYTES:
                raise Garbage
            return None
        status = _STATUS.match(head)
        if status is None:
            raise Garbage
        code = int(status[2])
        rest = bytes(head[end.end() :])
        if code >= 200:
            self._understand(code, status[1] != b"0", bytes(head[: end.end()]))
        elif code == 101:  # nobody asked for another protocol
            raise Garbage
        self._head = bytearray()
        return rest

    def _understand(self, code: int, modern: bool, head: bytes) -> None:
        """What the head says of the body and of the connection."""
        left, chunked, self.reusable = _UNTIL_CLOSED, False, modern
        for name, value in _FIELD.findall(head):
            name, value = name.lower(), value.strip().lower()
            if name == b"connection":
                self.reusable = b"close" not in value and (modern or b"keep-alive" in value)
            elif name == b"transfer-encoding":
                chunked = chunked or value.endswith(b"chunked")
            elif not value.isdigit() or left not in (_UNTIL_CLOSED, int(value)):
                raise Garbage
            else:
                left = int(value)
        if self._headless or code in _NO_BODY:
            left = 0
        elif chunked:
            left, self._chunks = _CHUNKED, _Chunks()
        self._left = left
        self.status = code
        if left > READ_MOST_BYTES:
            raise TooLarge

    def _take(self, data: bytes) -> None:
        self._size += len(data)
        if self._wanted and len(self.body) < KEPT_BYTES:
            self.body += data
        if self._size > READ_MOST_BYTES:
            raise TooLarge


class _Chunks:
    """The chunked coding: each piece behind a line with its length, a length of 0 at the end."""

    __slots__ = ("_left", "_line", "_trailers", "over", "rest")

    def __init__(self) -> None:
        self._left = 0
        self._line = self._size_line
        self._trailers = 0
        self.over = False
        self.rest = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """The pieces of the body in what came."""
        rest, pieces = self.rest, []
        rest += data
        while rest and not self.over:
            if self._left:
                pieces.append(bytes(rest[: self._left]))
                del rest[: len(pieces[-1])]
                self._left -= len(pieces[-1])
                continue
            end = rest.find(b"\n")
            if end > LINE_MOST_BYTES or (end < 0 and len(rest) > LINE_MOST_BYTES):
                raise Garbage
            if end < 0:
                break
            line = bytes(rest[:end]).strip()
            del rest[: end + 1]
            self._line(line)
        return pieces

    def _size_line(self, line: bytes) -> None:
        size = _SIZE.fullmatch(line)
        if size is None:
            raise Garbage
        self._left = int(size[1], 16)
        self._line = self._end_of_piece if self._left else self._trailer

    def _end_of_piece(self, line: bytes) -> None:
        if line:
            raise Garbage
        self._line = self._size_line

    def _trailer(self, line: bytes) -> None:
        self.over = not line
        self._trailers += len(line)
        if self._trailers > HEAD_MOST_BYTES:
            raise Garbage


def looked_at(status: int, body: bytes | bytearray, target: Target, word: str) -> Answer:
    """What a complete answer means to whoever sent the request, with ``word`` for its id."""
    if status >= 400:
        return Answer(status)
    if target.expect is not None and target.expect.encode() not in body:
        return Answer(status, "wrong-body")
    if not target.acknowledges:
        return Answer(status)
    if target.id_key is None:
        return Answer(status, written=word)
    try:
        written = json.loads(body)
        for key in target.id_key.split("."):
            written = written[key]
    except (ValueError, LookupError, TypeError, RecursionError):
        return Answer(status, "wrong-body")
    if written is None or isinstance(written, dict | list):
        return Answer(status, "wrong-body")
    return Answer(status, written=str(written))
