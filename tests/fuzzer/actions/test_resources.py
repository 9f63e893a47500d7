"""Faults of resources, played on a fleet in memory; real ones are met in tests/fuzzer/runtimes."""

from dataclasses import replace

import pytest

from fuzzer.actions.base_resource import ResourceFault
from fuzzer.actions.catalogue import ACTIONS, available
from models.errors import ScenarioError
from models.expected import Expected
from models.history import StepState
from models.scenario import Scenario
from models.target import Restart
from models.verdict import Outcome
from tests.support.fake_fleet import SHOP, FakeFleet, target_of
from tests.support.rig import rig
from tests.support.starved_fleet import StarvedFleet

FAULTS = [action for action in ACTIONS.values() if isinstance(action, ResourceFault)]
STARVING = ["memory checkout 4mib", "pids checkout count=0", "disk_fill checkout"]


def opted_in(**options):
    target = target_of(*SHOP, **options)
    checkout = replace(target.services["checkout"], disk="/data", clock="/etc/faketimerc")
    return replace(target, services={**target.services, "checkout": checkout})


def starved(misbehave=lambda fleet: None, **options):
    return rig(misbehave, opted_in(**options), StarvedFleet)


def text_of(action):
    words = " ".join(f"{name}={value}" for name, value in Scenario.parse(action.example)[0].params)
    return f"{action.name} checkout {words}"


def dies(times):
    """Checkout exits so many times while it lacks something."""
    left = [times]

    def misbehave(fleet):
        if left[0] and any(name == "checkout" for name, _ in fleet._lacks()) and fleet.is_up("checkout"):
            left[0] -= 1
            fleet.exit("checkout")

    return misbehave


def test_there_are_six_that_last():
    names = {action.name for action in FAULTS}
    assert names == {"cpu", "memory", "pids", "disk_fill", "stress", "clock_skew"}


@pytest.mark.parametrize("action", FAULTS, ids=lambda action: action.name)
def test_each_is_done_seen_and_lifted(action):
    run = starved()
    played = run.play(f"{text_of(action)}; wait 1s")
    assert played.outcome is Outcome.HOLDS, played.reason
    assert played.history.steps[0].state is StepState.DONE
    assert run.fleet.calls[-1] == f"{action.verb} checkout"
    assert run.fleet.lacks == {}
    assert run.fleet.journal.entries == {}


@pytest.mark.parametrize("action", FAULTS, ids=lambda action: action.name)
def test_one_that_does_not_bite_is_unknown(action):
    run = starved()
    run.fleet.dead_to_orders.add("checkout")
    played = run.play(f"{text_of(action)}; wait 1s")
    assert played.outcome is Outcome.UNKNOWN
    assert f"{action.name} had no effect on checkout: it has as much as before" in played.reason
    assert played.history.steps[0].state is StepState.INVALID


def test_oom_kills_once_and_the_policy_acts():
    run = starved()
    played = run.play("oom checkout; wait 1s")
    assert played.outcome is Outcome.HOLDS, played.reason
    assert [change.exit_code for change in played.history.exits_of("checkout")] == [137]
    assert starved(restart=Restart.NO).play("oom checkout; wait 1s").outcome is Outcome.VIOLATED


@pytest.mark.parametrize("text", STARVING)
def test_whoever_lacks_something_may_die_of_it_again_and_again(text):
    assert starved(dies(2)).play(f"{text}; wait 3s").outcome is Outcome.HOLDS


@pytest.mark.parametrize("text", ["cpu checkout 10%", "stress checkout workers=2"])
def test_being_slow_is_no_reason_to_exit(text):
    played = starved(dies(1)).play(f"{text}; wait 3s")
    assert [violation.signature for violation in played.violations] == ["isolation:checkout"]


def test_others_may_not_die_of_it():
    def misbehave(fleet):
        if fleet._lacks() and fleet.is_up("gateway") and "gateway" not in fleet.sick:
            fleet.sick["gateway"] = "once"
            fleet.exit("gateway")

    played = starved(misbehave).play("memory checkout 4mib; wait 3s")
    assert "isolation:gateway" in {violation.signature for violation in played.violations}


def test_who_died_of_it_and_stays_dead_was_not_killed_on_purpose():
    played = starved(dies(1), restart=Restart.NO).play("memory checkout 4mib; wait 1s")
    assert [violation.signature for violation in played.violations] == ["recovery:checkout"]


def test_a_fleet_that_has_nothing_to_take_away_is_asked_for_nothing():
    names = {action.name for action in FAULTS} | {"oom"}
    assert not names & available(FakeFleet(target_of(*SHOP))).keys()
    with pytest.raises(ScenarioError, match="the runtime fake cannot cpu"):
        rig().play("cpu checkout 10%")


def test_what_this_machine_cannot_do_is_never_drawn():
    fleet = StarvedFleet(opted_in())
    fleet.able = False
    assert not {"pids", "clock_skew"} & available(fleet).keys()
    assert {"cpu", "memory", "disk_fill"} <= available(fleet).keys()


@pytest.mark.parametrize("name", ["disk_fill", "clock_skew"])
def test_some_touch_only_who_opted_in(name):
    target = opted_in()
    assert ACTIONS[name].candidates(target, Expected(target.topology, 30.0)) == ("checkout",)
    assert not ACTIONS[name].candidates(target_of(*SHOP), Expected(target.topology, 30.0))
    key = ACTIONS[name].key
    with pytest.raises(ScenarioError, match=f"services.db.x-knockon.{key}: found nothing; expected a path"):
        starved().play(text_of(ACTIONS[name]).replace("checkout", "db"))


@pytest.mark.parametrize("text", ["cpu checkout 0%", "memory checkout -1mib", "stress checkout workers=0"])
def test_numbers_that_make_no_sense_are_refused(text):
    with pytest.raises(ScenarioError, match="expected"):
        starved().play(text)
