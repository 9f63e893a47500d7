from __future__ import annotations

from tests.fuzzer.edges.rig import exchange_s
from tests.support.waiting import until


def test_one_write_arrives_in_pieces(edge):
    edge.add("slicer", "upstream", average_size=100, size_variation=20, delay=10_000)
    edge.connect().sendall(bytes(1000))
    until(lambda: sum(map(len, edge.dependency.chunks)) == 1000)
    assert len(edge.dependency.chunks) > 3


def test_nothing_is_lost_with_the_smallest_pieces(edge):
    edge.add("slicer", average_size=1, size_variation=5, delay=0)
    exchange_s(edge.connect(), bytes(range(256)) * 20)


def test_a_size_of_zero_cuts_nothing(edge):
    edge.add("slicer")
    exchange_s(edge.connect())
