from __future__ import annotations

import socket
import time

from tests.fuzzer.edges.rig import exchange_s, is_silent


def test_bytes_pass_and_the_end_comes_late(edge):
    edge.add("slow_close", delay=400)
    caller = edge.connect()
    exchange_s(caller)
    began_s = time.monotonic()
    caller.shutdown(socket.SHUT_WR)
    assert caller.recv(1) == b""
    assert time.monotonic() - began_s >= 0.4


def test_the_end_comes_when_the_toxic_goes(edge):
    edge.add("slow_close", delay=60_000)
    caller = edge.connect()
    exchange_s(caller)
    caller.shutdown(socket.SHUT_WR)
    assert is_silent(caller)
    edge.clear()
    assert caller.recv(1) == b""
