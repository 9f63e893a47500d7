"""One connection through an edge: two sockets, and a pipe each way.

The client's connection exists before anybody knows whether the dependency takes one: the kernel accepts
it. If the dependency refuses, the client is reset without having seen a byte; so a connection that was
accepted through a proxy proves nothing.

What one end says beside bytes is passed on as what it is: a half-close as a half-close, a reset as a
reset. Protocols and not streams: no task and no queue for each direction, so that a connection without
toxics costs two callbacks a chunk.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from asyncio import Protocol, Transport
from collections.abc import Callable, Sequence
from random import Random
from typing import cast

from fuzzer.edges.address import Address
from fuzzer.edges.names import Names
from fuzzer.edges.pipe import Pipe
from fuzzer.edges.setting import DOWNSTREAM, UPSTREAM, Setting
from fuzzer.edges.toxics.base import Mark

CONNECT_S = 30.0
"""After so long without an answer the dependency counts as gone."""
NO_LINGER = struct.pack("ii", 1, 0)


class Side(Protocol):
    """One socket of a connection. asyncio sets TCP_NODELAY on it.

    Args:
        reads: the pipe that takes what is read here.
        writes: the pipe that ends here.
        opened, lost: called when the socket is there, and when it is gone.
    """

    transport: Transport | None = None
    _ended = False

    def __init__(
        self, reads: Pipe, writes: Pipe, opened: Callable[[], None], lost: Callable[[], None]
    ) -> None:
        self._reads, self._writes = reads, writes
        self._opened, self._lost = opened, lost

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It is there."""
        self.transport = cast(Transport, transport)
        self._opened()

    def data_received(self, data: bytes) -> None:
        """Bytes."""
        self._reads.feed(data)

    def eof_received(self) -> bool:
        """No more bytes from here; but there may still be some for here."""
        if not self._ended:  # asyncio says so again when reading was paused meanwhile
            self._ended = True
            self._reads.feed(Mark.END)
        return True

    def connection_lost(self, error: Exception | None) -> None:
        """It is gone; with an error if that was not our doing."""
        self.transport = None
        if error:
            self._reads.feed(Mark.RESET)
        self._lost()

    def pause_writing(self) -> None:
        """Too much is waiting to be sent from here."""
        self._writes.sink_full(True)

    def resume_writing(self) -> None:
        """It has gone."""
        self._writes.sink_full(False)

    def reset(self) -> None:
        """RST, and whatever waits to be sent is dropped."""
        if self.transport and not self.transport.is_closing():
            own: socket.socket = self.transport.get_extra_info("socket")
            own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
        self.abort()

    def abort(self) -> None:
        """Gone at once, without RST if nothing was left unread."""
        if self.transport:
            self.transport.abort()

    def close(self) -> None:
        """Gone when everything is sent."""
        if self.transport:
            self.transport.close()


class Connection:
    """Two sides and two pipes.

    Args:
        upstream: where the dependency is; its name is resolved for this connection, or was a moment ago.
        names: resolves names.
        settings: the proxy's toxics, a list that changes in place.
        random: the proxy's dice.
        born, gone: told with the connection when it begins and when nothing is left of it.
    """

    def __init__(
        self,
        upstream: Address,
        names: Names,
        settings: Sequence[Setting],
        random: Random,
        born: Callable[[Connection], None],
        gone: Callable[[Connection], None],
    ) -> None:
        self._address, self._names, self._settings = upstream, names, settings
        self._born, self._gone = born, gone
        up, down = Pipe(self, random), Pipe(self, random)
        up.other, down.other = down, up
        self._pipes = {UPSTREAM: up, DOWNSTREAM: down}
        self.client = Side(up, down, self._accepted, self._lost)
        self._server = Side(down, up, self._connected, self._lost)
        self._connecting: asyncio.Task[None] | None = None

    def put(self, setting: Setting) -> None:
        """A toxic is new, or has new values."""
        self._pipes[setting.stands_in].put(setting, self._settings)

    def take_away(self, setting: Setting) -> None:
        """A toxic is gone."""
        self._pipes[setting.stands_in].take_away(setting.name)

    def piped(self) -> None:
        """When both directions have ended, so has the connection."""
        if all(pipe.ended for pipe in self._pipes.values()):
            self.close()

    def close(self) -> None:
        """Close both sockets; what was written before still arrives."""
        self._stop()
        self.client.close()
        self._server.close()

    def reset(self) -> None:
        """Both ends see RST."""
        self._stop()
        self.client.reset()
        self._server.reset()

    def abort(self) -> None:
        """Nobody needs it any more; the end of a proxy."""
        self._stop()
        self.client.abort()
        self._server.abort()

    def _stop(self) -> None:
        if self._connecting:
            self._connecting.cancel()
        for pipe in self._pipes.values():
            pipe.stop()

    def _accepted(self) -> None:
        # Some Pythons (3.11.2, not 3.11.7) start to read after this, paused or not; what came before there
        # is somebody to write to would be lost. What is called soon comes after that start, and before
        # the first look at the socket.
        loop = asyncio.get_running_loop()
        loop.call_soon(self._wait_for_server)
        self._born(self)
        self._connecting = loop.create_task(self._connect())

    def _wait_for_server(self) -> None:
        if self.client.transport and not self._server.transport:
            self.client.transport.pause_reading()

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(CONNECT_S):
                host = await self._names.host(self._address.host)
                await loop.create_connection(lambda: self._server, host, self._address.port)
        except (OSError, ValueError):  # ValueError: a name that can be no host's
            self._names.forget(self._address.host)
            self._connecting = None
            self.reset()
        self._connecting = None

    def _connected(self) -> None:
        client, server = self.client.transport, self._server.transport
        assert server
        if client is None or client.is_closing():
            server.abort()
            return
        for stream, pipe in self._pipes.items():
            ends = (client, server) if stream == UPSTREAM else (server, client)
            pipe.open(*ends, [one for one in self._settings if one.stands_in == stream])
        if not client.is_closing():
            client.resume_reading()

    def _lost(self) -> None:
        if not self.client.transport and not self._server.transport:
            self._stop()
            self._gone(self)
