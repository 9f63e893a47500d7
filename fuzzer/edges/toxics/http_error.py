"""``http_error``: requests are answered on the edge with ``status``; the dependency never sees them.

The dice are rolled for each request, not once for a connection: with a toxicity of 0.2 one request in five
fails. It reads HTTP/1.x on the client's way to the server, whatever ``stream`` says; anything else (TLS,
HTTP/2, other protocols) passes untouched.

The connection stays correct. A request that is answered here is first read to its end. Its answer waits
until earlier requests of the connection have theirs from the server, which is why answers are counted,
too. An answer enters the way back where the server's answers do, so toxics on that way apply to it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from http import HTTPStatus
from typing import ClassVar

from fuzzer.edges.http1 import Body, Head, NotHttp, body_of, read_head
from fuzzer.edges.toxics.base import Attribute, Item, Link, Mark, Wire, weight_bytes


def error_answer(status: int, method: str, *, last: bool) -> bytes:
    """A whole response."""
    try:
        reason = HTTPStatus(status).phrase
    except ValueError:
        reason = "Error"
    body = f"{status} {reason} (http_error on the edge)\n".encode()
    head = (
        f"HTTP/1.1 {status} {reason}\r\nServer: knockon-edge\r\nContent-Type: text/plain\r\n"
        f"Content-Length: {len(body)}\r\n" + ("Connection: close\r\n" if last else "") + "\r\n"
    )
    return head.encode() + (b"" if method == "HEAD" else body)


class Answers:
    """Counts the server's answers, to know which requests still wait for theirs."""

    def __init__(self) -> None:
        self.asked: deque[str] = deque()
        self._data = bytearray()
        self._body: Body | None = None

    def saw(self, data: bytes) -> None:
        """Bytes came from the server.

        Raises:
            NotHttp: they cannot be followed.
        """
        self._data += data
        while self._data and self.asked:
            if self._body is None:
                head = read_head(self._data)
                if head is None:
                    return
                if not head.status:
                    raise NotHttp("a request where an answer was due")
                del self._data[: head.size]
                body = body_of(head, self.asked[0])
                if head.status < 200:
                    continue  # an interim answer; the real one follows
                self._body = body
            del self._data[: self._body.take(self._data)]
            if self._body.ended:
                self._body = None
                self.asked.popleft()
        if not self.asked:
            self._data.clear()  # nobody asked: it began before this toxic came


class HttpError(Link):
    """A dependency that answers with an error."""

    kind: ClassVar[str] = "http_error"
    summary: ClassVar[str] = "HTTP/1.x requests are answered with an error by the edge itself"
    attributes: ClassVar[Mapping[str, Attribute]] = {
        "status": Attribute("HTTP status", 503, 400, 599, whole=True)
    }
    per_request: ClassVar[bool] = True
    stands_in: ClassVar[str | None] = "upstream"

    def __init__(self, wire: Wire, values: Mapping[str, float], toxicity: float) -> None:
        super().__init__(wire, values, toxicity)
        self._data = bytearray()
        self._mark: Mark | None = None
        self._head: Head | None = None
        self._body: Body | None = None
        self._harm = False
        self._blind = self._done = False
        self._answers = Answers()
        self._held_bytes = 0

    def start(self) -> None:
        """See what comes back."""
        self.wire.watch(self._saw)

    def feed(self, item: Item) -> None:
        """Take requests out of the stream."""
        if isinstance(item, Mark):
            self._mark = item
        elif not self._done:
            self._data += item
        self._work()

    def leave(self) -> list[Item]:
        """Give back what is no complete request yet."""
        self.wire.watch(self._saw, on=False)
        if self._done or (self._harm and self._body):  # the server must not see the rest of it
            self._data.clear()
            self.wire.close()
        left: list[Item] = [bytes(self._data)] if self._data else []
        if self._mark:
            left.append(self._mark)
        self._data.clear()
        self._count()
        return left

    def _saw(self, data: bytes) -> None:
        waited = bool(self._answers.asked)
        try:
            self._answers.saw(data)
        except NotHttp:
            self._answers = Answers()
            self._give_up()
            self._work()
            return
        if not self._answers.asked:
            self._blind = False  # it is the client's turn: a request may begin
            if waited:
                self._work()

    def _work(self) -> None:
        try:
            while self._step():
                pass
        except NotHttp:
            self._give_up()
        if (self._blind or self._mark) and not self._waits:
            data = bytes(self._data)
            self._data.clear()
            if data:
                self.pass_on(data)
        if self._mark and not self._waits:
            mark, self._mark = self._mark, None
            self.pass_on(mark)
        self._count()

    def _give_up(self) -> None:
        """What comes cannot be followed: it passes as it is, until it is the client's turn again."""
        if self._harm and self._body:  # half a request of which the server saw nothing
            self._data.clear()
            self.wire.close()
        self._head, self._body, self._harm = None, None, False
        self._blind = True

    @property
    def _waits(self) -> bool:
        """A request is to be answered here, and it is not its turn."""
        return self._harm and self._head is not None and self._body is None

    def _step(self) -> bool:
        """One head, or some of a body. Whether there may be more to do."""
        if self._blind or not self._data:
            return False
        if self._head is None:
            head = read_head(self._data)
            if head is None:
                return False
            if head.status:
                raise NotHttp("an answer where a request was due")
            body_of(head)  # it can be followed, or is left alone
            self._head = head
            self._harm = self.wire.random.random() < self.toxicity
        if self._body is None:
            return self._begin(self._head)
        count = self._body.take(self._data)
        part = bytes(self._data[:count])
        del self._data[:count]
        if not self._harm:
            self.pass_on(part)
        if self._body.ended:
            self._finish()
        return True

    def _begin(self, head: Head) -> bool:
        if self._harm and self._answers.asked:
            return False
        raw = bytes(self._data[: head.size])
        del self._data[: head.size]
        self._body = body_of(head)
        if not self._harm:
            self._answers.asked.append(head.method)
            self.pass_on(raw)
        if self._body.ended or (self._harm and head.has("expect", "100-continue")):
            self._finish()
        return True

    def _finish(self) -> None:
        """The request is complete (or its body is not wanted)."""
        head, body, harm = self._head, self._body, self._harm
        assert head
        assert body
        self._head, self._body, self._harm = None, None, False
        if not harm:
            return
        last = head.last or not body.ended
        self.wire.answer(error_answer(int(self.values["status"]), head.method, last=last), self._saw)
        if last:  # what it still sends is taken and dropped: to close now might be a reset
            self._data.clear()
            self._done = True
            self.wire.answer(Mark.END, self._saw)

    def _count(self) -> None:
        held_bytes = weight_bytes(bytes(self._data)) if self._data else 0
        self.wire.count(held_bytes - self._held_bytes)
        self._held_bytes = held_bytes
