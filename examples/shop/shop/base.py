"""What every service of the shop does: serve, watch its neighbours, say how it is, and end well.

`/health` is 503 while a hard dependency is away and 200 otherwise; it reads what the watches found
last and asks nobody. A hard dependency that is up but not well (5xx on its own /health) counts as
away, so the whole blast radius shows, and nothing outside it.

A service is a subclass: `hard` and `soft` name its dependencies, and it adds to `routes`, where
"GET /orders/*" stands for anything below /orders/. Flaws hook into `needs`, `before`, `delay_s` and
`at_stop`; the services themselves know nothing of flaws.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
import time
import traceback
from collections.abc import Callable

from shop.peers import Peer, PeerError
from shop.settings import STOP_SIGNALS, Settings, die, log
from shop.watch import Watch
from shop.web import BadRequest, Request, Server

DRAIN_S = 0.2

Answer = tuple[int, object]


class Service:
    """One process of the shop."""

    hard: tuple[str, ...] = ()
    soft: tuple[str, ...] = ()

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.name = settings.service
        self.peers = {name: Peer(name, settings) for name in self.hard + self.soft}
        self.needs: list[Watch] = [self.peers[name].watch for name in self.hard]
        self.before: list[Callable[[Request], None]] = []
        self.at_stop: list[Callable[[], None]] = [p.watch.goodbye for p in self.peers.values()]
        self.delay_s = 0.0
        self.abandoned = 0
        self.started_s = time.time()
        self.ready_s: float | None = None
        self.counts: dict[str, int] = {}
        self._listening = False
        self._lock = threading.Lock()
        self.routes: dict[str, Callable[[Request], Answer]] = {
            "GET /health": self.health,
            "GET /metrics.json": self.metrics,
        }
        for peer in self.peers.values():
            peer.watch.on_up, peer.watch.on_down = self._found, self._lost

    def run(self) -> None:
        """Serve until SIGTERM or SIGINT, which `__main__` has blocked; does not return.

        Blocked and waited for, a signal works as PID 1 of a container too, where the kernel
        discards signals without a handler, and from the first line of the program on.
        """
        if self.settings.flaws:
            from shop import flaws

            flaws.install(self)
        for peer in self.peers.values():
            peer.watch.start()
        try:
            server = Server((self.settings.bind, self.settings.port), self)
        except OSError as error:
            die(self.name, f"cannot listen on port {self.settings.port}: {error}")
        threading.Thread(target=server.serve_forever, name="accept", daemon=True).start()
        self._listening = True
        self._announce()
        signal.sigwait(STOP_SIGNALS)
        # shutdown, not close: closing leaves the socket listening until a pending poll returns.
        with contextlib.suppress(OSError):
            server.socket.shutdown(socket.SHUT_RDWR)
        self.stop(server)

    def stop(self, server: Server) -> None:
        """Finish what is being answered (briefly), tidy up, exit 0."""
        deadline = time.monotonic() + DRAIN_S
        while server.busy and time.monotonic() < deadline:
            time.sleep(0.005)
        for tidy in self.at_stop:
            tidy()
        log(self.name, "stopped")
        os._exit(0)

    def respond(self, request: Request) -> Answer:
        """Status and JSON for one request; whatever goes wrong becomes an answer too."""
        exact = f"{request.method} {request.path}"
        counted = next((p for p in (exact, request.pattern) if p in self.routes), "other")
        route = self.routes.get(counted)
        with self._lock:
            self.counts[counted] = self.counts.get(counted, 0) + 1
        try:
            for look in self.before:
                look(request)
            if self.delay_s:
                time.sleep(self.delay_s)
            return route(request) if route else (404, {"error": f"no {exact}"})
        except BadRequest as error:
            return 400, {"error": str(error)}
        except PeerError as error:
            return error.status, {"error": str(error)}
        except Exception as error:
            traceback.print_exc()
            return 500, {"error": f"{type(error).__name__}: {error}"}

    def health(self, request: Request) -> Answer:
        """Whether this service can do its work, as far as it knows; see the top of this file."""
        missing = [watch.peer for watch in self.needs if not watch.up]
        if missing:
            return 503, {"status": "unavailable", "missing": missing}
        lost = [name for name in self.soft if not self.peers[name].watch.up]
        return 200, {"status": "degraded", "lost": lost} if lost else {"status": "ok"}

    def metrics(self, request: Request) -> Answer:
        """Counters since the start of this process; times are Unix seconds."""
        return 200, {
            "service": self.name,
            "mode": self.settings.mode,
            "flaws": list(self.settings.flaws),
            "pid": os.getpid(),
            "started_at": self.started_s,
            "ready_at": self.ready_s,
            "uptime_s": time.time() - self.started_s,
            "requests": dict(self.counts),
            "calls": {name: peer.calls for name, peer in self.peers.items()},
            "abandoned": self.abandoned,
        }

    def session_began(self, session: str) -> None:
        """A client greeted with a session id; only orders-db cares."""

    def session_goodbye(self, session: str) -> None:
        """A client said that it is about to leave."""

    def session_ended(self, session: str) -> None:
        """The connection of a session is closed, with or without a goodbye."""

    def _found(self, watch: Watch) -> None:
        log(self.name, "found", peer=watch.peer)
        self._announce()

    def _lost(self, watch: Watch) -> None:
        if self.settings.fragile:
            die(self.name, f"{watch.peer} is {watch.last}")
        log(self.name, "lost", peer=watch.peer, how=watch.last)

    def _announce(self) -> None:
        """Say once that this service is ready: it listens and /health can be 200."""
        with self._lock:
            if self.ready_s or not self._listening or not all(watch.up for watch in self.needs):
                return
            self.ready_s = time.time()
        log(self.name, "ready", port=self.settings.port, mode=self.settings.mode)
