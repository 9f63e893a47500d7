"""Asks a service over HTTP; only a 2xx answer, complete and in time, is healthy.

Three things that this probe takes care of, because each of them once looked like an outage or hid one:

- **Connecting proves nothing.** The kernel accepts for a frozen process, and a container engine's
  proxy accepts for a dead one. Only an answer counts.
- **A kept connection that breaks is a suspicion, not a finding.** The server may close what was idle,
  or have been replaced. The question is asked once more, on a new connection, within the same time.
- **A server may be arbitrarily bad.** It may send a byte a second, or stream for ever, or answer with
  100 MB. One deadline covers connecting, headers and body, and a body is read up to 64 KiB only;
  beyond that the status alone decides.

Looking up a host name has no deadline of its own (the resolver's applies); health URLs rarely have
names other than ``localhost``.
"""

from __future__ import annotations

import base64
import io
import socket
import ssl
import time
from contextlib import suppress
from http.client import HTTPException, HTTPResponse, IncompleteRead, RemoteDisconnected
from threading import Lock
from typing import TYPE_CHECKING, cast
from urllib.parse import quote, unquote, urlsplit

from models.errors import RequestError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

BODY_BYTES_MAX = 64 * 1024


class HttpProbe:
    """``GET url`` on a connection that is kept from one check to the next.

    Raises:
        RequestError: the URL is not one of HTTP.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise RequestError(f"found {url!r}; expected a health URL such as http://127.0.0.1:8003/health")
        self._host = parts.hostname
        self._port = parts.port or (443 if parts.scheme == "https" else 80)
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~")
        query = "?" + quote(parts.query, safe="/%:@!$&'()*+,;=~?") if parts.query else ""
        head = [f"GET {path}{query} HTTP/1.1", f"Host: {parts.netloc.rpartition('@')[2]}"]
        head += ["User-Agent: knockon", "Accept: */*"]
        if parts.username is not None:
            user = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            head.append(f"Authorization: Basic {base64.b64encode(user.encode()).decode()}")
        self._request = "\r\n".join([*head, "", ""]).encode()
        self._socket: socket.socket | None = None
        self._closed = False
        self._lock = Lock()

    def check(self, timeout_s: float) -> tuple[bool, str]:
        """Ask once, for at most ``timeout_s`` in all; the detail is the status or what went wrong."""
        deadline_s = time.monotonic() + timeout_s
        with self._lock:
            try:
                return self._ask_twice_if_kept(deadline_s)
            except Exception as error:  # a check never raises: what went wrong is the answer
                self._drop()
                return False, "the probe was closed" if self._closed else _why(error, timeout_s)

    def close(self) -> None:
        """Give up the connection, and with it a check that is under way."""
        self._closed = True
        # Not closed here: the checking thread still uses the descriptor, whose number could then
        # already belong to something else. A shutdown wakes it up, and it closes.
        if (connection := self._socket) is not None:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        with self._lock:
            self._drop()

    def _ask_twice_if_kept(self, deadline_s: float) -> tuple[bool, str]:
        if self._socket is not None:
            try:
                return self._ask(self._socket, deadline_s)
            except TimeoutError:
                raise
            except (OSError, HTTPException, ValueError):
                self._drop()
        return self._ask(self._connect(deadline_s), deadline_s)

    def _connect(self, deadline_s: float) -> socket.socket:
        problem: OSError = ConnectionRefusedError()
        for family, kind, protocol, _, address in socket.getaddrinfo(
            self._host, self._port, type=socket.SOCK_STREAM
        ):
            connection = socket.socket(family, kind, protocol)
            self._socket = connection  # before it is used, so that `close` reaches it
            try:
                if self._closed:
                    raise ConnectionAbortedError
                connection.settimeout(left_s(deadline_s))
                connection.connect(address)
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                if self._tls:
                    connection.settimeout(left_s(deadline_s))
                    connection = self._tls.wrap_socket(connection, server_hostname=self._host)
                    self._socket = connection
                return connection
            except OSError as error:
                problem = error
                self._drop()
        raise problem

    def _ask(self, connection: socket.socket, deadline_s: float) -> tuple[bool, str]:
        connection.settimeout(left_s(deadline_s))
        connection.sendall(self._request)
        answer = HTTPResponse(cast(socket.socket, Incoming(connection, deadline_s)), method="GET")
        answer.begin()
        healthy, detail = 200 <= answer.status < 300, f"HTTP {answer.status}"
        try:
            reusable = _drain(answer) and not answer.will_close
        except (OSError, HTTPException, ValueError):
            if healthy:
                raise
            reusable = False  # the status is bad enough, and says more
        if not reusable:
            self._drop()
        return healthy, detail

    def _drop(self) -> None:
        connection, self._socket = self._socket, None
        if connection is not None:
            connection.close()


class Incoming(io.RawIOBase):
    """The receiving half of a connection, with one deadline for all that is received.

    ``HTTPResponse`` asks a socket for nothing but ``makefile``. A socket's own timeout counts from
    each receive anew, so a server that dribbles would never run into it.
    """

    def __init__(self, connection: socket.socket, deadline_s: float) -> None:
        self._connection = connection
        self._deadline_s = deadline_s

    def makefile(self, mode: str) -> io.BufferedReader:
        """All that a response asks a socket for."""
        return io.BufferedReader(self)

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, into: WriteableBuffer) -> int:
        """Receive what there is.

        Raises:
            TimeoutError: the deadline is over.
        """
        self._connection.settimeout(left_s(self._deadline_s))
        return self._connection.recv_into(into)


def _drain(answer: HTTPResponse) -> bool:
    """Read the body so that the connection can be used again; False if it is too long for that."""
    seen = 0
    while piece := answer.read(8192):
        seen += len(piece)
        if seen >= BODY_BYTES_MAX:
            return answer.isclosed()
    if answer.length:  # `read` does not mind a body that ends early
        raise IncompleteRead(b"", answer.length)
    return True


def left_s(deadline_s: float) -> float:
    """Seconds until a deadline.

    Raises:
        TimeoutError: it is over.
    """
    left = deadline_s - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _why(error: Exception, timeout_s: float) -> str:
    """A short phrase for people."""
    match error:
        case TimeoutError():
            return f"timeout after {float(timeout_s)} s"
        case ConnectionRefusedError():
            return "refused"
        case RemoteDisconnected():
            return "closed without an answer"
        case ConnectionError():
            return "reset"
        case IncompleteRead():
            return "closed in the middle of its answer"
        case ssl.SSLError():
            return f"TLS failed: {error.reason or error}"
        case OSError():
            return (error.strerror or str(error)).lower()
        case HTTPException() | ValueError():
            return "answered garbage"
        case _:
            return f"the probe failed: {type(error).__name__}: {error}"
