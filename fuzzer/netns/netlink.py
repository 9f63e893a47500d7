"""Talking to the kernel: messages with attributes over a netlink socket, each of them acknowledged.

Only what the rules need. Numbers and layouts are those of linux/netlink.h; see netlink(7).
"""

from __future__ import annotations

import errno
import os
import socket
import struct
from collections.abc import Sequence
from dataclasses import dataclass

REQUEST, ACK, EXCL, CREATE, APPEND = 0x1, 0x4, 0x200, 0x400, 0x800
"""Flags of a message."""

NETLINK_NETFILTER = 12
NESTED = 0x8000

_HEADER = struct.Struct("=IHHII")
_ERROR = 2
ANSWERS_S = 5.0


class Refused(OSError):
    """The kernel said no to a message."""


@dataclass(frozen=True)
class Message:
    """One order. ``acked`` is off for the two that only begin and end a batch."""

    kind: int
    flags: int
    body: bytes
    acked: bool = True


def attribute(kind: int, value: bytes) -> bytes:
    """One attribute, padded to four bytes."""
    return struct.pack("=HH", len(value) + 4, kind) + value + b"\0" * (-len(value) % 4)


def nested(kind: int, *inner: bytes) -> bytes:
    """Attributes in an attribute."""
    return attribute(kind | NESTED, b"".join(inner))


def number(kind: int, value: int) -> bytes:
    """Four bytes in the order of the network, as nftables wants them."""
    return attribute(kind, struct.pack(">I", value))


def text(kind: int, value: str) -> bytes:
    """A name."""
    return attribute(kind, value.encode() + b"\0")


class Netlink:
    """A socket to one part of the kernel.

    Args:
        protocol: which part: ``NETLINK_NETFILTER`` or ``socket.NETLINK_ROUTE``.
    """

    def __init__(self, protocol: int) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, protocol)
        self._socket.bind((0, 0))
        self._socket.settimeout(ANSWERS_S)
        self._number = 0

    def send(self, messages: Sequence[Message]) -> None:
        """Send all in one piece, and wait for what becomes of each.

        Raises:
            Refused: one was refused; the first that was says why.
        """
        packed, waiting = [], set()
        for message in messages:
            self._number += 1
            flags = message.flags | REQUEST | (ACK if message.acked else 0)
            size = _HEADER.size + len(message.body)
            packed.append(_HEADER.pack(size, message.kind, flags, self._number, 0) + message.body)
            if message.acked:
                waiting.add(self._number)
        self._socket.send(b"".join(packed))
        refused = 0
        while waiting:
            for number_, code in _answers(self._socket.recv(1 << 16)):
                # A batch that is refused as a whole is only answered at the message that was wrong.
                waiting = set() if code else waiting - {number_}
                refused = refused or code
        if refused:
            self._drain()
            raise Refused(refused, os.strerror(refused))

    def close(self) -> None:
        """End it; what belongs to this socket goes with it."""
        self._socket.close()

    def _drain(self) -> None:
        """Read what else was said about the same messages."""
        self._socket.setblocking(False)
        try:
            while self._socket.recv(1 << 16):
                pass
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.EWOULDBLOCK):
                raise
        finally:
            self._socket.settimeout(ANSWERS_S)


def _answers(data: bytes) -> list[tuple[int, int]]:
    """Number and errno of each acknowledgement."""
    found, at = [], 0
    while at + _HEADER.size <= len(data):
        size, kind, _, number_, _ = _HEADER.unpack_from(data, at)
        if kind == _ERROR:
            found.append((number_, -struct.unpack_from("=i", data, at + _HEADER.size)[0]))
        at += (size + 3) & ~3
    return found
