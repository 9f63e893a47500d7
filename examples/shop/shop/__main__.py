"""`python3 -m shop checkout-service` runs one service (or SERVICE from the environment names it)."""

from __future__ import annotations

import importlib
import os
import signal
import sys

from shop.settings import STOP_SIGNALS, Settings

CLASSES = {
    "api-gateway": ("gateway", "Gateway"),
    "product-service": ("product", "ProductService"),
    "checkout-service": ("checkout", "CheckoutService"),
    "user-service": ("user", "UserService"),
    "analytics-service": ("analytics", "AnalyticsService"),
    "orders-db": ("orders_db", "OrdersDb"),
}


def main(arguments: list[str]) -> None:
    """Run one service until it is told to stop.

    The signals are blocked before anything slow is imported: one that comes during the start waits
    until `Service.run` asks for it, instead of being discarded, as it would be for PID 1.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    name = arguments[0] if arguments else os.environ.get("SERVICE", "")
    settings = Settings(name, os.environ)
    if settings.flaws:
        importlib.import_module("shop.flaws").check_names(settings.flaws)
    module, cls = CLASSES[name]
    getattr(importlib.import_module(f"shop.{module}"), cls)(settings).run()


if __name__ == "__main__":
    main(sys.argv[1:])
