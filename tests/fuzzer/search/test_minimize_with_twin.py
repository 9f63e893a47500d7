"""A real failure that a twin knows is small at once; one that it knows badly is made small all the same."""

import pytest

from fuzzer.search.minimize import minimize
from fuzzer.search.replays import Replays
from models.scenario import Scenario
from tests.support.rig import rig

LONG = "crash gateway; wait 3s; pause analytics; wait 1s; restart gateway; wait 3s"


def exits_when(*away):
    """checkout exits while all of these are away."""

    def misbehave(fleet):
        if not any(fleet.is_up(name) for name in away):
            fleet.exit("checkout")

    return misbehave


def played_and_replays(fleet, text=LONG):
    played = fleet.play(text)
    violation = next(v for v in played.violations if v.signature == "isolation:checkout")
    replays = Replays(
        lambda scenario, stop_at: fleet.runner.play(scenario, fresh=True, stop_at=stop_at),
        violation.signature,
        lambda: True,
        untested_holds=True,
    )
    return played, violation, replays


def test_what_the_twin_needs_is_confirmed_at_once():
    played, violation, replays = played_and_replays(rig(exits_when("analytics")))
    small = minimize(played, violation, replays, rig(exits_when("analytics")).runner)
    assert str(small.scenario) == "pause analytics"
    assert small.necessary is True
    assert small.reproduced == small.replays >= 3
    assert small.settled == 3, "nothing was tried on the fleet but what is left"


@pytest.mark.parametrize(
    "twin",
    [
        pytest.param(lambda: rig().runner, id="knows nothing"),
        pytest.param(lambda: rig(exits_when("gateway")).runner, id="believes something else"),
        pytest.param(lambda: rig(exits_when("gateway", "analytics")).runner, id="needs more"),
    ],
)
def test_a_twin_that_is_wrong_costs_little_and_hides_nothing(twin):
    played, violation, replays = played_and_replays(rig(exits_when("analytics")))
    small = minimize(played, violation, replays, twin())
    assert str(small.scenario) == "pause analytics"
    assert small.necessary is True
    alone = played_and_replays(rig(exits_when("analytics")))
    assert small.settled <= minimize(*alone).settled + 4


def test_the_twin_may_need_less_than_the_fleet():
    """Its opinion is not confirmed, and becomes a prior."""
    both = "crash gateway; wait 1s; pause analytics; kill gateway; wait 3s"
    played, violation, replays = played_and_replays(rig(exits_when("analytics", "gateway")), both)
    small = minimize(played, violation, replays, rig(exits_when("analytics")).runner)
    assert {name for step in small.scenario for name in step.targets} == {"analytics", "gateway"}
    assert len(small.scenario) == 2
    assert small.necessary is True


def test_without_a_twin_nothing_changes():
    played, violation, replays = played_and_replays(rig(exits_when("analytics")))
    assert minimize(played, violation, replays).scenario == Scenario.parse("pause analytics")
