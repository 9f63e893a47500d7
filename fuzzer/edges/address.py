"""Addresses as Toxiproxy writes them: ``host:port``, ``[::1]:port``, ``:port``."""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass

BACKLOG = 1024
_SHAPE = re.compile(r"(?:\[(?P<v6>[0-9A-Fa-f:.%\w]+)\]|(?P<host>[^\s\[\]:/]*)):(?P<port>[0-9]{1,5})")


@dataclass(frozen=True, slots=True)
class Address:
    """A host, as it was written, and a port."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read one.

        Raises:
            ValueError: with a sentence that says what is wrong.
        """
        found = _SHAPE.fullmatch(text)
        if not found or int(found["port"]) > 65_535:
            raise ValueError(f"{text[:100]!r} is no address of the form host:port")
        return cls(found["v6"] or found["host"] or "", int(found["port"]))

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def listen(self) -> tuple[socket.socket, Address]:
        """A listening socket, and where it listens. ``[::]`` is every address, of IPv4, too.

        Raises:
            OSError: the port is taken, or the address is not ours.
        """
        family, *_, where = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)[0]
        both = self.host == "::" and socket.has_dualstack_ipv6()
        listener = socket.create_server(where[:2], family=family, backlog=BACKLOG, dualstack_ipv6=both)
        listener.setblocking(False)
        return listener, Address(*listener.getsockname()[:2])
