"""checkout-service: turns a basket into an order that is on disk before the customer hears of it."""

from __future__ import annotations

import collections
import os

from shop.base import Answer, Service
from shop.peers import Outbox, PeerError
from shop.settings import Settings
from shop.web import BadRequest, Request

RECENT = 200
DEFAULT_BASKET = [{"product_id": "1", "quantity": 1}]


class CheckoutService(Service):
    """Prices a basket, stores the order, tells analytics."""

    hard = ("product-service", "orders-db")
    soft = ("analytics-service",)

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.products = self.peers["product-service"]
        self.orders = self.peers["orders-db"]
        self.outbox = Outbox(self.peers["analytics-service"])
        self.recent: collections.deque[str] = collections.deque(maxlen=RECENT)
        self.routes |= {
            "POST /checkout": self.checkout,
            "GET /orders": self.list_recent,
            "GET /orders/*": self.get_order,
        }

    def checkout(self, request: Request) -> Answer:
        """Body, optional: {"items": [{"product_id": "1", "quantity": 2}]}. 201 {"order_id": …}."""
        items, total_cents = self._price(request.json().get("items", DEFAULT_BASKET))
        order_id = os.urandom(6).hex()
        order = {"order_id": order_id, "items": items, "total_cents": total_cents}
        status, answer = self.orders.call("PUT", f"/records/order-{order_id}", order)
        if status != 200:
            return 502, {"error": f"orders-db answered {status}: {answer}"}
        self.recent.append(order_id)
        self.outbox.tell("order", order_id)
        return 201, order

    def get_order(self, request: Request) -> Answer:
        """An order as it was stored, or 404."""
        return self.orders.call("GET", f"/records/order-{request.tail}")

    def list_recent(self, request: Request) -> Answer:
        """The last orders, for whoever tails them (analytics, after it was away)."""
        return 200, {"order_ids": list(self.recent)}

    def _price(self, items: object) -> tuple[list[object], int]:
        if not isinstance(items, list) or not items:
            raise BadRequest("items must be a list of at least one item")
        total_cents = 0
        for item in items:
            quantity = item.get("quantity", 1) if isinstance(item, dict) else 0
            if not isinstance(quantity, int) or quantity < 1:
                raise BadRequest(f"{item!r} is not an item")
            product_id = item.get("product_id")
            status, product = self.products.call("GET", f"/products/{product_id}")
            if status == 404:
                raise BadRequest(f"no product {product_id}")
            if status != 200 or not isinstance(product, dict):
                raise PeerError("product-service", f"answered {status}", 502)
            total_cents += product["price_cents"] * quantity
        return items, total_cents
