"""Ports for a fleet of a test's own: free ones, below the range of outgoing connections.

Between a look at a port and its use there is a while in which another test could be given it, too. So each
worker of pytest-xdist has a range of its own.
"""

from __future__ import annotations

import os
import random
import socket
from contextlib import ExitStack

FIRST, LAST = 11_000, 32_700
WORKERS_MOST = 16


def range_of_worker() -> range:
    """Where this process looks for ports; all of them if it is the only one."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    if not worker or workers > WORKERS_MOST:
        return range(FIRST, LAST)
    each = (LAST - FIRST) // workers
    begin = FIRST + each * int(worker.removeprefix("gw"))
    return range(begin, begin + each)


def free_ports(count: int, each: int = 1) -> range:
    """So many ports in a row that nobody listens on; the first is a multiple of ``each``."""
    among = range_of_worker()
    while True:
        first = random.SystemRandom().randrange(among.start + each, among.stop - count) // each * each
        with ExitStack() as held:
            try:
                for port in range(first, first + count):
                    held.enter_context(socket.create_server(("127.0.0.1", port)))
            except OSError:
                continue
            return range(first, first + count)


def free_prefix() -> int:
    """A port prefix with ten free ports, as the shop's."""
    return free_ports(10, each=10).start // 10
