from __future__ import annotations

import random

from tests.fuzzer.edges.rig import exchange_s, read


def test_what_passes_is_late_also_on_a_connection_that_is_open(edge):
    caller = edge.connect()
    exchange_s(caller)
    edge.add("latency", latency=200)
    assert exchange_s(caller) >= 0.2
    assert exchange_s(edge.connect()) >= 0.2


def test_other_values_count_at_once_and_none_after_it_is_gone(edge):
    caller = edge.connect()
    edge.add("latency", latency=60_000)
    caller.sendall(b"held")
    edge.clear()
    assert read(caller, 4) == b"held"  # what was held comes when the toxic goes
    edge.add("latency", latency=60_000)
    caller.sendall(b"again")
    edge.client._ask(
        "PATCH", f"/proxies/{edge.name}/toxics/latency_downstream", {"attributes": {"latency": 50}}
    )
    assert read(caller, 5) == b"again"


def test_both_ways_add_up(edge):
    edge.add("latency", "upstream", latency=100)
    edge.add("latency", "downstream", latency=100)
    assert exchange_s(edge.connect()) >= 0.2


def test_jitter_keeps_the_order_and_the_throughput(edge):
    edge.add("latency", latency=50, jitter=50)
    data = random.Random(1).randbytes(200_000)
    caller = edge.connect()
    for start in range(0, len(data), 10_000):
        caller.sendall(data[start : start + 10_000])
    assert read(caller, len(data)) == data


def test_no_toxicity_is_no_toxic(edge):
    edge.add("latency", toxicity=0, latency=60_000)
    exchange_s(edge.connect())
