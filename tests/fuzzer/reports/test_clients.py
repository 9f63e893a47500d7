"""The table of what clients saw."""

from collections import Counter
from dataclasses import replace

from fuzzer.reports.clients import client_lines
from models.histogram import Histogram
from models.load import Endpoint, Load, LoadRun, Phase, Request, Summary
from tests.support.fake_fleet import SHOP, target_of
from tests.support.histories import HistoryOf

CHECKOUT = Load("checkout", (Endpoint("GET /", "checkout"),))


def history(**changes):
    return replace(HistoryOf(target_of(*SHOP)).until(5.0), **changes)


def test_without_a_load_there_is_no_table():
    assert list(client_lines(history())) == []


def test_one_line_a_phase_with_what_failed_most_first():
    requests = (
        Request("checkout", "GET /", -1.0, 4.0, 200),
        *(Request("checkout", "GET /", 1.0 + n / 10, 10.0, 200) for n in range(9)),
        Request("checkout", "GET /", 2.0, 3000.0, None, "timeout"),
        *(Request("checkout", "GET /", 2.1, 5.0, 503) for _ in range(2)),
    )
    assert list(client_lines(history(requests=requests))) == [
        "load checkout    sent   good       p50       p95       p99  errors",
        "  before            1      1      4 ms      4 ms      4 ms",
        "  during           12      9     10 ms     10 ms     10 ms  HTTP 503 2, timeout 1",
    ]


def test_a_tool_that_only_adds_up_has_a_line_an_endpoint():
    told = Summary("locust", "GET /products", 10, 3, Counter({"HTTP 503": 3}), Histogram([7.0] * 7))
    lines = list(client_lines(history(summaries=(told,))))
    assert lines[0].split()[:2] == ["load", "locust"]
    assert lines[1].split() == ["GET", "/products", "10", "7", *["7", "ms"] * 3, "HTTP", "503", "3"]


def test_an_engine_in_trouble_is_told_unless_it_was_ended_with_the_scenario():
    run = LoadRun(CHECKOUT, Phase.DURING, 20.0, 1.0, 2.0, "the engine ended before its time")
    assert "  the engine ended before its time" in client_lines(history(loads=(run,), whole=True))
    assert "  the engine ended before its time" not in client_lines(history(loads=(run,)))
