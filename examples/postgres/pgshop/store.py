"""The database behind a pool, made so that nothing waits for it for longer than a second.

What a service over a database has to bound, and where it is done here:

| wait | bound |
|---|---|
| for a free connection | the pool's `timeout`, and `max_waiting` in its queue |
| for an answer that the server cannot give in time | `statement_timeout` and `lock_timeout`, by the server |
| for a server that hangs, or is behind a network that swallows everything | `Deadline`, by this side |
| for packets that nobody acknowledges | `tcp_user_timeout` and keepalives, by the kernel |
| for a new connection | `connect_timeout`; psycopg makes it two seconds at least |

A connection is looked at before it is lent: after a restart of the database, the whole pool is full
of dead ones. Flaws hook into `pool`, `check`, `give_back`, `answer_s` and `wait_s`.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from collections.abc import Iterator
from typing import Protocol

import psycopg
from psycopg_pool import ConnectionPool, PoolTimeout, TooManyRequests

from pgshop.web import Unavailable

POOL_SIZE = 4
WAITING_MAX = 32
WAIT_S = 0.5
"""How long a request waits for a connection."""
ANSWER_S = 0.9
"""From asking for a connection to the last answer."""
CHECK_S = 0.4

BOUNDS = {
    "connect_timeout": 2,
    "options": "-c statement_timeout=800 -c lock_timeout=500 -c idle_in_transaction_session_timeout=2000",
    "tcp_user_timeout": 1000,
    "keepalives_idle": 1,
    "keepalives_interval": 1,
    "keepalives_count": 2,
}
PLAIN = {"autocommit": True, "sslmode": "disable", "gssencmode": "disable"}


class Pool(Protocol):
    """What lends connections."""

    def getconn(self, timeout: float | None = None) -> psycopg.Connection:
        """One connection; raises PoolTimeout when none is free in time."""
        ...

    def putconn(self, conn: psycopg.Connection) -> None:
        """Take it back."""
        ...


def good_pool(url: str, **bounds: object) -> ConnectionPool:
    """A bounded pool that replaces what is broken.

    `reconnect_timeout` is short: its retries wait ever longer, and the next request begins anew.
    """
    return ConnectionPool(
        url,
        kwargs={**PLAIN, **(bounds or BOUNDS)},
        min_size=POOL_SIZE,
        max_size=POOL_SIZE,
        max_waiting=WAITING_MAX,
        reconnect_timeout=0.2,
        num_workers=POOL_SIZE,
        open=False,
    )


class Store:
    """Reads and writes. Whatever the database cannot do becomes `Unavailable`, so a 503."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.pool: Pool = good_pool(url)
        self.wait_s: float = WAIT_S
        self.answer_s: float | None = ANSWER_S

    def open(self) -> None:
        """Begin to connect; does not wait for it."""
        if isinstance(self.pool, ConnectionPool):
            self.pool.open()

    def read(self, query: str, values: tuple = ()) -> list[tuple]:
        """Every row."""
        with self._lent() as connection:
            return connection.execute(query, values).fetchall()

    def write(self, query: str, values: tuple = ()) -> None:
        """Returns once it is committed."""
        with self._lent() as connection, connection.transaction():
            connection.execute(query, values)

    def check(self, connection: psycopg.Connection) -> None:
        """Raise where the connection is broken."""
        with Deadline(connection, CHECK_S):
            ConnectionPool.check_connection(connection)

    def give_back(self, connection: psycopg.Connection, failed: bool) -> None:
        """Return it to the pool, which throws a broken one away and makes another."""
        self.pool.putconn(connection)

    @contextlib.contextmanager
    def _lent(self) -> Iterator[psycopg.Connection]:
        over_s = time.monotonic() + (self.answer_s or 0)
        try:
            connection = self._sound_connection()
            failed = True
            try:
                with Deadline(connection, self.answer_s and over_s - time.monotonic()):
                    yield connection
                failed = False
            finally:
                self.give_back(connection, failed)
        except (PoolTimeout, TooManyRequests) as error:
            raise Unavailable(f"no connection to the database is free: {error}") from error
        except psycopg.DataError:
            raise
        except psycopg.Error as error:
            raise Unavailable(f"the database: {type(error).__name__}: {error}") from error

    def _sound_connection(self) -> psycopg.Connection:
        """One that answers. Each that does not is thrown away: the pool's own check waits between two."""
        until_s = time.monotonic() + self.wait_s
        while True:
            connection = self.pool.getconn(max(0.0, until_s - time.monotonic()))
            try:
                self.check(connection)
                return connection
            except psycopg.Error:
                self.pool.putconn(connection)


class Deadline:
    """Cut a connection that takes longer than `limit_s` (None: never), so that its query ends with an
    error. PostgreSQL's own limits are of no use when nothing comes from PostgreSQL any more."""

    def __init__(self, connection: psycopg.Connection, limit_s: float | None) -> None:
        self._connection, self._limit_s = connection, limit_s

    def __enter__(self) -> None:
        if self._limit_s is not None:
            # A descriptor of its own: that of the connection may be another's by the time of the cut.
            self._line = socket.socket(fileno=os.dup(self._connection.fileno()))
            self._timer = threading.Timer(max(0.0, self._limit_s), self._cut)
            self._timer.daemon = True
            self._timer.start()

    def __exit__(self, *_: object) -> None:
        if self._limit_s is not None:
            self._timer.cancel()
            self._line.close()

    def _cut(self) -> None:
        with contextlib.suppress(OSError):
            self._line.shutdown(socket.SHUT_RDWR)
