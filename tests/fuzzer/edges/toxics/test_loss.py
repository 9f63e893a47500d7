from __future__ import annotations

from math import inf
from random import Random

import pytest

from fuzzer.edges.toxics.loss import wait_s
from tests.fuzzer.edges.rig import exchange_s, is_silent, read


def test_a_lost_chunk_waits_for_the_timer_that_doubles():
    random = Random(1)
    waits = [wait_s(random, 50) for _ in range(4000)]
    sums = [0.0, 0.2, 0.6, 1.4, 3.0, 4.6, 6.2]
    assert {round(one, 1) for one in waits if one <= 6.3} == set(sums)
    for losses, one in enumerate(sums[:4]):
        share = sum(round(wait, 1) == one for wait in waits) / len(waits)
        assert share == pytest.approx(0.5 ** (losses + 1), abs=0.03)


def test_what_is_always_lost_never_comes():
    assert wait_s(Random(1), 100) == inf
    assert wait_s(Random(1), 0) == 0


def test_a_lost_chunk_is_late_and_never_missing(edge):
    edge.add("loss", percent=100)
    caller = edge.connect()
    caller.sendall(b"hello")
    assert is_silent(caller)
    edge.clear()
    assert read(caller, 5) == b"hello"
    edge.add("loss", percent=50)
    assert any(exchange_s(caller) >= 0.2 for _ in range(40))
