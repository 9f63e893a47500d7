"""What a person sees of a fleet in memory; test_real.py looks at real processes."""

import pytest

from fuzzer import session
from models.errors import RuntimeUnavailable


def test_a_healthy_fleet_ends_with_0_and_a_line_a_service(shop):
    result = shop("health")
    assert result.exit_code == 0, result.output
    heading, *rows = result.stdout.splitlines()
    assert heading.split() == ["service", "state", "health", "latency", "restarts", "process", "told", "by"]
    assert [row.split()[:5] for row in rows] == [
        [name, "running", "healthy", "2.0", "ms"] for name in ("gateway", "checkout", "db", "analytics")
    ]


def test_who_is_not_healthy_is_named_with_the_reason(shop):
    shop.misbehave = lambda fleet: fleet.sick.update(db="HTTP 500")
    result = shop("health")
    assert result.exit_code == 1
    assert "unhealthy: HTTP 500" in result.stdout
    assert result.stdout.splitlines()[-1] == "not healthy: db"


def test_a_slow_service_is_not_healthy(shop):
    shop.misbehave = lambda fleet: fleet.slow_ms.update(db=240)
    result = shop("health")
    assert result.exit_code == 1
    assert "answers its health probe in 240 ms" in result.stdout


def test_json_holds_the_same(shop):
    shop.misbehave = lambda fleet: fleet.sick.update(db="HTTP 500")
    rows = {row["service"]: row for row in shop.json("health", "--json")}
    assert rows["gateway"]["problem"] == ""
    assert rows["gateway"]["latency_ms"] == pytest.approx(2.0)
    assert rows["db"]["problem"] == "unhealthy: HTTP 500"
    assert shop("health", "--json").exit_code == 1


def test_nothing_is_harmed_and_the_fleet_is_left(shop):
    shop("health")
    assert shop.started[0].calls == ["left"]


def test_without_an_engine_nothing_can_be_said(shop, monkeypatch):
    def fail(target, config):
        raise RuntimeUnavailable("no container engine answers")

    monkeypatch.setitem(session.RUNTIMES, "fake", fail)
    result = shop("health")
    assert result.exit_code == 3
    assert result.stderr == "Error: no container engine answers\n"
