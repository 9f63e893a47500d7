"""The table of flaws: realistic mistakes that can be put back into orders.

Each is one function that changes orders before it starts, and its docstring says what can be seen from
outside. `PG_FLAWS=a,b` switches flaws on. A fault of the edge from orders to db is enough for each.
"""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable

import psycopg
from psycopg_pool import PoolTimeout

from pgshop.orders import Orders
from pgshop.settings import refuse
from pgshop.store import BOUNDS, PLAIN, POOL_SIZE, good_pool
from pgshop.web import Answer

FOR_EVER_S = 1e6

Install = Callable[[Orders], None]
TABLE: dict[str, Install] = {}


def flaw(name: str) -> Callable[[Install], Install]:
    """Enter a function into the table."""

    def register(install: Install) -> Install:
        TABLE[name] = install
        return install

    return register


def install(orders: Orders, names: tuple[str, ...]) -> None:
    """Put these flaws in; exit with code 2 and the list when one is asked for that does not exist."""
    unknown = [name for name in names if name not in TABLE]
    if unknown:
        refuse(f"no flaw {', '.join(unknown)}; the flaws are: {', '.join(TABLE)}")
    for name in names:
        TABLE[name](orders)


class HandWritten:
    """A pool in ten lines: connects when it has to, and takes for granted that connections last."""

    def __init__(self, url: str) -> None:
        self._url, self._made, self._lock = url, 0, threading.Lock()
        self._free: queue.Queue[psycopg.Connection] = queue.Queue()

    def getconn(self, timeout: float | None = None) -> psycopg.Connection:
        """A free one, else a new one as long as there are few, else whichever is given back first."""
        with contextlib.suppress(queue.Empty):
            return self._free.get_nowait()
        with self._lock:
            if self._made < POOL_SIZE:
                connection = psycopg.connect(self._url, **PLAIN, **BOUNDS)
                self._made += 1
                return connection
        try:
            return self._free.get(timeout=timeout)
        except queue.Empty:
            raise PoolTimeout(f"none within {timeout} s") from None

    def putconn(self, conn: psycopg.Connection) -> None:
        """Take it back, whatever became of it: this is the mistake."""
        self._free.put(conn)


@flaw("pool-never-recovers")
def pool_never_recovers(orders: Orders) -> None:
    """orders hands broken connections out again and again: after a reset, or a restart of db, it answers
    everything with 503, `/health` too, until it is restarted itself."""
    orders.store.pool = HandWritten(orders.store.url)
    orders.store.check = lambda connection: None  # type: ignore[method-assign]


@flaw("no-statement-timeout")
def no_statement_timeout(orders: Orders) -> None:
    """orders waits for ever, for connections and for answers, and `/health` asks db: while db hangs or
    the way to it swallows everything, every request and `/health` hang, one thread each."""
    store = orders.store
    store.pool = good_pool(store.url, connect_timeout=0)
    store.pool.max_waiting = 0
    store.wait_s, store.answer_s = FOR_EVER_S, None
    store.check = lambda connection: None  # type: ignore[method-assign]

    def health(tail: str, body: bytes) -> Answer:
        orders.look()
        return 200, {"status": "ok"}

    orders.routes["GET /health"] = health


@flaw("pool-leak")
def pool_leak(orders: Orders) -> None:
    """orders gives a connection back only where all went well: each one that breaks is missing from the
    pool, and once all are, it answers everything with 503 until it is restarted."""
    store = orders.store
    give_back = store.give_back

    def only_good(connection: psycopg.Connection, failed: bool) -> None:
        if not failed:
            give_back(connection, failed)

    store.give_back = only_good  # type: ignore[method-assign]
    store.check = lambda connection: None  # type: ignore[method-assign]
