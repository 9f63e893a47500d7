"""A twin that is simulated knows faults of connections: it foresees what they break, and makes it small."""

from __future__ import annotations

from fuzzer.runtimes.sim.runtime import SimRuntime
from fuzzer.search.foresight import Foresight
from fuzzer.search.involved import assumptions
from fuzzer.search.minimize import minimize, smallest_in
from fuzzer.search.replays import Replays
from models.scenario import Scenario
from tests.support.twin import play, shop

HARMLESS = Scenario.parse("kill analytics-service; wait 1s")
BLACKHOLE = Scenario.parse("wait 1s; blackhole checkout-service -> analytics-service; wait 2s")
RESET = Scenario.parse("reset checkout-service -> orders-db; wait 1s")
LONG = Scenario.parse(
    "latency user-service -> orders-db 500ms; wait 1s; crash api-gateway; wait 3s; heal all; "
    "load browse 3s 20rps; partition checkout-service -> analytics-service; wait 2s; "
    "restart user-service; wait 1s"
)


class Twin:
    """Plays each scenario on a simulated shop of its own."""

    def __init__(self, *flaws):
        self.target = shop(*flaws)
        self.played = 0

    def play(self, scenario, purpose="replay", **_):
        self.played += 1
        return play(self.target, scenario)


def hung(played):
    return next(one for one in played.violations if one.signature == "containment:checkout-service")


def test_what_breaks_by_a_link_is_played_first():
    assert Foresight(Twin("no-timeout")).choose([HARMLESS, RESET, BLACKHOLE], ()) is BLACKHOLE
    assert Foresight(Twin("stale-connection")).choose([HARMLESS, BLACKHOLE, RESET], ()) is RESET
    assert Foresight(Twin()).choose([HARMLESS, RESET, BLACKHOLE], ()) is HARMLESS


def test_trouble_of_a_link_that_a_fleet_did_not_show_is_not_believed_again():
    foresight, fleet = Foresight(Twin("no-timeout")), Twin()
    assert foresight.choose([HARMLESS, BLACKHOLE], ()) is BLACKHOLE
    foresight.compare(fleet.play(BLACKHOLE))
    assert foresight.choose([HARMLESS, BLACKHOLE], ()) is HARMLESS


def test_the_twin_makes_a_failure_by_a_link_small():
    twin = Twin("no-timeout")
    violation = hung(twin.play(LONG))
    small = smallest_in(twin, LONG, violation)
    assert small
    assert [str(step) for step in small if step.targets] == [
        "partition checkout-service -> analytics-service"
    ]
    assert len(small) <= 2, "a wait may be left: what is not needed, the proof finds"


def test_a_fleet_only_confirms_and_proves_what_the_twin_made_small():
    fleet, twin = Twin("no-timeout"), Twin("no-timeout")
    played = fleet.play(LONG)
    replays = Replays(
        lambda scenario, stop_at: fleet.play(scenario),
        hung(played).signature,
        lambda: True,
        untested_holds=True,
    )
    small = minimize(played, hung(played), replays, twin)
    assert str(small.scenario) == "partition checkout-service -> analytics-service"
    assert (small.settled, small.necessary) == (3, True)
    assert small.reproduced == small.replays >= 3


def test_a_verdict_about_a_link_names_what_is_assumed_of_its_calls():
    played = Twin("no-timeout").play(BLACKHOLE)
    told = assumptions(SimRuntime(shop("no-timeout")), BLACKHOLE, hung(played), shop("no-timeout"))
    calls = [text for text in told if text.startswith("calls of checkout-service to analytics-service")]
    assert len(calls) == 1
    assert "are given up after 0.5 s" in calls[0]
