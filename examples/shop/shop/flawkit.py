"""What flaws are made of: spies, marks that outlive a death, volleys.

A spy knows about another service sooner than the service's own watches do, and unasked. It looks
at least every 0.1 s and takes a broken connection at its word, so that a crash of a few hundred
milliseconds is seen; any answer at all, even a 503, means "alive" to it. It finds its way by
convention (`Settings.neighbour`), so no URL in the environment gives the dependency away.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Callable
from http.client import HTTPConnection, HTTPException

from shop.address import Address
from shop.base import Service
from shop.watch import Watch

SPY_S = 0.1
SPY_TIMEOUT_S = 0.4


def spy(service: Service, on: str, on_down: Callable[[Watch], None] = lambda watch: None) -> Watch:
    """Start to watch a service; `on_down` is called when it is gone or hung after it was there."""
    watch = Watch(
        on,
        Address(*service.settings.neighbour(on)),
        interval_s=SPY_S,
        timeout_s=SPY_TIMEOUT_S,
        any_answer=True,
        at_once=True,
        on_down=on_down,
    )
    watch.start()
    return watch


def look(watch: Watch) -> str:
    """How the service that a watch is on is at this moment, asked over a new connection."""
    once = Watch(watch.peer, watch.address, interval_s=0, timeout_s=SPY_TIMEOUT_S, any_answer=True)
    verdict = once.ask()
    once.hang_up()
    return verdict


def mark(service: Service, path: str) -> None:
    """Leave a file that only a clean stop removes."""
    with open(path, "w") as file:
        file.write(str(os.getpid()))

    def unmark() -> None:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)

    service.at_stop.append(unmark)


def first_answer(sent: list[HTTPConnection], timeout_s: float) -> tuple[int, object] | None:
    """The first good answer to a volley of requests that are all under way, if one comes in time."""
    deadline_s = time.monotonic() + timeout_s
    answer = None
    for connection in sent:
        try:
            if answer is None and (left_s := deadline_s - time.monotonic()) > 0:
                connection.sock.settimeout(left_s)
                response = connection.getresponse()
                if response.status < 500:
                    answer = response.status, json.loads(response.read())
        except (OSError, ValueError, HTTPException):
            pass
        finally:
            connection.close()
    return answer
