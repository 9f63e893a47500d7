"""A server with manners that a test chooses, one that keeps books, and a sink."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from fuzzer.loads.running import RunningLoads
from models.load import Load, LoadRun, Phase, Request, Shape

BUSY_S = 30.0
"""How long a test waits for what will come, on a machine that has other things to do."""


class Told:
    """Everything that clients saw."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.loads: list[LoadRun] = []

    def saw_request(self, seen: Request) -> None:
        self.requests.append(seen)

    def saw_load(self, run: LoadRun) -> None:
        self.loads.append(run)


class Rig:
    """Engines, and what they told."""

    def __init__(self) -> None:
        self.told = Told()
        self.loads = RunningLoads(self.told, time.monotonic)

    def start(self, load: Load, url, rate_rps=50.0, duration_s=0.5, shape=Shape.STEADY) -> None:
        urls = url if isinstance(url, dict) else dict.fromkeys(load.services, url)
        self.loads.start(load, urls, Phase.DURING, shape, rate_rps, duration_s)

    def play(self, load: Load, url, *order, **orders) -> list[Request]:
        """Send it all, see that nothing was wrong with the engine itself, and return what was told.

        That it fell behind is no wrong: on a busy machine it may, and then it has to say so.
        """
        self.start(load, url, *order, **orders)
        trouble = self.finish().trouble
        assert trouble == "" or "fell behind its schedule" in trouble
        return self.told.requests

    def finish(self) -> LoadRun:
        until(lambda: self.loads.quiet, check=self.loads.check)
        return self.told.loads[-1]

    @property
    def engine(self):
        return self.loads._sending[-1].process


def until(condition, seconds=BUSY_S, check=lambda: None) -> None:
    deadline_s = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline_s, "waited for in vain"
        check()
        time.sleep(0.01)


@pytest.fixture
def rig():
    rig = Rig()
    yield rig
    rig.loads.stop()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        size = int(self.headers.get("Content-Length", 0))
        self.server.seen.append((self.command, self.path, dict(self.headers), self.rfile.read(size)))
        self.server.gate.wait()
        status, body = self.server.answer
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        self.do_GET()

    def do_PUT(self):
        self.do_GET()

    def log_message(self, *_):
        pass


class BookServer(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 512

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.seen: list[tuple[str, str, dict[str, str], bytes]] = []
        self.answer = (200, b"ok")
        self.gate = threading.Event()
        self.gate.set()
        self.url = f"http://127.0.0.1:{self.server_port}"

    def get_request(self):
        connection, address = super().get_request()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection, address

    def handle_error(self, *_):
        pass


@pytest.fixture
def server():
    with BookServer() as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield server
        server.gate.set()
        server.shutdown()


def drip(connection: socket.socket, data: bytes, every_s: float = 0.02) -> None:
    """Send byte by byte, for as long as somebody listens."""
    with suppress(OSError):
        for number in range(len(data)):
            connection.sendall(data[number : number + 1])
            time.sleep(every_s)
