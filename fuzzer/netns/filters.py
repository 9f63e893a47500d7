"""A table of nftables that is ours alone: it drops, rejects, loses and marks packets.

The table belongs to the socket that made it (``NFT_TABLE_F_OWNER``, Linux 5.12), so it is gone when our
process is, however that ends, and no other program's rules are touched. Every change replaces all rules
in one transaction. Layouts are those of linux/netfilter/nf_tables.h.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterable, Iterator, Sequence
from ipaddress import ip_address

from fuzzer.netns.netlink import (
    APPEND,
    CREATE,
    EXCL,
    NETLINK_NETFILTER,
    Message,
    Netlink,
    attribute,
    nested,
    number,
    text,
)
from fuzzer.netns.rule import DROP, LOSE, REFUSE, RESET, SLOW, Rule

TABLE = "knockon"
IN, OUT = "in", "out"

_INET = 1
_NEW_TABLE, _NEW_CHAIN, _NEW_RULE, _DELETE_RULE = (10 << 8 | kind for kind in (0, 3, 6, 8))
_BEGIN, _END = 16, 17
_OWNED = 2
_HOOKS = {IN: 1, OUT: 3}
_REGISTER = 1
_TCP = 6
_SYN, _RST = 0x02, 0x04
_NETWORK, _TRANSPORT = 1, 2
_EQUAL, _LESS = 0, 2
_PRIORITY, _NFPROTO, _L4PROTO = 2, 15, 16
_THOUSANDTHS = 100_000
"""A percentage, in whole numbers."""


class Filters:
    """The table, empty at first.

    Raises:
        Refused: the kernel has no such tables, or we may not make one.
    """

    def __init__(self) -> None:
        self._kernel = Netlink(NETLINK_NETFILTER)
        table = text(1, TABLE) + number(2, _OWNED)
        self._send(
            [
                _message(_NEW_TABLE, CREATE | EXCL, table),
                *(_message(_NEW_CHAIN, CREATE | EXCL, _chain(name)) for name in _HOOKS),
            ]
        )

    def put(self, rules: Iterable[Rule], mark_of: dict[Rule, int]) -> None:
        """These rules instead of those before; ``mark_of`` tells in which queue slow packets go."""
        flush = [_message(_DELETE_RULE, 0, text(1, TABLE) + text(2, name)) for name in _HOOKS]
        made = [
            _message(_NEW_RULE, CREATE | APPEND, text(1, TABLE) + text(2, chain) + nested(4, *_listed(parts)))
            for rule in rules
            for chain, parts in _written(rule, mark_of.get(rule, 0))
        ]
        self._send([*flush, *made])

    def close(self) -> None:
        """Take the table away, with all that is in it."""
        self._kernel.close()

    def _send(self, messages: Sequence[Message]) -> None:
        ends = (Message(kind, 0, struct.pack(">BBH", 0, 0, 10), acked=False) for kind in (_BEGIN, _END))
        begin, end = ends
        self._kernel.send([begin, *messages, end])


def _message(kind: int, flags: int, body: bytes) -> Message:
    return Message(kind, flags, struct.pack(">BBH", _INET, 0, 0) + body)


def _chain(name: str) -> bytes:
    hook = nested(4, number(1, _HOOKS[name]), number(2, 0))
    return text(1, TABLE) + text(3, name) + hook + number(5, 1) + text(7, "filter")


def _written(rule: Rule, mark: int) -> Iterator[tuple[str, list[bytes]]]:
    """Chains and expressions: a slow or lossy way has one direction, all else is cut in both."""
    if rule.deed == SLOW:
        yield OUT, [*_way(rule, OUT), *_marked(mark)]
        return
    if rule.deed == LOSE:
        yield OUT, [*_way(rule, OUT), *_dice(rule.percent), _verdict_drop()]
        return
    for chain in (OUT, IN):
        if rule.deed == DROP:
            yield chain, [*_way(rule, chain), _verdict_drop()]
        # The resets that we send ourselves have to pass, and one is never answered by another.
        elif rule.deed == REFUSE:
            yield chain, [*_way(rule, chain), *_without(_RST), _reject()]
        elif rule.deed == RESET:
            yield chain, [*_way(rule, chain), *_without(_SYN | _RST), _reject()]


def _way(rule: Rule, chain: str) -> Iterator[bytes]:
    """TCP, to or from the peer, to or from the port on which the dependency listens."""
    address = ip_address(rule.peer)
    four = address.version == 4
    source_at, target_at = (12, 16) if four else (8, 24)
    leaving = chain == OUT
    yield _meta(_NFPROTO)
    yield _compare(bytes([socket.AF_INET if four else socket.AF_INET6]))
    yield _meta(_L4PROTO)
    yield _compare(bytes([_TCP]))
    yield _payload(_NETWORK, target_at if leaving else source_at, len(address.packed))
    yield _compare(address.packed)
    # The port is the dependency's: the far one for calls on their way out, and for their answers back.
    yield _payload(_TRANSPORT, 2 if leaving == rule.calls else 0, 2)
    yield _compare(struct.pack(">H", rule.port))


def _without(flags: int) -> Iterator[bytes]:
    """None of these flags of TCP is set."""
    yield _payload(_TRANSPORT, 13, 1)
    mask, none = bytes([flags]), b"\0"
    yield _expression(
        "bitwise",
        number(1, _REGISTER),
        number(2, _REGISTER),
        number(3, 1),
        nested(4, attribute(1, mask)),
        nested(5, attribute(1, none)),
    )
    yield _compare(none)


def _dice(percent: float) -> Iterator[bytes]:
    yield _expression("numgen", number(1, _REGISTER), number(2, _THOUSANDTHS), number(3, 1))
    # Compared byte by byte, so the greatest has to come first.
    yield _expression(
        "byteorder", number(1, _REGISTER), number(2, _REGISTER), number(3, 1), number(4, 4), number(5, 4)
    )
    yield _compare(struct.pack(">I", round(percent * _THOUSANDTHS / 100)), _LESS)


def _marked(mark: int) -> Iterator[bytes]:
    data = nested(2, attribute(1, struct.pack("=I", mark)))
    yield _expression("immediate", number(1, _REGISTER), data)
    yield _expression("meta", number(2, _PRIORITY), number(3, _REGISTER))


def _meta(key: int) -> bytes:
    return _expression("meta", number(1, _REGISTER), number(2, key))


def _compare(value: bytes, how: int = _EQUAL) -> bytes:
    return _expression("cmp", number(1, _REGISTER), number(2, how), nested(3, attribute(1, value)))


def _payload(base: int, offset: int, size: int) -> bytes:
    return _expression("payload", number(1, _REGISTER), number(2, base), number(3, offset), number(4, size))


def _verdict_drop() -> bytes:
    return _expression("immediate", number(1, 0), nested(2, nested(2, number(1, 0))))


def _reject() -> bytes:
    return _expression("reject", number(1, 1))


def _expression(name: str, *parts: bytes) -> bytes:
    return text(1, name) + nested(2, *parts)


def _listed(parts: Iterable[bytes]) -> Iterator[bytes]:
    return (nested(1, part) for part in parts)
