"""Is a neighbour there? One kept connection, asked again and again in the background.

Nothing here waits on behalf of a request: a service reads `Watch.up`, which is always an answer,
and never asks a neighbour while somebody waits for it.

Three ways not to be there, and they matter to different people:

- *gone*: nobody listens. A kept connection breaks at the moment its peer dies, so the pause
  between two questions is spent waiting for exactly that.
- *hung*: it accepts (the kernel does) and never answers: a paused process, a blackholed network.
  The connection may be dead for good, so the next question goes over a new one.
- *sick*: it answers, with a 5xx.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import threading
import time
from collections.abc import Callable, Mapping

from shop.address import Address

OK, SICK, HUNG, GONE = "ok", "sick", "hung", "gone"
RETRY_S = 0.05
# The kernel answers for a paused process too: who does not connect at once is not there.
CONNECT_S = 0.2


class Watch(threading.Thread):
    """Asks one service's /health for ever and remembers what came back.

    interval_s, timeout_s: between questions; for each of them.
    patience: how long (s) each way of failing is put up with before `on_down`; default none.
    any_answer: a 5xx counts as being there.
    at_once: a broken connection counts as gone, without a second look over a new one.
    reopen: False keeps the first connection whatever happens to it.
    session: greet the peer by a session id and say goodbye before hanging up (orders-db asks for it).
    on_up, on_down: called with the watch, in its thread, on a change; on_down once more when what
    hung is gone.
    """

    def __init__(
        self,
        name: str,
        address: Address,
        *,
        interval_s: float,
        timeout_s: float,
        patience: Mapping[str, float] | None = None,
        any_answer: bool = False,
        at_once: bool = False,
        reopen: bool = True,
        session: bool = False,
        on_up: Callable[[Watch], None] = lambda watch: None,
        on_down: Callable[[Watch], None] = lambda watch: None,
    ) -> None:
        super().__init__(name=f"watch-{name}", daemon=True)
        self.peer, self.address = name, address
        self.interval_s, self.timeout_s = interval_s, timeout_s
        self.patience = dict(patience or {})
        self.any_answer, self.at_once, self.reopen, self.session = any_answer, at_once, reopen, session
        self.on_up, self.on_down = on_up, on_down
        self.up = self.ever_up = False
        self.last = GONE
        self.last_ok_s = self.recovered_s = 0.0
        self.failing_since_s: float | None = None
        self._socket: socket.socket | None = None
        self._owed = self._spent = False
        self._question = b""

    def run(self) -> None:
        """The thread's life."""
        while True:
            asked_s = time.monotonic()
            self._judge(self.ask(), asked_s)
            self._rest()

    def ask(self) -> str:
        """One question: OK, SICK, HUNG or GONE."""
        kept = self._socket is not None
        try:
            if self._spent:
                return GONE
            if not kept:
                self._connect()
            status = self._exchange()
            self._owed = False
            return OK if status < 500 or self.any_answer else SICK
        except TimeoutError:
            if self._socket is None:
                self.address.distrust()
                return GONE
            if self.reopen:
                self.hang_up()
            else:
                self._owed = True
            return HUNG
        except (OSError, ValueError, RuntimeError):  # RuntimeError: no thread left to resolve a name
            self.hang_up()
            self.address.distrust()
            if kept and not self.reopen:
                self._spent = True
            elif kept and not self.at_once:
                return self.ask()
            return GONE

    def goodbye(self) -> None:
        """Tell a peer that counts sessions that this one ends on purpose. From any thread."""
        connection = self._socket
        if self.session and connection is not None:
            with contextlib.suppress(OSError):
                connection.sendall(b"DELETE /session HTTP/1.1\r\nContent-Length: 0\r\n\r\n")

    def hang_up(self) -> None:
        """Close the connection, politely."""
        self.goodbye()
        connection, self._socket = self._socket, None
        if connection is not None:
            connection.close()

    def _connect(self) -> None:
        connection = socket.create_connection(self.address.get(), CONNECT_S)
        connection.settimeout(self.timeout_s)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        greeting = f"X-Shop-Session: {os.urandom(6).hex()}\r\n" if self.session else ""
        self._question = f"GET /health HTTP/1.1\r\nHost: {self.peer}\r\n{greeting}\r\n".encode()
        self._socket = connection

    def _exchange(self) -> int:
        """Ask, read one whole answer, return its status. After restarts another service may stand
        at an old address, so the answer must carry the right name."""
        connection = self._socket
        assert connection is not None
        if not self._owed:
            connection.sendall(self._question)
        data = b""
        while True:
            part = connection.recv(65536)
            if not part:
                raise ConnectionResetError(f"{self.peer} hung up")
            data += part
            head, end, body = data.partition(b"\r\n\r\n")
            if end:
                fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
                if len(body) >= int(fields.get(b"content-length", b"0")):
                    break
        if fields.get(b"server") != self.peer.encode():
            raise ConnectionResetError(f"another service than {self.peer} answers")
        return int(head[9:12])

    def _judge(self, verdict: str, asked_s: float) -> None:
        now_s = time.monotonic()
        before, self.last = self.last, verdict
        if verdict == OK:
            self.last_ok_s = now_s
            self.failing_since_s = None
            if not self.up:
                self.recovered_s = now_s
                self.up = self.ever_up = True
                self.on_up(self)
            return
        if self.failing_since_s is None:
            self.failing_since_s = asked_s
        tired = now_s - self.failing_since_s >= self.patience.get(verdict, 0.0)
        if self.up and tired:
            self.up = False
            self.on_down(self)
        elif not self.up and self.ever_up and before == HUNG and verdict == GONE:
            self.on_down(self)

    def _rest(self) -> None:
        """Wait for the next question, or for the connection to break; less while it is not well."""
        rest_s = self.interval_s if self.last == OK else min(self.interval_s, RETRY_S)
        if self._socket is None or self._owed:
            time.sleep(rest_s)
            return
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        poll.poll(rest_s * 1000)
