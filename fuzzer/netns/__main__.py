"""``python -m fuzzer.netns``: rules in the network that this process lives in, for as long as it is told to.

A line of JSON on its input is an order, and a line on its output says what became of it. It ends when its
input ends, which it does when the process at the other end was killed; when nobody said anything for
``--ttl`` seconds; and at SIGTERM. In each case its rules end with it.

    {"do": "can"}                       {"lacks": {"htb": "", "netem": "the kernel does not have it", …}}
    {"do": "put", "rules": [{…}, …]}    {}          these rules, and no others
    {"do": "ask", "name": "db", …}      {"answer": {"first_ms": 0.8, …}}
    {"do": "ping"}                      {}
"""

from __future__ import annotations

import argparse
import json
import os
import select
import signal
import socket
import sys
from collections.abc import Iterator
from dataclasses import asdict

from fuzzer.netns.filters import Filters
from fuzzer.netns.queues import Queues
from fuzzer.netns.rule import LOSE, REFUSE, SLOW, Rule, from_text
from fuzzer.probes import question

NOWHERE = Rule("", "192.0.2.1", 9)
"""An address that nobody has (RFC 5737)."""


class Keeper:
    """Keeps rules, and answers orders about them."""

    def __init__(self) -> None:
        self._filters: Filters | None = None
        self._queues: Queues | None = None

    def obey(self, order: dict[str, object]) -> dict[str, object]:
        """Do what an order says; what became of it."""
        try:
            match order["do"]:
                case "can":
                    return {"lacks": self._lacks()}
                case "put":
                    self._put(from_text(json.dumps(order["rules"])))
                case "ask":
                    return {"answer": self._ask(order)}
        except OSError as error:
            return {"refused": error.strerror or str(error)}
        return {}

    def close(self) -> None:
        """Take everything away."""
        if self._queues:
            self._queues.clear()
        if self._filters:
            self._filters.close()

    def _put(self, rules: list[Rule]) -> None:
        self._queues = self._queues or Queues()
        self._filters = self._filters or Filters()
        slow = [rule for rule in rules if rule.deed == SLOW]
        if not slow:
            self._filters.put(rules, {})
            self._queues.clear()
            return
        self._filters.put([rule for rule in rules if rule.deed != SLOW], {})
        self._filters.put(rules, self._queues.put(slow))

    def _lacks(self) -> dict[str, str]:
        """What the kernel does not have of all that may be asked for; "" where nothing is missing."""
        lacks = {}
        self._filters = Filters()
        for name, deed in (("reject", REFUSE), ("numgen", LOSE)):
            try:
                self._filters.put([Rule(deed, NOWHERE.peer, NOWHERE.port, percent=1.0)], {})
                lacks[name] = ""
            except OSError as error:
                lacks[name] = f"the kernel does not have it ({error.strerror})"
        self._queues = Queues()
        return lacks | {kind: self._queues.knows(kind) for kind in ("htb", "netem")}

    def _ask(self, order: dict[str, object]) -> dict[str, object]:
        name, address, scheme, path = (str(order[key]) for key in ("name", "address", "scheme", "path"))
        port, timeout_s = int(str(order["port"])), float(str(order["timeout_s"]))
        try:
            socket.getaddrinfo(name, port)
            host = name
        except OSError:  # nobody is called that here
            host = address
        return asdict(question.ask((host, port), scheme, name, path, timeout_s))


def orders(ttl_s: float) -> Iterator[dict[str, object]]:
    """What is written to our input, until its end or until nobody writes any more."""
    data = b""
    while select.select([0], [], [], ttl_s)[0]:
        piece = os.read(0, 1 << 16)
        if not piece:
            return
        *lines, data = (data + piece).split(b"\n")
        yield from map(json.loads, lines)


def main() -> None:
    """Serve until the end."""
    parser = argparse.ArgumentParser(prog="python -m fuzzer.netns", description="Rules in a network.")
    parser.add_argument("--ttl", type=float, required=True, help="seconds without an order until the end")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # as process 1 of a container it must be asked for
    keeper = Keeper()
    try:
        for order in orders(options.ttl):
            print(json.dumps(keeper.obey(order)), flush=True)  # noqa: T201
    except BrokenPipeError:
        pass  # nobody listens any more
    finally:
        keeper.close()


if __name__ == "__main__":
    main()
