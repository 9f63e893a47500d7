"""orders-db: keys and JSON values in SQLite; what it has acknowledged is on disk.

In the fragile shop it also keeps a registry of its clients' sessions, with the bug that took it
down in the incident: a session that ends without a goodbye is looked up among the goodbyes.
"""

from __future__ import annotations

import json
import sqlite3
import threading

from shop.base import Answer, Service
from shop.settings import Settings
from shop.web import Request


class Store:
    """Committed means fsynced: WAL with synchronous=FULL, each statement its own transaction.

    Reading has a connection of its own, so that it does not wait for a writer's fsync.
    """

    def __init__(self, path: str) -> None:
        self._writing, self._reading = threading.Lock(), threading.Lock()
        self._writer = self._connect(path)
        self._writer.execute("CREATE TABLE IF NOT EXISTS records (key TEXT PRIMARY KEY, value TEXT)")
        self._reader = self._connect(path)

    def put(self, key: str, value: str) -> None:
        """Returns when it is on disk; sqlite3.Error when it is not."""
        with self._writing:
            self._writer.execute("INSERT OR REPLACE INTO records VALUES (?, ?)", (key, value))

    def get(self, key: str) -> str | None:
        """What was stored last under this key, if anything."""
        with self._reading:
            row = self._reader.execute("SELECT value FROM records WHERE key = ?", (key,)).fetchone()
        return row[0] if row else None

    @staticmethod
    def _connect(path: str) -> sqlite3.Connection:
        db = sqlite3.connect(path, timeout=2.0, isolation_level=None, check_same_thread=False)
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=FULL")
        return db


class OrdersDb(Service):
    """The store over HTTP, and the session registry."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.store = Store(settings.file("sqlite3"))
        self._sessions: set[str] = set()
        self._goodbyes: set[str] = set()
        self.routes |= {
            "GET /records/*": self.get,
            "PUT /records/*": self.put,
            "DELETE /session": lambda request: (200, {"goodbye": True}),
        }

    def get(self, request: Request) -> Answer:
        """The stored JSON, or 404."""
        value = self.store.get(request.tail)
        if value is None:
            return 404, {"error": f"no record {request.tail}"}
        return 200, json.loads(value)

    def put(self, request: Request) -> Answer:
        """Any JSON object; 200 only after it is on disk, 507 when the disk refused."""
        try:
            self.store.put(request.tail, json.dumps(request.json()))
        except sqlite3.Error as error:
            return 507, {"error": f"not stored: {error}"}
        return 200, {"key": request.tail, "committed": True}

    def session_began(self, session: str) -> None:
        """Remember who is there."""
        self._sessions.add(session)

    def session_goodbye(self, session: str) -> None:
        """Remember who is about to leave."""
        self._goodbyes.add(session)

    def session_ended(self, session: str) -> None:
        """Forget both. The incident is the second line: KeyError when the client just died."""
        self._sessions.remove(session)
        self._goodbyes.remove(session)
