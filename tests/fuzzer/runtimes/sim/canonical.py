"""Plays scenarios on the shop and tells their histories; as a program, what they hash to."""

from __future__ import annotations

import hashlib
import sys

from tests.support.twin import play, shop

PLAYED = (
    ("", "load checkout 3s 20rps; wait 1s; crash orders-db; restart api-gateway; wait 2s"),
    ("retry-storm", "load checkout 3s 20rps; crash orders-db; wait 1s; kill user-service"),
    ("sticky-degradation", "restart analytics-service; wait 1s"),
    ("order-dependent", "pause product-service; wait 1s; kill orders-db"),
    (
        "",
        "load checkout 3s 20rps; loss checkout-service -> orders-db 30%; latency * -> product-service 200ms",
    ),
    ("retry-storm", "load checkout 3s 20rps; blackhole checkout-service -> orders-db; wait 1s; heal all"),
)


def canonical(seed: int) -> str:
    """The histories of all of them, as text; equal text means equal histories."""
    played = [play(shop(flaw) if flaw else shop(), text, seed) for flaw, text in PLAYED]
    return "\n".join(repr((one.outcome, one.violations, one.history)) for one in played)


if __name__ == "__main__":
    text = canonical(int(sys.argv[1]))
    print(len(text), hashlib.sha256(text.encode()).hexdigest())
