"""A connection that never blocks: it connects, sends and receives as far as it can at once."""

from __future__ import annotations

import os
import socket
import ssl
import time
from contextlib import suppress
from errno import EINPROGRESS
from ipaddress import ip_address
from selectors import EVENT_READ, EVENT_WRITE, BaseSelector
from threading import Event, Thread
from typing import Any
from urllib.parse import urlsplit

RECEIVE_BYTES = 1 << 16
"""More than a record of TLS holds: else a part of one would wait where no selector sees it."""

LOOK_AGAIN_S = 1.0
"""How often a name is looked up; a resolver that hangs stalls nothing, since it has a thread."""

NOT_NOW = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Origin:
    """Where requests go: ``scheme://host:port``.

    Attributes:
        addresses: of its host, to be tried in this order; none while they are not known.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.url = url
        self.host = parts.hostname or "127.0.0.1"
        self.tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._port = parts.port or (443 if self.tls else 80)
        self.addresses: tuple[tuple[int, Any], ...] = ()
        self._looked = Event()
        if _is_literal(self.host):
            self._look()
        else:
            Thread(target=self._keep_looking, daemon=True).start()
            self._looked.wait(LOOK_AGAIN_S)

    def _keep_looking(self) -> None:
        while True:
            self._look()
            time.sleep(LOOK_AGAIN_S)

    def _look(self) -> None:
        try:
            found = socket.getaddrinfo(self.host, self._port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):  # a name with an empty or overlong label cannot be encoded
            found = []
        self.addresses = tuple((int(family), address) for family, _, _, _, address in found)
        self._looked.set()


class Connection:
    """One connection to an origin; ``selector`` is told what it waits for, with itself as the data.

    Raises:
        OSError: it could not even begin to connect.
    """

    __slots__ = ("_addresses", "_connected", "_selector", "_unsent", "_waits_for", "origin", "sock", "user")

    def __init__(self, origin: Origin, selector: BaseSelector) -> None:
        if not origin.addresses:
            raise socket.gaierror(socket.EAI_NONAME, "no address")
        self.origin = origin
        self.sock: socket.socket
        self.user: Any = None
        self._selector = selector
        self._addresses = list(origin.addresses)
        self._unsent = b""
        self._connected = False
        self._waits_for = 0
        self._dial(None)

    def send(self, data: bytes) -> None:
        """Send as soon as it can be sent.

        Raises:
            OSError: the connection is broken; nothing of ``data`` was taken.
        """
        self._unsent = data
        if self._connected:
            self._flush()

    def is_free(self) -> bool:
        """Whether all of the last request was sent: a server may answer before it has read it."""
        return not self._unsent

    def is_stale(self) -> bool:
        """Whether a connection on which nothing is due has something to say: then it was closed."""
        try:
            self.sock.recv(1)
        except NOT_NOW:
            return False
        except OSError:
            return True
        return True

    def ready(self) -> bytes | None:
        """Go on, now that it can: what was received, b"" if the server closed, None if nothing came.

        Raises:
            OSError: it is broken.
        """
        if not self._connected and not self._connect():
            return None
        broken: OSError | None = None
        if self._unsent:
            try:
                self._flush()
            except OSError as error:  # a server may answer and close before it has read everything
                broken, self._unsent = error, b""
        try:
            return self.sock.recv(RECEIVE_BYTES)
        except NOT_NOW:
            if broken:
                raise broken from None
            return None

    def close(self) -> None:
        """Give it up, in whatever state it is."""
        with suppress(KeyError, ValueError):  # it is not known where connecting failed
            self._selector.unregister(self.sock)
        self.sock.close()

    def _dial(self, problem: OSError | None) -> None:
        """Begin to connect to the next address."""
        while self._addresses:
            family, address = self._addresses.pop(0)
            sock = socket.socket(family, socket.SOCK_STREAM)
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            code = sock.connect_ex(address)
            if code in (0, EINPROGRESS):
                self.sock = sock
                self._waits_for = EVENT_READ | EVENT_WRITE
                self._selector.register(sock, self._waits_for, self)
                return
            sock.close()
            problem = OSError(code, os.strerror(code))
        assert problem
        raise problem

    def _connect(self) -> bool:
        """Whether it is connected by now."""
        code = self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            self._selector.unregister(self.sock)
            self.sock.close()
            self._dial(OSError(code, os.strerror(code)))
            return False
        if self.origin.tls and not self._shake_hands(self.origin.tls):
            return False
        self._connected = True
        return True

    def _shake_hands(self, tls: ssl.SSLContext) -> bool:
        if not isinstance(self.sock, ssl.SSLSocket):
            self._selector.unregister(self.sock)
            self.sock = tls.wrap_socket(
                self.sock, server_hostname=self.origin.host, do_handshake_on_connect=False
            )
            self._selector.register(self.sock, self._waits_for, self)
        try:
            self.sock.do_handshake()
        except ssl.SSLWantReadError:
            self._wait_for(EVENT_READ)
            return False
        except ssl.SSLWantWriteError:
            self._wait_for(EVENT_READ | EVENT_WRITE)
            return False
        return True

    def _flush(self) -> None:
        with suppress(*NOT_NOW):
            self._unsent = self._unsent[self.sock.send(self._unsent) :]
        self._wait_for(EVENT_READ | EVENT_WRITE if self._unsent else EVENT_READ)

    def _wait_for(self, events: int) -> None:
        if events != self._waits_for:
            self._waits_for = events
            self._selector.modify(self.sock, events, self)


def _is_literal(host: str) -> bool:
    try:
        ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True
