"""A running edge proxy, a dependency behind it, and a caller in front."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress

from fuzzer.edges.client import ProxySpec
from fuzzer.edges.process import EdgeProcess
from models.toxic import Toxic

BUSY_S = 30.0
"""How long a caller waits for what will come, on a machine that has other things to do."""
QUIET_S = 0.3
"""For so long nothing comes, where nothing should."""


class Dependency:
    """Echoes what it is sent, as it comes, and remembers its connections."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.address = f"127.0.0.1:{self.listener.getsockname()[1]}"
        self.chunks: list[bytes] = []
        self.endings: list[str] = []
        self.open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                self.open.append(connection)
                threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection: socket.socket) -> None:
        ending = "reset"
        with connection, suppress(OSError):
            while data := connection.recv(65_536):
                self.chunks.append(data)
                connection.sendall(data)
            ending = "end"
        self.endings.append(ending)

    def close(self) -> None:
        self.listener.close()
        for connection in self.open:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class HttpDependency(Dependency):
    """Answers every HTTP request with its number; ``chunks`` holds what it was sent."""

    def serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            data = b""
            while got := connection.recv(65_536):
                self.chunks.append(got)
                data += got
                while b"\r\n\r\n" in data:
                    head, _, data = data.partition(b"\r\n\r\n")
                    length = next(
                        (
                            int(line.split(b":")[1])
                            for line in head.lower().split(b"\r\n")
                            if b"content-length" in line
                        ),
                        0,
                    )
                    while len(data) < length:
                        data += connection.recv(65_536)
                    data = data[length:]
                    time.sleep(0.02)
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nreal")
        self.endings.append("end")


class Edge:
    """One proxy with one dependency."""

    def __init__(self, process: EdgeProcess, name: str, dependency: Dependency) -> None:
        self.client, self.name, self.dependency = process.client, name, dependency
        spec = ProxySpec(name, "127.0.0.1:0", dependency.address)
        host, _, port = self.client.populate([spec])[name].listen.partition(":")
        self.where = (host, int(port))
        self._callers: list[socket.socket] = []

    def connect(self) -> socket.socket:
        caller = socket.create_connection(self.where, timeout=BUSY_S)
        caller.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._callers.append(caller)
        return caller

    def add(
        self, kind: str, stream: str = "downstream", toxicity: float = 1.0, name: str = "", **values
    ) -> None:
        self.client.add_toxic(self.name, Toxic(kind, values, stream, toxicity, name))

    def clear(self) -> None:
        self.client.remove_toxics(self.name)

    def close(self) -> None:
        for caller in self._callers:
            caller.close()
        self.dependency.close()


def exchange_s(caller: socket.socket, data: bytes = b"hello") -> float:
    """Send it, get it back, and say how long that took."""
    began_s = time.monotonic()
    caller.sendall(data)
    assert read(caller, len(data)) == data
    return time.monotonic() - began_s


def read(caller: socket.socket, size: int) -> bytes:
    """So many bytes, or fewer if the connection ends."""
    got = b""
    while len(got) < size and (part := caller.recv(size - len(got))):
        got += part
    return got


def is_silent(caller: socket.socket) -> bool:
    """Nothing comes, and the connection stays."""
    caller.settimeout(QUIET_S)
    try:
        caller.recv(1)
    except TimeoutError:
        return True
    finally:
        caller.settimeout(BUSY_S)
    return False
