"""user-service: who the customers are. Keeps them in orders-db, beside the orders."""

from __future__ import annotations

import os

from shop.base import Answer, Service
from shop.peers import Outbox
from shop.settings import Settings
from shop.web import Request

FIRST_CUSTOMER = {"user_id": "1", "name": "the first customer"}


class UserService(Service):
    """Customers over HTTP."""

    hard = ("orders-db",)
    soft = ("analytics-service",)

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.records = self.peers["orders-db"]
        self.outbox = Outbox(self.peers["analytics-service"])
        self.routes |= {"GET /users/*": self.get_user, "POST /users": self.add_user}

    def get_user(self, request: Request) -> Answer:
        """One customer, or 404; number 1 is always there."""
        status, user = self.records.call("GET", f"/records/user-{request.tail}")
        if status == 404 and request.tail == FIRST_CUSTOMER["user_id"]:
            status, user = 200, FIRST_CUSTOMER
        self.outbox.tell("user-seen", "")
        return status, user

    def add_user(self, request: Request) -> Answer:
        """Body: {"name": "…"}. 201 {"user_id": …} after orders-db has committed."""
        user = {"user_id": os.urandom(4).hex(), "name": str(request.json().get("name", "nameless"))}
        status, answer = self.records.call("PUT", f"/records/user-{user['user_id']}", user)
        if status != 200:
            return 502, {"error": f"orders-db answered {status}: {answer}"}
        self.outbox.tell("user-added", user["user_id"])
        return 201, user
