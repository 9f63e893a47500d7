"""k6's report, as its documentation has it; see recorded/README.md."""

from __future__ import annotations

from pathlib import Path

import pytest

from fuzzer.loads.outside.base import ToolFailed
from fuzzer.loads.outside.k6 import K6
from models.errors import RequestError

SHOP = "http://127.0.0.1:8000"


@pytest.fixture
def requests(recorded, began):
    return K6().read(("k6", "run", "a.js"), recorded, began).requests


def test_every_request_is_there_with_its_endpoint(requests):
    assert [request.endpoint for request in requests] == [
        "GET /products", "GET /products", "POST /checkout", "GET /missing", "GET /products",
        "POST /checkout", "GET /products", "GET /products", "GET /", "GET /", "GET product page",
    ]  # fmt: skip
    assert [request.origin for request in requests[:1] + requests[8:]] == [
        SHOP, "http://nowhere.invalid:80", "https://127.0.0.1:8443", "",
    ]  # fmt: skip


def test_a_client_waits_for_its_connection_too(requests):
    assert requests[0].latency_ms == pytest.approx(1.5 + 10.5)
    assert requests[0].sent_s == pytest.approx(1001.012345678 - 0.012)


def test_what_went_wrong_is_told_in_our_words(requests):
    assert [(request.status, request.error) for request in requests[2:]] == [
        (503, ""), (404, ""), (None, "refused"), (None, "timeout"), (None, "reset"), (None, "reset"),
        (None, "dns"), (None, "tls"), (200, ""),
    ]  # fmt: skip
    assert [request.good for request in requests[2:5]] == [False, True, False]


def test_a_request_becomes_one_of_a_load(requests):
    seen = requests[2].as_request("k6")
    assert (seen.load, seen.endpoint, seen.kind) == ("k6", "POST /checkout", "HTTP 503")


def test_a_killed_k6_leaves_half_a_line_and_that_is_no_harm(recorded, began):
    (recorded / "k6-summary.json").unlink()
    report = recorded / "k6.json"
    text = report.read_bytes()
    report.write_bytes(text[: text.rindex(b"http_req_duration") + 5])  # of the last request
    assert len(K6().read((), recorded, began).requests) == 10


def test_a_report_with_less_than_the_summary_is_cut_off(recorded, began):
    report = recorded / "k6.json"
    lines = report.read_text().splitlines(keepends=True)
    report.write_text("".join(lines[:60]))
    with pytest.raises(ToolFailed, match=r"found 11, expected 4 as in k6\.json, which was cut off"):
        K6().read((), recorded, began)


def test_damage_in_the_middle_is_told_with_its_line(recorded, began):
    report = recorded / "k6.json"
    lines = report.read_text().splitlines(keepends=True)
    lines[11] = lines[11][:40] + "http_req\n"
    report.write_text("".join(lines))
    with pytest.raises(ToolFailed, match=r"k6: k6\.json, line 12: found something else, expected"):
        K6().read((), recorded, began)


def test_a_request_from_before_the_start_is_not_believed(recorded, began):
    later = type(began)(began.monotonic_s, began.wall_s + 3600)
    with pytest.raises(ToolFailed, match="before the tool was started"):
        K6().read((), recorded, later)


def test_a_script_that_drops_the_status_is_refused_rather_than_misread(recorded, began):
    report = recorded / "k6.json"
    report.write_text(report.read_text().replace('"status"', '"stat"'))
    with pytest.raises(ToolFailed, match="found no tag status, expected one; leave it in"):
        K6().read((), recorded, began)


def test_what_k6_itself_broke_off_is_no_failure_of_the_fleet(recorded, began):
    report = recorded / "k6.json"
    report.write_text(report.read_text().replace('"EOF"', '"context canceled"'))
    read = K6().read((), recorded, began)
    assert (len(read.requests), read.unsent) == (10, 1)


def test_its_own_outputs_stay():
    words = K6().prepare(["/opt/k6", "--quiet", "run", "--out", "csv=a.csv", "a.js"], Path("/r"))
    assert words == [
        "/opt/k6", "--quiet", "run", "--out", "json=/r/k6.json", "--summary-export", "/r/k6-summary.json",
        "--out", "csv=a.csv", "a.js",
    ]  # fmt: skip
    assert "/r/k6-summary.json" not in K6().prepare(["k6", "run", "--summary-export=b", "a.js"], Path("/r"))


def test_only_a_run_can_be_reported():
    with pytest.raises(RequestError, match="found 'cloud', expected k6 run"):
        K6().prepare(["k6", "cloud", "a.js"], Path("/r"))
