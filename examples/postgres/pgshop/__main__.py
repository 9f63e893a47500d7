"""`python3 -m pgshop orders` runs one service until it is told to stop."""

from __future__ import annotations

import os
import signal
import sys

from pgshop.settings import STOP_SIGNALS, Settings


def main(arguments: list[str]) -> None:
    """Block the signals before anything slow is imported: PID 1 would have them discarded."""
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    settings = Settings(arguments[0] if arguments else "", os.environ)
    if settings.service == "front":
        from pgshop.front import Front

        Front(settings).run()
    else:
        from pgshop import flaws
        from pgshop.orders import Orders

        orders = Orders(settings)
        flaws.install(orders, settings.flaws)
        orders.run()


if __name__ == "__main__":
    main(sys.argv[1:])
