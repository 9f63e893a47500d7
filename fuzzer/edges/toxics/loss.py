"""``loss``: what TCP makes of packet loss, which is delay and never a gap.

Each chunk is lost with the probability ``percent``. A chunk that is lost comes 200 ms later; if the second
attempt is lost too, 400 ms after that, then 800 ms and 1.6 s, and 1.6 s for each further one: the
retransmission timer that doubles (RFC 6298, section 5.5), from Linux's least value (``TCP_RTO_MIN``). After
15 losses (``net.ipv4.tcp_retries2``) it does not come any more. Whatever follows waits behind it.

A model of the short exchanges of services, in which nothing follows a lost packet that could tell the
sender earlier (fast retransmit). It is a chunk, as read, that is lost, not each packet of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from random import Random
from typing import ClassVar

from fuzzer.edges.toxics.base import Attribute, Delaying, Item, Mark

FIRST_S = 0.2
MOST_S = 1.6
ATTEMPTS = 15


def wait_s(random: Random, percent: float) -> float:
    """How much later a chunk comes, in seconds; infinite if it never does."""
    waited_s, timer_s = 0.0, FIRST_S
    for _ in range(ATTEMPTS):
        if random.random() * 100 >= percent:
            return waited_s
        waited_s += timer_s
        timer_s = min(2 * timer_s, MOST_S)
    return inf


class Loss(Delaying):
    """A bad line."""

    kind: ClassVar[str] = "loss"
    summary: ClassVar[str] = "chunks are lost and come again after TCP's retransmission timer"
    attributes: ClassVar[Mapping[str, Attribute]] = {"percent": Attribute("%", most=100)}

    def feed(self, item: Item) -> None:
        """Roll the dice for each chunk."""
        later_s = 0.0 if isinstance(item, Mark) else wait_s(self.wire.random, self.values["percent"])
        self.hold(item, self.wire.now_s() + later_s)
