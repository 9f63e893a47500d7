"""The real tools against a real server: what they tell is what it saw.

Each test is skipped where its tool is not installed; scripts/load-tools.sh installs them.
"""

from __future__ import annotations

import time

import pytest

from fuzzer.loads.outside.base import ToolFailed
from fuzzer.loads.outside.catalogue import tool_for
from fuzzer.loads.outside.process import OutsideTool

LIMIT_S = 180.0


@pytest.fixture
def run(tmp_path, installed):
    """Call it with words: a tool that runs."""
    running = []

    def begin(*words):
        installed(words[0])
        tool = OutsideTool(tool_for(words), words, tmp_path / "report")
        running.append(tool)
        tool.start()
        return tool

    yield begin
    for tool in running:
        tool.stop()


def finished(tool):
    tool.wait(LIMIT_S)
    return tool.report()


def by_endpoint(report):
    told = {}
    for summary in report.summaries:
        sent, failed, kinds = told.get(summary.endpoint, (0, 0, {}))
        kinds = {**kinds, **{kind: kinds.get(kind, 0) + count for kind, count in summary.kinds.items()}}
        told[summary.endpoint] = (sent + summary.sent, failed + summary.failed, kinds)
    return told


def test_hey_tells_every_answer(run, shop):
    began_s = time.monotonic()
    report = finished(run("hey", "-n", "40", "-c", "4", f"{shop.url}/products?page=2"))
    assert len(report.requests) == report.sent == shop.asked["/products"] == 40
    assert {(request.endpoint, request.origin) for request in report.requests} == {
        ("GET /products", shop.url)
    }
    assert all(request.good and request.latency_ms > 0 for request in report.requests)
    assert all(began_s <= request.sent_s <= time.monotonic() for request in report.requests)


def test_hey_tells_what_failed(run, shop):
    report = finished(run("hey", "-n", "10", "-c", "2", "-m", "POST", "-d", "{}", f"{shop.url}/broken"))
    assert {(request.endpoint, request.status) for request in report.requests} == {("POST /broken", 503)}


def test_hey_tells_that_nobody_was_there(run, nobody):
    (summary,) = finished(run("hey", "-n", "10", "-c", "2", f"{nobody}/a%20b")).summaries
    assert (summary.sent, summary.failed, dict(summary.kinds)) == (10, 10, {"refused": 10})


def test_a_stopped_hey_reports_what_it_sent(run, shop, until):
    tool = run("hey", "-z", "300s", "-c", "2", "-q", "20", f"{shop.url}/products")
    until(lambda: shop.asked["/products"] > 10)
    tool.stop()
    assert 10 < tool.report().sent <= shop.asked["/products"]


def test_a_mistake_in_the_words_is_told_as_hey_tells_it(run, shop):
    tool = run("hey", "-n", "1", "-c", "2", shop.url)
    tool.wait(LIMIT_S)
    with pytest.raises(ToolFailed, match="hey ended with code 1"):
        tool.report()


def script(tmp_path, target, seconds=2):
    path = tmp_path / "shop.yml"
    path.write_text(
        f"config:\n  target: {target}\n  phases: [{{duration: {seconds}, arrivalRate: 5}}]\n"
        "scenarios:\n  - flow:\n"
        "    - get: {url: /products}\n    - get: {url: /broken}\n    - get: {url: /missing}\n"
        "    - post: {url: /hangup, json: {a: 1}}\n"
    )
    return str(path)


def test_artillery_sums_up_what_the_server_saw(run, shop, tmp_path):
    began_s = time.monotonic()
    report = finished(run("artillery", "run", script(tmp_path, shop.url)))
    assert by_endpoint(report) == {
        "/products": (10, 0, {}),
        "/broken": (10, 10, {"HTTP 503": 10}),
        "/missing": (10, 0, {}),
        "/hangup": (10, 10, {"reset": 10}),
    }
    assert shop.asked["/products"] == shop.asked["/broken"] == shop.asked["/missing"] == 10
    for summary in report.summaries:
        assert began_s < summary.began_s <= summary.ended_s < time.monotonic()
        assert summary.latency.count == (0 if summary.endpoint == "/hangup" else summary.sent)


def test_artillery_tells_that_nobody_was_there(run, nobody, tmp_path):
    report = finished(run("artillery", "run", script(tmp_path, nobody)))
    assert by_endpoint(report) == {"/products": (10, 10, {"refused": 10})}


def test_a_stopped_artillery_leaves_no_report_and_that_is_told(run, shop, tmp_path, until):
    tool = run("artillery", "run", script(tmp_path, shop.url, seconds=300))
    until(lambda: shop.asked["/products"] > 3)
    tool.stop()
    assert not tool.running
    with pytest.raises(ToolFailed, match=r"artillery\.json: found no such file"):
        tool.report()


def test_a_script_that_is_not_there_is_told(run):
    tool = run("artillery", "run", "/nowhere/shop.yml")
    tool.wait(LIMIT_S)
    with pytest.raises(ToolFailed, match="artillery ended with code"):
        tool.report()


@pytest.fixture
def locustfile(tmp_path):
    path = tmp_path / "shop.py"
    path.write_text(
        "from locust import HttpUser, FastHttpUser, constant, task\n"
        "def ask(user):\n"
        "    for path in ('/products', '/broken', '/missing', '/hangup'):\n"
        "        user.client.get(path)\n"
        "class Slow(HttpUser):\n"
        "    wait_time = constant(0.1)\n"
        "    tasks = [ask]\n"
        "    def on_start(self): print('[not the report]')\n"
        "class Fast(FastHttpUser):\n"
        "    wait_time = constant(0.1)\n"
        "    tasks = [ask]\n"
    )
    return str(path)


def test_locust_sums_up_what_the_server_saw(run, shop, locustfile):
    began_s = time.monotonic()
    report = finished(run("locust", "-f", locustfile, "-H", shop.url, "-u", "2", "-t", "3s"))
    told = by_endpoint(report)
    assert set(told) == {"GET /products", "GET /broken", "GET /missing", "GET /hangup"}
    # The users may be cut off in the middle of a last request each.
    for path in ("/products", "/broken", "/missing"):
        assert shop.asked[path] - 2 <= told[f"GET {path}"][0] <= shop.asked[path]
    assert told["GET /products"][1] == told["GET /missing"][1] == 0
    assert set(told["GET /broken"][2]) == {"HTTP 503"}
    assert set(told["GET /hangup"][2]) == {"reset"}
    assert told["GET /hangup"][0] == told["GET /hangup"][1] == sum(told["GET /hangup"][2].values())
    for summary in report.summaries:
        assert began_s < summary.began_s <= summary.ended_s < time.monotonic()


def test_a_stopped_locust_reports_what_it_sent(run, shop, locustfile, until):
    tool = run("locust", "-f", locustfile, "-H", shop.url, "-u", "2")
    until(lambda: shop.asked["/missing"] > 5)
    tool.stop()
    assert tool.report().sent > 10


def test_a_locustfile_that_is_not_there_is_told(run):
    tool = run("locust", "-f", "/nowhere/shop.py", "-t", "1s")
    tool.wait(LIMIT_S)
    with pytest.raises(ToolFailed, match="locust ended with code"):
        tool.report()
