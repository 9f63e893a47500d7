"""Connections that are held, against real sockets."""

import socket
import threading
from contextlib import suppress

import pytest

from fuzzer.runtimes.base import Undo
from fuzzer.runtimes.held import Holds
from models.errors import StepInvalid
from tests.support.waiting import until


class Server:
    """Takes as many connections as it is told, and ends every other at once."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.open: list[socket.socket] = []
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.address = self.listener.getsockname()[:2]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                if len(self.open) < self.room:
                    self.open.append(connection)
                else:
                    connection.close()

    def end_all(self) -> None:
        while self.open:
            self.open.pop().close()


@pytest.fixture
def held():
    holds, servers = [], []

    def make(room):
        servers.append(Server(room))
        holds.append(Holds({"db": servers[-1].address, "hidden": None}.get))
        return holds[-1], servers[-1]

    yield make
    for one, server in zip(holds, servers, strict=True):
        one.release(Undo("release", ("db",)))
        server.listener.close()


def test_so_many_are_open_until_they_are_let_go(held):
    holds, server = held(room=100)
    holds.hold("db", 30)
    until(lambda: len(server.open) == 30 and holds.held("db") == 30)
    for _ in range(2):
        holds.release(Undo("release", ("db", "nobody")))
    assert holds.held("db") == 0
    assert all(one.recv(1) == b"" for one in server.open)


def test_what_is_ended_is_opened_again(held):
    holds, server = held(room=100)
    holds.hold("db", 5)
    until(lambda: len(server.open) == 5)
    server.end_all()
    until(lambda: len(server.open) == 5 and holds.held("db") == 5)


def test_whoever_has_no_room_keeps_what_it_took(held):
    holds, server = held(room=3)
    holds.hold("db", 10)
    until(lambda: holds.held("db") == 3)
    with socket.create_connection(server.address) as late:
        assert late.recv(1) == b"", "there is no room for anybody else"


def test_nobody_is_reached_at_no_address(held):
    holds, _ = held(room=1)
    with pytest.raises(StepInvalid, match="hidden cannot be reached"):
        holds.hold("hidden", 1)
