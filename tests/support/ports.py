"""Ports for a shop of a test's own."""

from __future__ import annotations

import random
import socket
from contextlib import ExitStack


def free_prefix() -> int:
    """A port prefix whose six ports nobody listens on, below the range of outgoing connections."""
    while True:
        prefix = random.SystemRandom().randrange(1100, 3270)
        with ExitStack() as held:
            try:
                for digit in range(1, 7):
                    held.enter_context(socket.create_server(("127.0.0.1", prefix * 10 + digit)))
            except OSError:
                continue
            return prefix
