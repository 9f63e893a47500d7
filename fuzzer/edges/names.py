"""Names of hosts, remembered for a moment.

A container that restarts may come back at another address, so a name is not remembered for long, and not at
all once nobody was reached there. But a name service that is asked for every connection is a load of its own:
that of an engine answers from within a lock.
"""

from __future__ import annotations

import asyncio
import socket

REMEMBERED_S = 1.0


class Names:
    """Resolves names, each at most once a moment."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[float, str]] = {}

    async def host(self, name: str) -> str:
        """The first address of a host, as text.

        Raises:
            OSError: nobody is called so.
        """
        loop = asyncio.get_running_loop()
        until_s, known = self._known.get(name, (0.0, ""))
        if loop.time() >= until_s:
            found = await loop.getaddrinfo(name, None, type=socket.SOCK_STREAM)
            known = str(found[0][4][0])
            self._known[name] = loop.time() + REMEMBERED_S, known
        return known

    def forget(self, name: str) -> None:
        """Nobody was reached there."""
        self._known.pop(name, None)
