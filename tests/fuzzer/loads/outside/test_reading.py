"""Requests without number, and histograms of which only quantiles are known."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuzzer.loads.outside import reading
from fuzzer.loads.outside.reading import Collected, from_quantiles


def test_requests_beyond_what_is_kept_are_added_up(monkeypatch):
    monkeypatch.setattr(reading, "REQUESTS_MOST", 10)
    monkeypatch.setattr(reading, "ENDPOINTS_MOST", 2)
    collected = Collected()
    for number in range(40):
        status = 503 if number % 2 else 200
        collected.add(f"GET /{number % 4}", float(number), 10.0, status, "", "http://a:80")
    report = collected.report()
    assert report.sent == 40
    assert len(report.requests) == 10
    assert [summary.endpoint for summary in report.summaries] == ["GET /2", "GET /3", "(other)"]
    assert sum(summary.failed for summary in report.summaries) == 15
    assert report.summaries[1].kinds == {"HTTP 503": report.summaries[1].sent}
    assert report.summaries[0].began_s == 10.0
    assert report.summaries[0].latency.quantile(0.5) == pytest.approx(10, rel=0.001)


def test_quantiles_that_are_known_are_met():
    histogram = from_quantiles(1000, [(0.0, 1.0), (0.5, 3.0), (0.99, 80.0), (1.0, 100.0)])
    assert histogram.count == 1000
    for share, value in ((0.5, 3.0), (0.99, 80.0), (1.0, 100.0)):
        assert histogram.quantile(share) == pytest.approx(value, rel=0.001)


@given(
    st.integers(0, 10_000),
    st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1e6)), min_size=1),
)
def test_as_many_values_as_there_were(count, quantiles):
    assert from_quantiles(count, quantiles).count == count
