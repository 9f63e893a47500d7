"""The table of flaws: realistic mistakes that can be put back into the hardened shop.

Each is one function that is run in one service before it starts to listen, and its docstring says
what can be seen from outside. `SHOP_FLAWS=a,b` switches flaws on: every service checks the names,
and only the service that a flaw belongs to changes.
"""

from __future__ import annotations

import collections
import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable
from typing import NamedTuple

from shop.base import Service
from shop.flawkit import first_answer, look, mark, spy
from shop.peers import PeerError
from shop.settings import STOP_SIGNALS, die, log, refuse
from shop.watch import GONE, HUNG, OK, Watch
from shop.web import Request

RETRIES = 50
COMMIT_LATER_S = 1.0
LATE_S = 0.9


Install = Callable[[Service], None]


class Flaw(NamedTuple):
    """Which service has it, and what puts it there."""

    service: str
    install: Install


TABLE: dict[str, Flaw] = {}


def flaw(name: str, service: str) -> Callable[[Install], Install]:
    """Enter a function into the table."""

    def register(install: Install) -> Install:
        TABLE[name] = Flaw(service, install)
        return install

    return register


def check_names(names: tuple[str, ...]) -> None:
    """Exit with code 2 and the list of flaws when one is asked for that does not exist."""
    unknown = [name for name in names if name not in TABLE]
    if unknown:
        refuse(f"no flaw {', '.join(unknown)}; the flaws are: {', '.join(TABLE)}")


def install(service: Service) -> None:
    """Put the flaws that are switched on into the service that they belong to."""
    for name in service.settings.flaws:
        if TABLE[name].service == service.name:
            TABLE[name].install(service)


@flaw("crash-on-dependency-failure", "checkout-service")
def crash_on_dependency_failure(service: Service) -> None:
    """checkout-service exits with 1 when product-service, once seen, is gone or hung."""
    spy(service, "product-service", lambda watch: die(service.name, f"{watch.peer} is {watch.last}"))


@flaw("no-restart", "user-service")
def no_restart(service: Service) -> None:
    """user-service, started after an unclean death, takes its own lock file for another instance's
    and exits with 0, which `restart: on-failure` leaves alone. A start by hand works again."""
    lock = service.settings.file("lock")
    if os.path.exists(lock):
        os.unlink(lock)
        log(service.name, "exits", reason="'another instance is running'")
        os._exit(0)
    mark(service, lock)


@flaw("no-timeout", "checkout-service")
def no_timeout(service: Service) -> None:
    """checkout-service asks analytics-service within /health and POST /checkout and waits for ever:
    it hangs while analytics is paused, and is well while analytics is merely gone."""
    analytics = service.peers["analytics-service"]

    def ask(request: Request) -> None:
        if request.path in ("/health", "/checkout") and analytics.watch.last != GONE:
            with contextlib.suppress(PeerError):
                analytics.attempt("GET", "/health", None, timeout_s=None)

    service.before.append(ask)


@flaw("undeclared-dependency", "user-service")
def undeclared_dependency(service: Service) -> None:
    """user-service is 503 while product-service is away, though nothing declares that it needs it."""
    product = spy(service, "product-service")
    service.needs.append(product)

    def ask(request: Request) -> None:
        if request.path not in ("/health", "/metrics.json") and not product.up:
            raise PeerError("product-service", "is away", 503)

    service.before.append(ask)


@flaw("start-order", "checkout-service")
def start_order(service: Service) -> None:
    """checkout-service exits with 1 at its start when orders-db does not answer."""
    if look(service.peers["orders-db"].watch) != OK:
        die(service.name, "orders-db is not there yet")


@flaw("stale-connection", "checkout-service")
def stale_connection(service: Service) -> None:
    """checkout-service never opens a second connection to orders-db: 503 for ever after orders-db
    was restarted, until checkout-service is restarted too."""
    service.peers["orders-db"].watch.reopen = False


@flaw("slow-recovery", "product-service")
def slow_recovery(service: Service) -> None:
    """product-service rebuilds its catalogue for 35 s (SHOP_SLOW_RECOVERY_S) after an unclean death
    and listens only then."""
    marker = service.settings.file("dirty")
    if os.path.exists(marker):
        rebuilt_s = time.monotonic() + float(os.environ.get("SHOP_SLOW_RECOVERY_S") or 35)
        log(service.name, "rebuilding")
        while time.monotonic() < rebuilt_s:
            time.sleep(0.02)
            if signal.sigpending().intersection(STOP_SIGNALS):
                os.unlink(marker)
                os._exit(0)
    mark(service, marker)


@flaw("lost-write", "orders-db")
def lost_write(service: Service) -> None:
    """orders-db acknowledges a write and commits it about a second later."""
    store = service.store  # type: ignore[attr-defined]
    commit, read = store.put, store.get
    acknowledged: dict[str, str] = {}
    due: collections.deque[tuple[float, str]] = collections.deque()
    flushing = threading.Lock()

    def put(key: str, value: str) -> None:
        acknowledged[key] = value
        due.append((time.monotonic() + COMMIT_LATER_S, key))

    def get(key: str) -> str | None:
        return acknowledged.get(key) or read(key)

    def flush(until_s: float = float("inf")) -> None:
        with flushing:
            while due and due[0][0] <= until_s:
                key = due.popleft()[1]
                commit(key, acknowledged[key])
                acknowledged.pop(key)

    def work() -> None:
        while True:
            time.sleep(0.05)
            flush(time.monotonic())

    store.put, store.get = put, get
    service.at_stop.append(flush)
    threading.Thread(target=work, name="commit-later", daemon=True).start()


@flaw("retry-storm", "checkout-service")
def retry_storm(service: Service) -> None:
    """checkout-service repeats a failed orders-db call 50 times at once: `calls` in its metrics and,
    when orders-db was hung, `requests` and `abandoned` in orders-db's."""
    orders = service.peers["orders-db"]

    def stubborn(method: str, path: str, payload: object = None) -> tuple[int, object]:
        answer: tuple[int, object] | None
        try:
            answer = orders.attempt(method, path, payload, orders.timeout_s)
            if answer[0] < 500:
                return answer
        except PeerError:
            pass
        sent = []
        for _ in range(RETRIES):
            try:
                sent.append(orders.send(method, path, payload, orders.timeout_s))
            except TimeoutError:
                break
            except OSError:
                pass
        answer = first_answer(sent, orders.timeout_s)
        if answer is None:
            raise PeerError(orders.name, f"no answer to {RETRIES} retries", 504)
        return answer

    orders.call = stubborn  # type: ignore[method-assign]


@flaw("sticky-degradation", "checkout-service")
def sticky_degradation(service: Service) -> None:
    """Once analytics-service was away, checkout-service answers everything, /health included,
    0.9 s late until it is restarted."""

    def degrade(watch: Watch) -> None:
        service.delay_s = LATE_S

    spy(service, "analytics-service", degrade)


@flaw("two-fault", "analytics-service")
def two_fault(service: Service) -> None:
    """analytics-service exits with 1 when checkout-service and user-service are gone or hung at the
    same time; one of them alone does nothing."""
    spies: dict[str, Watch] = {}

    def fell(watch: Watch) -> None:
        (other,) = (w for w in spies.values() if w is not watch)
        # Hanging shows late: what was away when this one began to hang counts, though it is back.
        back_since = other.recovered_s > (watch.failing_since_s or 0.0)
        if other.ever_up and (back_since or look(other) != OK):
            die(service.name, f"{watch.peer} is {watch.last} and so is {other.peer}")

    for name in ("checkout-service", "user-service"):
        spies[name] = spy(service, name, fell)


@flaw("order-dependent", "analytics-service")
def order_dependent(service: Service) -> None:
    """analytics-service exits with 1 when orders-db dies while product-service is already hanging;
    the other order does nothing, and a product-service that answers again is forgiven."""
    product = spy(service, "product-service")

    def died(watch: Watch) -> None:
        # Asked after the death: whatever answers now was not hanging then.
        if watch.last == GONE and look(product) == HUNG:
            die(service.name, "orders-db is gone and product-service hangs")

    spy(service, "orders-db", died)
