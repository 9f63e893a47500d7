"""What Artillery and Locust wrote on real runs, read again."""

from __future__ import annotations

import json

import pytest

from fuzzer.loads.outside.artillery import Artillery
from fuzzer.loads.outside.base import Moment, ToolFailed
from fuzzer.loads.outside.hey import Hey
from fuzzer.loads.outside.locust import Locust

HEY = ("hey", "-m", "POST", "-h2", "http://127.0.0.1:8000/checkout?a=b")


@pytest.fixture
def began():
    return Moment(1000.0, 1795453580.0)


def by_endpoint(report):
    return {summary.endpoint: summary for summary in report.summaries}


def test_artillery_tells_endpoints_apart_by_its_plugin(recorded, began):
    told = by_endpoint(Artillery().read((), recorded, began))
    assert {name: (summary.sent, dict(summary.kinds)) for name, summary in told.items()} == {
        "/products": (12, {}),
        "/broken": (12, {"HTTP 503": 12}),
        "/hangup": (12, {"reset": 12}),
    }
    assert told["/hangup"].failed == told["/broken"].failed == 12
    assert told["/products"].began_s == pytest.approx(1004.092)
    assert told["/products"].ended_s == pytest.approx(1006.895)
    assert told["/products"].latency.count == 12


def test_without_it_everything_is_one(recorded, began):
    path = recorded / "artillery.json"
    report = json.loads(path.read_text())
    for period in (report["aggregate"], *report["intermediate"]):
        period["counters"] = {k: v for k, v in period["counters"].items() if not k.startswith("plugins")}
    path.write_text(json.dumps(report))
    (summary,) = Artillery().read((), recorded, began).summaries
    assert (summary.endpoint, summary.sent, summary.failed) == ("(all)", 36, 24)
    assert summary.kinds == {"HTTP 503": 12, "reset": 12}


def test_periods_that_do_not_add_up_give_way_to_the_whole(recorded, began):
    path = recorded / "artillery-refused.json"
    report = json.loads(path.read_text())
    assert len(report["intermediate"]) == 2
    path.rename(recorded / "artillery.json")
    assert len(Artillery().read((), recorded, began).summaries) == 2
    del report["intermediate"][0]
    (recorded / "artillery.json").write_text(json.dumps(report))
    (summary,) = Artillery().read((), recorded, began).summaries
    assert (summary.sent, dict(summary.kinds)) == (12, {"refused": 12})


def test_locust_tells_why_requests_failed(recorded, began):
    (recorded / "locust-stdout.txt").rename(recorded / "stdout.txt")
    (recorded / "locust-stderr.txt").rename(recorded / "stderr.txt")
    report = Locust().read((), recorded, began)
    told = by_endpoint(report)
    assert set(told) == {
        "GET /products", "GET /broken", "GET /missing", "GET /hangup", "GET /odd", "GET no",
    }  # fmt: skip
    assert told["GET /products"].failed == 0
    assert told["GET /products"].latency.count == told["GET /products"].sent > 0
    assert told["GET /missing"].failed == 0  # an answer, if not the one that was hoped for
    assert set(told["GET /broken"].kinds) == {"HTTP 503"}
    assert set(told["GET /hangup"].kinds) == {"reset"}
    assert set(told["GET /odd"].kinds) == {"wrong-body"}
    assert set(told["GET no"].kinds) == {"refused"}
    assert (told["GET /broken"].failed, told["GET /hangup"].failed) == (24, 23)
    assert report.unsent == 0
    assert 1000 < told["GET no"].began_s < told["GET no"].ended_s < 1200


def test_hey_tells_answers_singly_and_failures_together(tmp_path, began):
    (tmp_path / "stdout.txt").write_text(
        "npm says hello\nbegin\n0.0125,0.5,200\n0.001,1.5e-05,503\n"
        'error 3 "Post \\"http://127.0.0.1:8000/checkout\\": EOF"\n'
        'error 1 "dial tcp: socket: too many open files"\n'
        "status 1 200\nstatus 5 503\nend\n"
    )
    report = Hey().read(HEY, tmp_path, began)
    first, second = report.requests
    assert (first.endpoint, first.origin, first.status) == ("POST /checkout", "http://127.0.0.1:8000", 200)
    assert (first.sent_s, first.latency_ms) == (1000.5, 12.5)
    assert not second.good
    (rest,) = report.summaries
    assert (rest.sent, rest.failed, dict(rest.kinds)) == (7, 7, {"reset": 3, "HTTP 503": 4})
    assert report.unsent == 1


@pytest.mark.parametrize("lines", ["", "begin\n0.1,0.1,200\nstatus 1 200\n", "begin\n0.1,0.1,200\nend\n"])
def test_half_a_report_of_hey_is_none(tmp_path, began, lines):
    (tmp_path / "stdout.txt").write_text(lines)
    with pytest.raises(ToolFailed, match="hey: stdout"):
        Hey().read(HEY, tmp_path, began)


def test_failures_without_a_reason_are_not_held_against_the_fleet(recorded, began):
    (recorded / "locust-stdout.txt").rename(recorded / "stdout.txt")
    (recorded / "stderr.txt").touch()
    report = Locust().read((), recorded, began)
    assert report.unsent > 0
    assert not any(summary.failed for summary in report.summaries)
