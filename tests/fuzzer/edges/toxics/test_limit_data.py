from __future__ import annotations

from tests.fuzzer.edges.rig import exchange_s, read
from tests.support.waiting import until


def test_so_many_bytes_arrive_and_then_the_connection_is_closed(edge):
    edge.add("limit_data", bytes=100)
    caller = edge.connect()
    exchange_s(caller, bytes(60))
    caller.sendall(bytes(60))
    assert len(read(caller, 60)) == 40
    assert caller.recv(1) == b""
    until(lambda: edge.dependency.endings, "the dependency sees it, too")


def test_it_closes_behind_what_a_later_toxic_delays(edge):
    edge.add("limit_data", bytes=10)
    edge.add("latency", latency=100)
    caller = edge.connect()
    caller.sendall(bytes(20))
    assert len(read(caller, 20)) == 10
