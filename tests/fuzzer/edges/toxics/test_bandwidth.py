from __future__ import annotations

from tests.fuzzer.edges.rig import exchange_s, is_silent, read


def test_bytes_take_their_time(edge):
    edge.add("bandwidth", rate=100)
    assert exchange_s(edge.connect(), bytes(50_000)) >= 0.45


def test_a_rate_of_zero_lets_nothing_through_until_it_is_another(edge):
    edge.add("bandwidth", rate=0)
    caller = edge.connect()
    caller.sendall(b"hello")
    assert is_silent(caller)
    edge.client._ask(
        "POST", f"/proxies/{edge.name}/toxics/bandwidth_downstream", {"attributes": {"rate": 1000}}
    )
    assert read(caller, 5) == b"hello"
