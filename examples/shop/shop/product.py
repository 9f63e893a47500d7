"""product-service: the catalogue. Needs nobody; tells analytics what was looked at."""

from __future__ import annotations

from shop.base import Answer, Service
from shop.peers import Outbox
from shop.settings import Settings
from shop.web import Request

CATALOGUE = {
    "1": {"id": "1", "name": "teapot", "price_cents": 2900},
    "2": {"id": "2", "name": "kettle", "price_cents": 4900},
    "3": {"id": "3", "name": "tea, 100 g", "price_cents": 700},
}


class ProductService(Service):
    """The catalogue over HTTP."""

    soft = ("analytics-service",)

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.outbox = Outbox(self.peers["analytics-service"])
        self.routes |= {"GET /products": self.list_products, "GET /products/*": self.get_product}

    def list_products(self, request: Request) -> Answer:
        """Everything that there is, in one page."""
        self.outbox.tell("catalogue-seen", "")
        return 200, {"products": list(CATALOGUE.values())}

    def get_product(self, request: Request) -> Answer:
        """One product, or 404."""
        product = CATALOGUE.get(request.tail)
        return (200, product) if product else (404, {"error": f"no product {request.tail}"})
