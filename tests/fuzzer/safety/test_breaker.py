from dataclasses import replace

import pytest

from fuzzer.halts import Stopped
from fuzzer.runtimes.base import ProcessState
from fuzzer.safety.breaker import Breaker
from models.verdict import Outcome
from tests.support.fake_fleet import SHOP, target_of
from tests.support.rig import rig


def guarded(misbehave, *, breaker=3, **options):
    """A rig whose runner has a breaker."""
    target = target_of(*SHOP, **options)
    target = replace(target, safety=replace(target.safety, breaker=breaker))
    run = rig(misbehave, target)
    run.runner._breaker = Breaker(target)
    return run


def stopped(run, text, **options):
    with pytest.raises(Stopped) as halted:
        run.play(text, **options)
    return halted.value


def db_takes_analytics_along(fleet):
    """They have nothing to do with each other."""
    if not fleet.is_up("db"):
        fleet.exit("analytics")


def test_a_protected_service_that_ends_outside_of_the_blast_radius_ends_the_run():
    run = guarded(db_takes_analytics_along, protect=["analytics"])
    halt = stopped(run, "kill db; wait 30s")
    assert str(halt).startswith(
        "the breaker: analytics is protected and its process ended, outside of the blast radius of what was "
        "harmed (db)"
    )
    assert str(halt).endswith("every fault is lifted")
    assert run.fleet.state["db"] is ProcessState.RUNNING
    assert run.fleet.clock.now() < 1010
    assert "restart analytics" not in run.fleet.calls


def test_what_was_violated_until_then_is_not_hidden():
    def slowly(fleet):
        if not fleet.is_up("db"):
            fleet.sick["analytics"] = "HTTP 500"

    run = guarded(slowly, protect=["analytics"], detection_grace_s=1, observe_s=5)
    halt = stopped(run, "kill db; wait 30s")
    assert "was unhealthy for 1." in str(halt)
    [played] = halt.played
    assert played.outcome is Outcome.VIOLATED
    assert played.violations[0].signature == "containment:analytics"
    assert halt.violated


def test_a_protected_service_inside_the_blast_radius_may_degrade():
    def degrade(fleet):
        fleet.sick.pop("checkout", None)
        if not fleet.is_up("db"):
            fleet.sick["checkout"] = "HTTP 503"

    run = guarded(degrade, protect=["checkout"])
    assert run.play("kill db; wait 10s").outcome is Outcome.HOLDS


def test_a_short_absence_from_health_breaks_nothing():
    def hiccup(fleet):
        fleet.sick.pop("analytics", None)
        if not fleet.is_up("db") and fleet.clock.now() % 2 < 0.3:
            fleet.sick["analytics"] = "HTTP 500"

    run = guarded(hiccup, protect=["analytics"])
    assert run.play("kill db; wait 6s").outcome is Outcome.HOLDS


def test_a_fleet_that_does_not_come_back_is_left_alone():
    def dies_for_good(fleet):
        if not fleet.is_up("db"):
            fleet.dead_to_orders.add("db")

    run = guarded(dies_for_good)
    run.play("kill db; wait 1s")
    halt = stopped(run, "crash gateway")
    assert "the fleet does not come back" in str(halt)
    assert "db is unhealthy: not running" in str(halt)
    assert "NOT healed: db is down" in str(halt)
    assert "crash gateway" not in run.fleet.calls


def test_gates_that_fail_in_a_row_end_the_run_and_one_that_passes_counts_anew():
    breaker = Breaker(target_of(*SHOP))
    for _ in range(3):
        breaker.gate("db is unhealthy")
        breaker.gate("db is unhealthy")
        breaker.gate("")
    breaker.gate("db is unhealthy")
    breaker.gate("db is unhealthy")
    with pytest.raises(Stopped, match=r"3 times in a row: db is unhealthy; x-knockon.safety.breaker"):
        breaker.gate("db is unhealthy")


def test_how_many_gates_may_fail_is_for_the_target_to_say():
    run = guarded(lambda fleet: fleet.sick.update(db="HTTP 500"), breaker=1)
    halt = stopped(run, "crash gateway")
    assert "1 times in a row: db is unhealthy: HTTP 500" in str(halt)
    assert not halt.played


def test_without_a_breaker_nothing_is_ended():
    run = rig(db_takes_analytics_along, target_of(*SHOP, protect=["analytics"]))
    assert run.play("kill db; wait 5s").outcome is Outcome.VIOLATED
