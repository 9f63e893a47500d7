"""Narrow and late ways out of a network namespace: a queue for each, into which marked packets go.

``htb`` gives each way a class of its own, and lets everything that nobody marked pass at once; ``netem``,
where the kernel has it, makes a class late. What is marked is for ``filters`` to say. Layouts are those of
linux/pkt_sched.h.
"""

from __future__ import annotations

import errno
import socket
import struct
from collections.abc import Iterable, Sequence

from fuzzer.netns.netlink import CREATE, EXCL, Message, Netlink, Refused, attribute
from fuzzer.netns.rule import Rule

_NEW_QUEUE, _DELETE_QUEUE, _NEW_CLASS = 36, 37, 40
_KIND, _OPTIONS = 1, 2
_ROOT = 0xFFFFFFFF
HANDLE = 0x6B6F << 16
"""By this we know our own queue again, and leave everybody else's alone."""

_ANY_RATE = 0xFFFFFFF0
_ETHERNET = 1
_TICK_NS = 64
_LIMIT = 10_000


class Queues:
    """The queues of every interface but the loopback; none at first."""

    def __init__(self) -> None:
        self._kernel = Netlink(socket.NETLINK_ROUTE)

    def put(self, rules: Sequence[Rule]) -> dict[Rule, int]:
        """A queue for each of these rules, instead of those before; returns their marks.

        Raises:
            Refused: the kernel has no such queue, or somebody else has put one there.
        """
        self.clear()
        marks = {rule: HANDLE | number for number, rule in enumerate(rules, start=1)}
        if marks:
            for interface in _interfaces():
                self._send(_NEW_QUEUE, interface, HANDLE, _ROOT, "htb", _htb())
                for rule, mark in marks.items():
                    self._send(_NEW_CLASS, interface, mark, HANDLE, "htb", _class(rule.kbps))
                    if rule.late_ms:
                        self._send(_NEW_QUEUE, interface, 0, mark, "netem", _netem(rule))
        return marks

    def clear(self) -> None:
        """Take our own queues away; what waits in them is sent again by who sent it."""
        for interface in _interfaces():
            try:
                self._send(_DELETE_QUEUE, interface, HANDLE, _ROOT, "htb", b"", 0)
            except Refused as error:
                if error.errno not in (errno.ENOENT, errno.EINVAL):
                    raise

    def knows(self, kind: str) -> str:
        """Why this kind of queue cannot be made on the loopback interface; "" if it can."""
        interface = socket.if_nametoindex("lo")
        options = _htb() if kind == "htb" else _netem(Rule("", "", 0, late_ms=1))
        try:
            self._send(_NEW_QUEUE, interface, HANDLE, _ROOT, kind, options)
            self._send(_DELETE_QUEUE, interface, HANDLE, _ROOT, kind, b"", 0)
        except Refused as error:
            return "the kernel does not have it" if error.errno == errno.ENOENT else str(error)
        return ""

    def _send(
        self,
        kind: int,
        interface: int,
        handle: int,
        parent: int,
        name: str,
        options: bytes,
        flags: int = CREATE | EXCL,
    ) -> None:
        body = struct.pack("=BBHiIII", socket.AF_UNSPEC, 0, 0, interface, handle, parent, 0)
        body += attribute(_KIND, name.encode() + b"\0")
        body += attribute(_OPTIONS, options) if options else b""
        self._kernel.send([Message(kind, flags, body)])


def _interfaces() -> Iterable[int]:
    return [index for index, name in socket.if_nameindex() if name != "lo"]


def _htb() -> bytes:
    """Version 3; what has no class is not held up."""
    return attribute(2, struct.pack("=IIIII", 3, 10, 0, 0, 0))


def _class(kbps: float) -> bytes:
    rate = min(_ANY_RATE, max(1, round(kbps * 125))) if kbps else _ANY_RATE
    spec = struct.pack("=BBHhHI", 0, _ETHERNET, 0, 0, 0, rate)
    saved_up = quantum = 1514 if not kbps else 1
    return attribute(1, spec + spec + struct.pack("=IIIII", saved_up, saved_up, quantum, 0, 0))


def _netem(rule: Rule) -> bytes:
    late, jitter = (round(one * 1_000_000) for one in (rule.late_ms, rule.jitter_ms))
    most = 0xFFFFFFFF
    ticks = [min(most, one // _TICK_NS) for one in (late, jitter)]
    head = struct.pack("=IIIIII", ticks[0], _LIMIT, 0, 0, 0, ticks[1])
    return head + attribute(10, struct.pack("=q", late)) + attribute(11, struct.pack("=q", jitter))
