"""Faults on one service after the other, played on a fleet in memory."""

from itertools import pairwise
from random import Random

import pytest

from fuzzer.actions.base_series import Series
from fuzzer.actions.catalogue import ACTIONS
from fuzzer.runtimes.base import ProcessState
from fuzzer.scenarios import check_scenario, fold
from models.errors import ScenarioError
from models.expected import Effect, Expected
from models.scenario import Scenario
from models.target import Restart
from models.verdict import Outcome
from tests.support.fake_fleet import SHOP, FakeFleet, target_of
from tests.support.rig import rig

SERIES = [name for name, action in ACTIONS.items() if isinstance(action, Series)]


def shop(misbehave=lambda fleet: None, **options):
    return rig(misbehave, target_of(*SHOP, **options))


def harms(played):
    return [(harm.on, harm.effect) for harm in played.history.expected.harms]


def test_a_cascade_harms_each_when_its_turn_comes():
    run = shop()
    played = run.play("cascade db gateway gap_s=2; wait 1s")
    assert played.outcome is Outcome.HOLDS, played
    first, second = played.history.expected.harms
    assert (first.on, second.on, first.effect) == ("db", "gateway", Effect.DOWN)
    assert second.since_s - first.since_s == pytest.approx(2.0, abs=0.2)
    assert [call for call in run.fleet.calls if call.startswith("kill")] == ["kill db", "kill gateway"]
    assert len(played.history.permits) == 2
    assert set(run.fleet.state.values()) == {ProcessState.RUNNING}
    assert run.fleet.journal.entries == {}


def test_who_goes_before_its_turn_is_not_excused():
    def falls(fleet):
        if not fleet.is_up("db"):
            fleet.exit("gateway")

    played = shop(falls).play("cascade db gateway gap_s=3; wait 1s")
    assert played.shows("isolation:gateway")
    assert [on for on, _ in harms(played)] == ["db"], "after a violation nobody else is harmed"


def test_a_turn_without_effect_is_unknown_and_the_rest_is_healed():
    run = shop()
    run.fleet.dead_to_orders.add("gateway")
    played = run.play("cascade db gateway")
    assert played.outcome is Outcome.UNKNOWN
    assert "0 of 1 processes of gateway" in played.reason
    assert run.fleet.state["db"] is ProcessState.RUNNING


def test_a_rolling_restart_waits_for_each():
    def slowly(fleet):
        for name, since in list(getattr(fleet, "begun", {}).items()):
            if fleet.clock.now() - since > 3:
                fleet.sick.pop(name, None)

    run = shop(slowly, max_faults=1)
    run.fleet.begun = {}
    restart = run.fleet.restart

    def restarted(services):
        assert not run.fleet.sick, "the one before is not well yet"
        restart(services)
        run.fleet.sick[services[0]] = "starting"
        run.fleet.begun[services[0]] = run.fleet.clock.now()

    run.fleet.restart = restarted
    played = run.play("rolling_restart")
    assert str(played.scenario) == "rolling_restart gateway checkout db analytics"
    assert played.outcome is Outcome.HOLDS, played
    assert [on for on, _ in harms(played)] == ["gateway", "checkout", "db", "analytics"]
    times = [harm.since_s for harm in played.history.expected.harms]
    assert all(later - earlier > 3 for earlier, later in pairwise(times))


def test_one_that_does_not_come_back_is_overdue_from_its_own_restart():
    run = shop(recovery_s_max=5.0)
    restart = run.fleet.restart

    def breaks(services):
        restart(services)
        if services == ("checkout",):
            run.fleet.sick["checkout"] = "HTTP 500"

    run.fleet.restart = breaks
    played = run.play("rolling_restart checkout db")
    assert [v.signature for v in played.violations] == ["recovery:checkout"]
    assert harms(played)[0][0] == "checkout"


def test_what_is_kept_down_is_left_out_of_a_rolling_restart():
    assert str(shop().play("kill db; rolling_restart").scenario[1]) == (
        "rolling_restart gateway checkout analytics"
    )


def test_flapping_is_no_restart_storm_but_what_it_starts_is():
    quiet = shop(restarts_per_min_max=2)
    played = quiet.play("flap db times=5 gap_s=0")
    assert played.outcome is Outcome.HOLDS, played
    assert quiet.fleet.calls.count("crash db") == 5
    assert len(played.history.permits) == 5
    crashed = [harm.since_s for harm in played.history.expected.harms]
    assert all(later - earlier >= 0.4 for earlier, later in pairwise(crashed))

    def restless(fleet):
        if fleet.calls.count("crash db") >= 2:
            fleet.exit("analytics")

    assert shop(restless, restarts_per_min_max=2).play("flap db gap_s=1").shows("restart_storm:analytics")


def test_who_flapped_is_restarted_before_the_next_scenario():
    run = shop()
    run.play("flap db times=2; wait 1s")
    run.fleet.calls.clear()
    run.play("wait 1s")
    assert run.fleet.calls == ["restart db"]


def test_a_flap_of_what_nothing_brings_back_is_told():
    played = shop(restart=Restart.NO).play("flap db")
    assert played.shows("recovery:db")


@pytest.mark.parametrize("name", SERIES)
def test_each_counts_for_what_it_is_made_of(name):
    """In a plan, a series and its turns written out are the same."""
    target = target_of(*SHOP)
    start = Expected(target.topology, 30.0)
    step = ACTIONS[name].draw(target, start, Random(1).choice)
    turns = ACTIONS[name].turns(step)
    assert [turn.action for turn in turns][::2] == [ACTIONS[name].single] * len(turns[::2])
    [*_, (_, _, whole)] = fold([step], start)
    [*_, (_, _, parts)] = fold(turns, start)
    assert whole == parts
    assert len(whole.active()) <= 2
    check_scenario(Scenario.of([step]), target, FakeFleet(target))


@pytest.mark.parametrize(
    ("text", "simpler"),
    [
        ("cascade db gateway gap_s=2", ["kill db", "kill gateway", "cascade db gateway gap_s=1"]),
        ("flap db times=3", ["crash db", "flap db times=2"]),
        (
            "rolling_restart a b c",
            [
                *("restart a", "restart b", "restart c"),
                *("rolling_restart b c", "rolling_restart a c", "rolling_restart a b"),
            ],
        ),
    ],
)
def test_the_simplest_of_a_series_is_a_single_fault(text, simpler):
    step = Scenario.parse(text)[0]
    assert [str(one) for one in ACTIONS[step.action].simpler(step)] == simpler


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("cascade db gateway checkout", "would harm 3 services at once"),
        ("cascade db db", "names db twice"),
        ("cascade", "names no service"),
        ("cascade db gateway gap_s=99", "gap_s is 99; expected 0 to 60"),
        ("flap db gateway", "flap takes at most 1"),
        ("flap db times=0", "times is 0; expected 1 to 10"),
        ("pause db; rolling_restart db gateway", "earlier fault"),
    ],
)
def test_a_series_that_makes_no_sense_is_refused(text, told):
    with pytest.raises(ScenarioError) as refused:
        shop().play(text)
    assert told in str(refused.value)
