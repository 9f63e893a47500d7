"""orders: keeps orders in PostgreSQL. A 201 is sent after the COMMIT, never before."""

from __future__ import annotations

import json
import uuid

import psycopg

from pgshop.beat import Beat
from pgshop.settings import Settings
from pgshop.store import Store
from pgshop.web import Answer, Service

TABLE = """CREATE TABLE IF NOT EXISTS orders (
    id uuid PRIMARY KEY, item text NOT NULL, quantity int NOT NULL, at timestamptz NOT NULL DEFAULT now())"""
INSERT = "INSERT INTO orders (id, item, quantity) VALUES (%s, %s, %s)"
ONE = "SELECT id::text, item, quantity FROM orders WHERE id = %s"
LAST = "SELECT id::text, item, quantity FROM orders ORDER BY at DESC LIMIT 10"
# The report reads the whole table; the nap stands for the millions of rows that it has elsewhere.
COUNT = "SELECT count(*), coalesce(sum(quantity), 0) FROM orders, (SELECT pg_sleep(0.05)) AS nap"


class Orders(Service):
    """The service over the pool."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        url = settings.url("DATABASE_URL", "postgresql://user:password@db:5432/shop")
        self.store = Store(url)
        self.beat = Beat(self.name, "db", self.look)
        self._made = False
        self.routes = {
            "GET /health": self.beat.health,
            "POST /orders": self._order,
            "GET /orders": self._last,
            "GET /orders/count": self._count,
            "GET /orders/*": self._one,
        }

    def run(self) -> None:
        """Connect in the background, whether the database is there or not, and serve."""
        self.store.open()
        self.beat.start()
        super().run()

    def look(self) -> None:
        """See that the database answers; the first time, make the table."""
        self.store.read("SELECT 1")
        if not self._made:
            self.store.write(TABLE)
            self._made = True

    def _order(self, tail: str, body: bytes) -> Answer:
        try:
            asked = json.loads(body or b"{}")
            item, quantity = str(asked.get("item", "kettle")), int(asked.get("quantity", 1))
        except (ValueError, AttributeError, TypeError) as error:
            return 400, {"error": f"the body is not an order: {error}"}
        order_id = str(uuid.uuid4())
        try:
            self.store.write(INSERT, (order_id, item, quantity))
        except psycopg.DataError as error:
            return 400, {"error": str(error)}
        return 201, {"order_id": order_id, "item": item, "quantity": quantity}

    def _one(self, tail: str, body: bytes) -> Answer:
        try:
            order_id = str(uuid.UUID(tail))
        except ValueError:
            return 404, {"error": f"no order {tail}"}
        rows = self.store.read(ONE, (order_id,))
        return (200, _shown(rows[0])) if rows else (404, {"error": f"no order {tail}"})

    def _last(self, tail: str, body: bytes) -> Answer:
        return 200, {"orders": [_shown(row) for row in self.store.read(LAST)]}

    def _count(self, tail: str, body: bytes) -> Answer:
        ((orders, items),) = self.store.read(COUNT)
        return 200, {"orders": orders, "items": items}


def _shown(row: tuple) -> dict[str, object]:
    return {"order_id": row[0], "item": row[1], "quantity": row[2]}
