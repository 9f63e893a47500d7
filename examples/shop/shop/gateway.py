"""api-gateway: the shop's door. Passes requests on and turns a missing service into 502 or 504."""

from __future__ import annotations

from shop.base import Answer, Service
from shop.settings import Settings
from shop.web import Request

ROUTES = {
    "GET /products": "product-service",
    "GET /products/*": "product-service",
    "GET /users/*": "user-service",
    "POST /users": "user-service",
    "POST /checkout": "checkout-service",
    "GET /orders/*": "checkout-service",
}


class Gateway(Service):
    """Forwards; a dead or hanging upstream costs half a second at most, and nothing once it is known."""

    hard = ("product-service", "user-service", "checkout-service")

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.routes |= dict.fromkeys(ROUTES, self.forward)

    def forward(self, request: Request) -> Answer:
        """Whatever upstream answers; 502 when it is gone, 504 when it hangs."""
        upstream = ROUTES.get(f"{request.method} {request.path}") or ROUTES[request.pattern]
        body = request.json() if request.body else None
        return self.peers[upstream].call(request.method, request.path, body)
