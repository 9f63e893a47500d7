"""front: what clients talk to. Passes everything on to orders, and waits for it only so long."""

from __future__ import annotations

import http.client
import json
from urllib.parse import urlsplit

from pgshop.beat import Beat
from pgshop.settings import Settings
from pgshop.web import Answer, Service, Unavailable

ANSWER_S = 1.5
"""Longer than orders ever takes, so that orders' own word for what is wrong comes first."""
BEAT_S = 0.5


class Front(Service):
    """The entry."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        parts = urlsplit(settings.url("ORDERS_URL", "http://orders:8011"))
        self._orders = (parts.hostname or "", parts.port or 80)
        self.beat = Beat(self.name, "orders", self._look)
        self.routes = {
            "GET /health": self.beat.health,
            "POST /orders": lambda tail, body: self._ask("POST", "/orders", body),
            "GET /orders": lambda tail, body: self._ask("GET", "/orders"),
            "GET /orders/*": lambda tail, body: self._ask("GET", f"/orders/{tail}"),
        }
        self.beat.start()

    def _look(self) -> None:
        status, _ = self._ask("GET", "/health", timeout_s=BEAT_S)
        if status != 200:
            raise Unavailable("orders is not well")

    def _ask(self, method: str, path: str, body: bytes = b"", timeout_s: float = ANSWER_S) -> Answer:
        connection = http.client.HTTPConnection(*self._orders, timeout=timeout_s)
        try:
            connection.request(method, path, body or None)
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        except TimeoutError as error:
            raise Unavailable("orders does not answer", 504) from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise Unavailable(f"orders is away: {error}", 502) from error
        finally:
            connection.close()
