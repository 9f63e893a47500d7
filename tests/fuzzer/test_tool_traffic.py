"""The report of an outside tool becomes requests of the target's own services."""

from __future__ import annotations

from fuzzer.loads.outside.base import ToolFailed, ToolReport, ToolRequest, ToolSummary
from fuzzer.tool_traffic import ToolTraffic
from models.expected import Expected
from models.histogram import Histogram
from models.scenario import Scenario
from tests.support.fake_fleet import SHOP, target_of
from tests.support.rig import rig

URLS = {"checkout": "http://localhost:8003", "gateway": "http://127.0.0.1:8001"}


class Tool:
    """A tool that has run."""

    running = False

    def __init__(self, report):
        self.told = report

    def start(self):
        pass

    def stop(self):
        pass

    def report(self):
        if isinstance(self.told, ToolFailed):
            raise self.told
        return self.told


def history_of(told):
    tool = told if isinstance(told, Tool) else Tool(told)
    one = rig(target=target_of(*SHOP))
    one.fleet.url = URLS.get
    one.recorder.begin(Scenario.parse("crash db"), one.fleet.clock.now())
    names = one.fleet.target.topology.services
    traffic = ToolTraffic("k6", tool, 0.0, 60.0, one.fleet, one.recorder, names, one.fleet.clock.sleep)
    traffic.before()
    traffic.after(0.0)
    now_s = one.fleet.clock.now()
    return one.recorder.snapshot(Expected(one.fleet.target.topology, 30.0, now_s), now_s)


def test_two_services_that_are_asked_for_the_same_path_are_told_apart():
    report = ToolReport(
        (
            ToolRequest("GET /health", 1.0, 5.0, 200, origin="http://127.0.0.1:8003"),
            ToolRequest("GET /health", 1.1, 5.0, 503, origin="http://localhost:8001"),
            ToolRequest("GET /orders", 1.2, 5.0, 200, origin="http://127.0.0.1:8003"),
        )
    )
    history = history_of(report)
    assert [history.endpoint_of(request).entry for request in history.requests] == [
        "checkout",
        "gateway",
        "checkout",
    ]
    assert history.requests[2].endpoint == "GET /orders"


def test_a_tool_that_asks_somebody_else_tells_nothing():
    report = ToolReport((ToolRequest("GET /", 1.0, 5.0, 200, origin="http://127.0.0.1:9999"),))
    [run] = history_of(report).loads
    assert "which is no service of this target" in run.trouble


def test_sums_are_added_up_by_endpoint():
    part = ToolSummary("GET /", 10, 2, {"timeout": 2}, Histogram([5.0] * 8), 0.0)
    [summary] = history_of(ToolReport(summaries=(part, part))).summaries
    assert (summary.sent, summary.failed, summary.kinds["timeout"], summary.latency.count) == (20, 4, 4, 16)


def test_a_tool_that_failed_is_trouble():
    [run] = history_of(ToolFailed("k6 ended with code 107")).loads
    assert run.trouble == "k6 ended with code 107"


def test_a_tool_that_runs_for_too_long_is_stopped_and_told():
    tool = Tool(ToolReport())
    tool.running, tool.stop = True, lambda: setattr(tool, "running", False)
    [run] = history_of(tool).loads
    assert "still ran after 60 s" in run.trouble
    assert not tool.running
