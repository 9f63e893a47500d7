from __future__ import annotations

import socket
import time

from tests.fuzzer.edges.rig import exchange_s, is_silent, read
from tests.support.waiting import until


def test_a_black_hole_swallows_at_once_and_gives_back_when_it_goes(edge):
    caller = edge.connect()
    exchange_s(caller)
    edge.add("timeout", timeout=0)
    caller.sendall(b"hello")
    assert is_silent(caller)
    edge.clear()
    assert read(caller, 5) == b"hello"
    exchange_s(caller)


def test_with_a_timeout_the_connection_is_closed_then(edge):
    caller = edge.connect()
    exchange_s(caller)
    began_s = time.monotonic()
    edge.add("timeout", timeout=300)
    caller.sendall(b"hello")
    assert caller.recv(5) == b""
    assert time.monotonic() - began_s >= 0.29
    until(lambda: edge.dependency.endings, "the dependency sees it, too")


def test_on_the_way_up_the_dependency_gets_nothing(edge):
    edge.add("timeout", "upstream", timeout=0)
    caller = edge.connect()
    caller.sendall(b"hello")
    assert is_silent(caller)
    assert edge.dependency.chunks == []


def test_callers_that_gave_up_in_the_hole_do_not_keep_it_open(edge):
    """Their ends are passed on when the hole goes, to sockets that may have gone as well."""
    held = [edge.connect() for _ in range(6)]
    for caller in held:
        exchange_s(caller)
    edge.add("timeout", timeout=0)
    for number, caller in enumerate(held):
        caller.sendall(b"hello")
        if number % 2:
            caller.shutdown(socket.SHUT_RDWR)
    until(lambda: len(edge.dependency.chunks) >= 2 * len(held), "the dependency has answered")
    for caller in held:
        caller.close()
    edge.clear()
    exchange_s(edge.connect())
