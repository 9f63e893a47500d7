"""How a simulated fleet is seen: by its answers, its containers' checks, or its processes."""

from __future__ import annotations

from itertools import pairwise

import pytest

CHECKED = (
    "services: {web: {restart: always, healthcheck: {test: x, interval: 2s, timeout: 1s, retries: 2MORE}}}"
)
ASKED = 'services: {web: {restart: always, x-knockon: {health: "http://127.0.0.1:1/health", model: MODEL}}}'


def becomes(fleet, healthy, since_s):
    """Seconds until the first probe says so."""
    while True:
        for seen in fleet.seen.health_of("web", since_s):
            if seen.healthy is healthy:
                return seen.ended_s - since_s
        assert fleet.now() - since_s < 120
        fleet.sleep(0.1)


def test_a_containers_check_speaks_an_interval_after_the_start(twin):
    fleet = twin(CHECKED.replace("MORE", ""))
    assert fleet.now() == pytest.approx(2.0, abs=0.3), "who brings it up waits for the check"
    fleet.sleep(1.0)
    fleet.runtime.crash(["web"])
    died_s = fleet.exits("web")[0]
    assert becomes(fleet, False, died_s) < 0.01, "a process that is gone needs no check"
    assert becomes(fleet, True, died_s) == pytest.approx(0.35 + 2.0, abs=0.05)


def test_a_containers_check_needs_several_failures(twin):
    fleet = twin("""
services:
  web: {depends_on: [db], healthcheck: {test: x, interval: 2s, timeout: 1s, retries: 2}}
  db: {image: x}
""")
    fleet.runtime.kill(["db"])
    gone_s = fleet.now()
    assert 2.0 < becomes(fleet, False, gone_s) <= 4.1


def test_failures_of_the_start_period_do_not_count(twin):
    fleet = twin(
        CHECKED.replace("MORE", ", start_period: 60s").replace(
            "restart", "x-knockon: {model: {start_s: 9}}, restart"
        )
    )
    fleet.runtime.restart(["web"])
    began_s = fleet.now()
    assert becomes(fleet, True, began_s) == pytest.approx(10.0, abs=0.1)


def test_what_is_frozen_is_not_looked_at_by_the_engine(twin):
    fleet = twin(CHECKED.replace("MORE", ""))
    fleet.runtime.pause(["web"])
    fleet.sleep(10.0)
    assert fleet.seen.health_of("web")[-1].detail == "frozen"
    fleet.runtime.unpause(["web"])
    thawed_s = fleet.now()
    assert becomes(fleet, True, thawed_s) < 0.5, "its last word still stands"


@pytest.mark.parametrize(
    ("deed", "detail"), [("kill", "not running"), ("pause", "timeout after 1 s"), ("restart", "refused")]
)
def test_a_probe_says_why(twin, deed, detail):
    fleet = twin(ASKED.replace("MODEL", "{start_s: 3}"))
    did_s = fleet.now()
    getattr(fleet.runtime, deed)(["web"])
    fleet.sleep(2.0)
    seen = [seen for seen in fleet.seen.health_of("web", did_s) if not seen.healthy]
    assert seen[0].detail == detail


def test_one_probe_comes_after_the_other_and_some_each_second(twin):
    fleet = twin(ASKED.replace("MODEL", "{health_ms: 0, start_s: 0, stop_s: 0, notice_s: 0}"))
    fleet.sleep(5.0)
    fleet.runtime.restart(["web"])
    fleet.sleep(5.0)
    seen = fleet.seen.health_of("web")
    assert all(a.ended_s <= b.at_s for a, b in pairwise(seen))
    assert 30 < len(seen) < 60


def test_a_slow_answer_is_measured(twin):
    fleet = twin(ASKED.replace("MODEL", "{health_ms: 70}"))
    fleet.sleep(1.0)
    assert fleet.seen.health_of("web")[-1].latency_ms == pytest.approx(70)
