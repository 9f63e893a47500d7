"""analytics-service: counts what happened. Everybody can do without it, and it can do without
everybody: it tails checkout's recent orders to catch up on what it missed while it was away."""

from __future__ import annotations

import os
import sqlite3
import threading
import time

from shop.base import Answer, Service
from shop.peers import PeerError
from shop.settings import Settings
from shop.web import Request

TAIL_S = 1.0


class AnalyticsService(Service):
    """Counts events, each id once."""

    soft = ("checkout-service",)

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.checkout = self.peers["checkout-service"]
        self._disk = threading.Lock()
        self._db = sqlite3.connect(settings.file("sqlite3"), isolation_level=None, check_same_thread=False)
        # Statistics may lose their last second in a power cut: no fsync for each event.
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.execute("CREATE TABLE IF NOT EXISTS events (id TEXT PRIMARY KEY, kind TEXT)")
        self.routes |= {"POST /events": self.add, "GET /events/count": self.count}
        threading.Thread(target=self._tail, name="tail", daemon=True).start()

    def add(self, request: Request) -> Answer:
        """Body: {"kind": "order", "id": "…"}; the same order is counted once, however often told."""
        event = request.json()
        self._store(str(event.get("kind", "other")), [str(event.get("id") or os.urandom(8).hex())])
        return 202, {"accepted": True}

    def count(self, request: Request) -> Answer:
        """How many, in all and of each kind."""
        with self._disk:
            rows = self._db.execute("SELECT kind, count(*) FROM events GROUP BY kind").fetchall()
        return 200, {"count": sum(n for _, n in rows), "kinds": dict(rows)}

    def _store(self, kind: str, ids: list[str]) -> None:
        with self._disk:
            self._db.executemany(
                "INSERT OR IGNORE INTO events VALUES (?, ?)", [(f"{kind} {i}", kind) for i in ids]
            )

    def _tail(self) -> None:
        while True:
            time.sleep(TAIL_S)
            try:
                if self.checkout.watch.up:
                    _, answer = self.checkout.call("GET", "/orders")
                    if isinstance(answer, dict):
                        self._store("order", answer.get("order_ids", []))
            except (PeerError, sqlite3.Error):
                pass  # the next round catches up
