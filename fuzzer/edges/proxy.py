"""One edge: a listener, an upstream, and the toxics between them."""

from __future__ import annotations

import asyncio
from random import Random

from fuzzer.edges.address import Address
from fuzzer.edges.connection import Connection, Side
from fuzzer.edges.names import Names
from fuzzer.edges.problems import Problem
from fuzzer.edges.setting import STREAMS, Setting


class Proxy:
    """One edge. Created disabled.

    Args:
        name: its name; together with the seed it determines its dice, whatever other proxies do.
        listen, upstream: addresses; a port of 0 becomes a real one when it is enabled.
        seed: of the process.
    """

    def __init__(self, name: str, listen: Address, upstream: Address, seed: str) -> None:
        self.name = name
        self.listen, self.upstream = listen, upstream
        self.settings: list[Setting] = []
        self._random = Random(f"{seed}:{name}")  # noqa: S311 - dice, no secret
        self._server: asyncio.Server | None = None
        self._names = Names()
        self._connections: set[Connection] = set()

    @property
    def enabled(self) -> bool:
        """Whether it listens."""
        return self._server is not None

    async def enable(self) -> None:
        """Listen.

        Raises:
            Problem: that is not possible, because the port is taken or the address is not ours.
        """
        if self._server:
            return
        loop = asyncio.get_running_loop()
        try:
            # In a thread: the name of an address may have to be looked up.
            listener, where = await loop.run_in_executor(None, self.listen.listen)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise Problem(400, f"cannot listen on {self.listen}: {reason}") from error
        self.listen = Address(self.listen.host, where.port)
        self._server = await loop.create_server(self._accept, sock=listener)

    def disable(self) -> None:
        """Refuse connections, and drop those that are open."""
        if self._server:
            self._server.close()
            self._server = None
        for connection in list(self._connections):
            connection.abort()

    async def move(self, listen: Address, upstream: Address, *, enabled: bool) -> None:
        """Give it other addresses, or switch it on or off; other addresses end open connections.

        Raises:
            Problem: it cannot listen there; it is disabled then.
        """
        if (listen, upstream) != (self.listen, self.upstream):
            self.disable()
            self.listen, self.upstream = listen, upstream
        if enabled:
            await self.enable()
        else:
            self.disable()

    def setting(self, name: str) -> Setting:
        """A toxic by its name.

        Raises:
            Problem: there is none.
        """
        for setting in self.settings:
            if setting.name == name:
                return setting
        raise Problem(404, "toxic not found")

    def put(self, setting: Setting) -> None:
        """Add a toxic at the end of its chain, or give one other values; open connections get it, too."""
        names = [one.name for one in self.settings]
        if setting.name in names:
            self.settings[names.index(setting.name)] = setting
        else:
            self.settings.append(setting)
        for connection in list(self._connections):
            connection.put(setting)

    def take_away(self, name: str) -> None:
        """Remove a toxic; what it holds goes on its way.

        Raises:
            Problem: there is none of that name.
        """
        setting = self.setting(name)
        self.settings.remove(setting)
        for connection in list(self._connections):
            connection.take_away(setting)

    def cleanse(self) -> None:
        """Remove all toxics."""
        for setting in list(self.settings):
            self.take_away(setting.name)

    def shown(self) -> dict[str, object]:
        """As the API shows it."""
        return {
            "name": self.name,
            "listen": str(self.listen),
            "upstream": str(self.upstream),
            "enabled": self.enabled,
            "toxics": self.shown_toxics(),
        }

    def shown_toxics(self) -> list[dict[str, object]]:
        """As the API shows them: those of the way up, then those of the way down."""
        return [one.shown() for stream in STREAMS for one in self.settings if one.stream == stream]

    def _accept(self) -> Side:
        born, gone = self._connections.add, self._connections.discard
        return Connection(self.upstream, self._names, self.settings, self._random, born, gone).client
