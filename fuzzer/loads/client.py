"""How requests are sent: any number at once, each over a kept connection and within a deadline.

One thread does it all, for threads that hand each other the interpreter's lock answer late. So nothing
here waits but ``work``, and whatever a server does, it costs one connection until the deadline.

A server may close an idle connection whenever it likes, and it is no failure of the server if a client
overlooks that. So a kept connection is looked at before it is used again, and one that was closed is
replaced. What the server does once the request is under way counts.
"""

from __future__ import annotations

import select
import selectors
import socket
import ssl
import time
from collections.abc import Callable, Sequence
from errno import EADDRNOTAVAIL, EMFILE, ENFILE, ENOBUFS
from typing import Generic, TypeVar

from fuzzer.loads.answers import Answer, Garbage, Incoming, TooLarge, looked_at
from fuzzer.loads.connection import Connection, Origin
from fuzzer.loads.message import Message
from fuzzer.loads.order import Target

ERRORS: tuple[tuple[type[OSError], str], ...] = (
    (ConnectionRefusedError, "refused"),
    (ConnectionError, "reset"),
    (socket.gaierror, "dns"),
    (TimeoutError, "timeout"),
    (ssl.SSLError, "tls"),
)

OWN_LIMITS = (EMFILE, ENFILE, ENOBUFS, EADDRNOTAVAIL)
"""No socket, no port: that is this machine's trouble, and says nothing about the server."""

WAIT_MOST_S = 0.02
"""Who wakes up so often knows it if it was not scheduled for longer than that."""

Ticket = TypeVar("Ticket")


class Kind:
    """One kind of request, prepared: its bytes, and the connections that wait for it."""

    __slots__ = ("idle", "message", "origin", "target", "wanted")

    def __init__(self, target: Target, origin: Origin, idle: list[Connection]) -> None:
        self.target = target
        self.origin = origin
        self.idle = idle
        self.message = Message(target)
        self.wanted = target.expect is not None or target.id_key is not None


class _Exchange(Generic[Ticket]):
    """One request that is under way."""

    __slots__ = ("connection", "deadline_s", "incoming", "kind", "ticket", "word")

    def __init__(self, kind: Kind, word: str, ticket: Ticket, deadline_s: float) -> None:
        self.kind = kind
        self.word = word
        self.ticket = ticket
        self.deadline_s = deadline_s
        self.incoming = Incoming(kind.target.method, wanted=kind.wanted)
        self.connection: Connection | None = None


class Client(Generic[Ticket]):
    """Sends requests to any number of servers.

    Args:
        timeout_s: how long an answer is waited for, from when its request is sent.
        ended: told each request's ticket, and what became of it; from within ``send`` and ``work``.

    Attributes:
        away_s: for how long this client itself may have overlooked what it is telling now.
    """

    def __init__(self, timeout_s: float, ended: Callable[[Ticket, Answer], None]) -> None:
        self._timeout_s = timeout_s
        self._ended = ended
        self._selector = selectors.DefaultSelector()
        self._waiting = [self._selector.fileno()]
        self._origins: dict[str, tuple[Origin, list[Connection]]] = {}
        self._under_way: dict[_Exchange[Ticket], None] = {}  # the first is the first to be given up
        self._looked_s = time.monotonic()
        self.away_s = 0.0

    @property
    def under_way(self) -> int:
        """How many requests are not answered yet."""
        return len(self._under_way)

    def prepare(self, target: Target) -> Kind:
        """What can be done before the first request of a kind is sent, a look at its host's name too."""
        if target.url not in self._origins:
            self._origins[target.url] = Origin(target.url), []
        self._looked_s = time.monotonic()
        return Kind(target, *self._origins[target.url])

    def send(self, kind: Kind, word: str, ticket: Ticket) -> None:
        """Send a request, with ``word`` for its id; every failure is an answer too."""
        exchange = _Exchange(kind, word, ticket, time.monotonic() + self._timeout_s)
        self._under_way[exchange] = None
        data = kind.message.for_word(word)
        while kind.idle:
            connection = kind.idle.pop()
            try:
                if not connection.is_stale():
                    self._lend(connection, exchange)
                    connection.send(data)
                    return
            except OSError:
                pass
            connection.close()
        try:
            connection = Connection(kind.origin, self._selector)
            self._lend(connection, exchange)
            connection.send(data)
        except OSError as error:
            self._fail(exchange, error)

    def work(self, until_s: float) -> None:
        """Wait for something to happen, not for long nor beyond a moment; do what can be done at once."""
        if self._under_way:
            until_s = min(until_s, next(iter(self._under_way)).deadline_s)
        now_s = time.monotonic()
        wait_s = min(max(0.0, until_s - now_s), WAIT_MOST_S)
        happened: Sequence[object] = self._waiting
        if wait_s:  # a selector's own timeout is rounded up to milliseconds
            happened, _, _ = select.select(self._waiting, (), (), wait_s)
        events = self._selector.select(0) if happened else ()
        looked_s = time.monotonic()
        self.away_s = (now_s - self._looked_s) + max(0.0, looked_s - now_s - wait_s)
        self._looked_s = looked_s
        for key, _ in events:
            self._go_on(key.data)
        self._give_up(looked_s)

    def _lend(self, connection: Connection, exchange: _Exchange[Ticket]) -> None:
        connection.user = exchange
        exchange.connection = connection

    def _go_on(self, connection: Connection) -> None:
        exchange: _Exchange[Ticket] | None = connection.user
        if exchange is None:  # closed while idle, or talking out of turn
            if connection.is_stale():
                connection.close()
                self._origins[connection.origin.url][1].remove(connection)
            return
        incoming = exchange.incoming
        try:
            data = connection.ready()
            if data is None:
                return
            if incoming.feed(data) if data else incoming.closed():
                self._complete(exchange, connection)
            elif not data:
                raise ConnectionResetError
        except Garbage:
            self._end(exchange, Answer(incoming.status, "garbage"))
        except TooLarge:
            self._end(exchange, Answer(incoming.status, "too-large"))
        except OSError as error:
            self._fail(exchange, error)

    def _complete(self, exchange: _Exchange[Ticket], connection: Connection) -> None:
        incoming, kind = exchange.incoming, exchange.kind
        assert incoming.status is not None
        if incoming.reusable and connection.is_free():
            connection.user = exchange.connection = None
            kind.idle.append(connection)
        self._end(exchange, looked_at(incoming.status, incoming.body, kind.target, exchange.word))

    def _fail(self, exchange: _Exchange[Ticket], error: OSError) -> None:
        if error.errno in OWN_LIMITS and not isinstance(error, socket.gaierror):
            name = "unsent"
        else:
            name = next((name for kind, name in ERRORS if isinstance(error, kind)), "unreachable")
        self._end(exchange, Answer(exchange.incoming.status, name))

    def _end(self, exchange: _Exchange[Ticket], answer: Answer) -> None:
        if exchange.connection:
            exchange.connection.close()
            exchange.connection = None
        del self._under_way[exchange]
        self._ended(exchange.ticket, answer)

    def _give_up(self, now_s: float) -> None:
        """End what is past its deadline."""
        while self._under_way:
            exchange = next(iter(self._under_way))
            if exchange.deadline_s > now_s:
                return
            self._end(exchange, Answer(exchange.incoming.status, "timeout"))
