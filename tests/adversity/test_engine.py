"""The container engine is restarted, or goes away, while a fault lasts."""

from __future__ import annotations

import time

import pytest

from tests.support.waiting import until
from tests.support.watchdogs import end_watchdog_of

pytestmark = pytest.mark.docker

AWAY_S = 0.5


def is_frozen(pair):
    return pair.state("db") == "paused"


def is_limited(pair):
    return pair.api.inspect_container(pair.container("db"))["HostConfig"]["CpuQuota"] > 0


@pytest.mark.parametrize(
    ("scenario", "engine_pair", "leave", "under_way"),
    [
        ("cpu db 20%; wait 3s", ("no", "no"), "stop", is_limited),
        ("pause db; wait 3s", ("no", "always"), "kill", is_frozen),
    ],
    indirect=["engine_pair"],
    ids=["restarted", "killed and started"],
)
def test_an_engine_that_restarts_accuses_nobody_and_the_fleet_is_healed(
    own_engine, engine_pair, scenario, leave, under_way
):
    """Its containers end with it, and under the policy ``no`` nothing brings them back: no finding."""
    engine_pair.up()
    run = engine_pair.open("replay", scenario)
    until(lambda: under_way(engine_pair), "the fault is not seen", 60)
    getattr(own_engine, leave)()
    time.sleep(AWAY_S)
    own_engine.start()
    done = run.ends()
    assert done.code == 3, done.text
    assert "UNKNOWN: " in done.output
    assert "VIOLATED" not in done.output
    assert "does not answer" in done.output or "somebody else changed the fleet" in done.output
    assert [engine_pair.state(service) for service in engine_pair.ports] == ["running", "running"]
    assert not is_limited(engine_pair), done.text
    assert engine_pair.leftovers() == []


def test_an_engine_that_does_not_come_back_is_told_and_healed_from_its_journal(own_engine, engine_pair):
    engine_pair.up()
    run = engine_pair.open("kill", "db", "--wait", "3s")
    until(lambda: engine_pair.state("db") == "exited", "the fault is not seen", 60)
    end_watchdog_of(run.process.pid)  # else it heals as soon as the engine is back
    own_engine.kill()
    try:
        done = run.ends()
    finally:
        own_engine.start()
    assert done.code == 3, done.text
    assert "UNKNOWN: " in done.output
    assert "the engine does not answer: connection refused" in done.output
    assert done.errors.endswith("The fleet is not healed; once the engine is back: knockon heal\n")
    engine_pair.always = ()
    healed = engine_pair.type("heal", "--runtime", "docker")
    assert healed.code == 0, healed.text
    assert healed.output == f"docker: {engine_pair.name}: start db\n"
    assert engine_pair.state("db") == "running"
    assert engine_pair.leftovers() == []
