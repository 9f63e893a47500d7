from __future__ import annotations

import time

import pytest

from tests.fuzzer.edges.rig import exchange_s
from tests.support.waiting import until


def test_an_open_connection_is_reset_at_once_at_both_ends(edge):
    caller = edge.connect()
    exchange_s(caller)
    edge.add("reset_peer", timeout=0)
    with pytest.raises(ConnectionResetError):
        caller.recv(1)
    until(lambda: edge.dependency.endings == ["reset"], "the dependency is reset")


def test_a_new_connection_is_reset_after_the_timeout(edge):
    edge.add("reset_peer", timeout=300)
    began_s = time.monotonic()
    caller = edge.connect()
    exchange_s(caller)
    with pytest.raises(ConnectionResetError):
        caller.recv(1)
    assert time.monotonic() - began_s >= 0.29


def test_afterwards_connections_live(edge):
    edge.add("reset_peer", timeout=60_000)
    caller = edge.connect()
    exchange_s(caller)
    edge.clear()
    exchange_s(caller)
