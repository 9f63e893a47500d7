"""Where HTTP/1.x messages begin and end (RFC 9112): enough to take one out of a stream of bytes.

Nothing is decoded and no body is kept: a ``Head`` tells how its body is delimited, and a ``Body`` says how
many of the bytes that came belong to it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

HEAD_MOST_BYTES = 65_536
LINE_MOST_BYTES = 4096
"""Of a line between the chunks of a body."""

_MAYBE_REQUEST = re.compile(rb"[A-Z-]{1,20}(\Z| [^\r\n]*\r?\Z| [^\r\n]* HTTP/1\.[01]\r?\n)")
_REQUEST = re.compile(rb"([A-Z-]{1,20}) (\S+) HTTP/1\.([01])$")
_RESPONSE = re.compile(rb"HTTP/1\.([01]) ([0-9]{3})( .*)?$")


class NotHttp(Exception):
    """These bytes are no HTTP/1.x message that could be followed."""


@dataclass(frozen=True, slots=True)
class Head:
    """A request line or status line (``status`` is 0 for a request), with its fields in lower case."""

    method: str
    target: str
    minor: int
    status: int
    fields: dict[str, str]
    size: int
    """How many bytes it took, the empty line included."""

    def has(self, field: str, word: str) -> bool:
        """Whether a field's comma-separated list holds a word."""
        return word in (part.strip().lower() for part in self.fields.get(field, "").split(","))

    @property
    def last(self) -> bool:
        """The sender of this request wants no other after it on this connection."""
        return self.has("connection", "close") or not (self.minor or self.has("connection", "keep-alive"))


def read_head(data: bytes | bytearray) -> Head | None:
    """The head at the beginning of ``data``; None if it is not complete yet.

    Raises:
        NotHttp: it is none, or will never be one.
    """
    blank = len(data) - len(data.lstrip(b"\r\n"))  # section 2.2: empty lines before a message are ignored
    rest = bytes(data[blank : blank + HEAD_MOST_BYTES])
    if rest and not _MAYBE_REQUEST.match(rest) and not rest[:7].startswith(b"HTTP/1."[: len(rest)]):
        raise NotHttp("no HTTP/1.x request")
    found = re.search(rb"\r?\n\r?\n", rest)
    if not found:
        if len(data) - blank > HEAD_MOST_BYTES:
            raise NotHttp(f"a head of more than {HEAD_MOST_BYTES} bytes")
        return None
    first, *lines = rest[: found.start()].splitlines()
    fields: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.decode("latin-1").partition(":")
        if not colon or not name or name != name.strip():
            raise NotHttp("a field without a name")
        name = name.lower()
        fields[name] = f"{fields[name]}, {value.strip()}" if name in fields else value.strip()
    size = blank + found.end()
    if request := _REQUEST.match(first):
        method, target, minor = request.groups()
        return Head(method.decode(), target.decode("latin-1"), int(minor), 0, fields, size)
    if response := _RESPONSE.match(first):
        return Head("", "", int(response[1]), int(response[2]), fields, size)
    raise NotHttp("no HTTP/1.x message")


class Body:
    """Counts one body.

    Args:
        left: so many bytes; None: until the connection ends.
        chunked: in chunks that tell their sizes; ``left`` means nothing then.
        keep: is given the content (of chunks: without their frames).
    """

    def __init__(
        self, left: int | None, *, chunked: bool = False, keep: Callable[[bytes], object] | None = None
    ) -> None:
        self._left = 0 if chunked else left
        self._chunked = chunked
        self._keep = keep
        self._line = bytearray()
        self._state = "size" if chunked else "data"
        self.ended = not chunked and left == 0

    def take(self, data: bytes | bytearray) -> int:
        """How many bytes at the beginning of ``data`` belong to this body.

        Raises:
            NotHttp: its chunks are damaged.
        """
        if self._left is None:
            return len(data)
        taken = 0
        while taken < len(data) and not self.ended:
            if self._state == "data":
                count = min(self._left, len(data) - taken)
                if self._keep:
                    self._keep(bytes(data[taken : taken + count]))
                self._left -= count
                taken += count
                if not self._left:
                    self._state = "after"
                    self.ended = not self._chunked
            else:
                taken += self._take_line(data, taken)
        return taken

    def _take_line(self, data: bytes | bytearray, start: int) -> int:
        end = data.find(b"\n", start) + 1
        self._line += data[start : end or len(data)]
        if len(self._line) > LINE_MOST_BYTES:
            raise NotHttp("a line without an end between chunks")
        if not end:
            return len(data) - start
        line = self._line.strip()
        self._line.clear()
        if self._state == "size":
            size = line.split(b";")[0].strip()
            if not re.fullmatch(rb"[0-9a-fA-F]{1,15}", size):
                raise NotHttp("a chunk without a size")
            self._left = int(size, 16)
            self._state = "data" if self._left else "trailer"
        elif self._state == "after":
            if line:
                raise NotHttp("a chunk that is longer than it said")
            self._state = "size"
        else:  # trailer fields, until an empty line
            self.ended = not line
        return end - start


def body_of(head: Head, asked: str = "", keep: Callable[[bytes], object] | None = None) -> Body:
    """How the body after a head is delimited (RFC 9112, section 6.3).

    Args:
        head: of a request, or of a response.
        asked: for a response, the method that it answers.
        keep: is given the content.

    Raises:
        NotHttp: that cannot be told, or it is no longer HTTP that follows.
    """
    if head.status == 101 or (asked == "CONNECT" and 200 <= head.status < 300):
        raise NotHttp("another protocol follows")
    if head.status and (asked == "HEAD" or head.status < 200 or head.status in (204, 304)):
        return Body(0)
    if "transfer-encoding" in head.fields:
        if head.fields["transfer-encoding"].split(",")[-1].strip().lower() == "chunked":
            return Body(None, chunked=True, keep=keep)
        if head.status:
            return Body(None)
        raise NotHttp("a request without an end")
    lengths = {part.strip() for part in head.fields.get("content-length", "").split(",")} - {""}
    if not lengths:
        return Body(None if head.status else 0)
    length = lengths.pop()
    if lengths or not re.fullmatch("[0-9]{1,15}", length):
        raise NotHttp("a content-length that is no number")
    return Body(int(length), keep=keep)
