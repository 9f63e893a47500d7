"""More and fewer replicas, played on a fleet in memory; real ones stand in tests/conformance."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from fuzzer.actions.catalogue import ACTIONS, available
from models.behaviour import Hints
from models.errors import ScenarioError
from models.expected import SETTLES_S, Effect, Expected, Standing
from models.history import StepState
from models.observation import Change, ProcessChange
from models.scenario import Scenario
from models.target import HealthCheck, Port
from models.verdict import Outcome
from tests.support.fake_fleet import SHOP, FakeFleet, target_of
from tests.support.rig import rig

SCALE = ACTIONS["scale"]


def shop(replicas=2, **checkout):
    """The shop, of whose services checkout alone may be scaled."""
    target = target_of(*SHOP)
    model = Hints(replicas=replicas)
    scalable = replace(target.services["checkout"], model=model, healthcheck=HealthCheck(), **checkout)
    return replace(target, services={**target.services, "checkout": scalable})


class Scalable(FakeFleet):
    """Meets ``CanScale``, too. ``stuck`` takes no notice; of ``lazy`` services new replicas never serve."""

    stuck = lazy = False

    def __init__(self, *given):
        super().__init__(*given)
        self.count = {name: service.replicas for name, service in self.target.services.items()}
        self.ready = dict(self.count)

    def scale(self, service, replicas):
        self.calls.append(f"scale {service} {replicas}")
        if self.stuck:
            return
        if not replicas:
            self.stop([service])
        else:
            less = replicas < self.count[service]
            self._sink.saw_process(
                ProcessChange(service, self.clock.now(), Change.REMOVED if less else Change.ADDED, "9")
            )
        self.count[service] = replicas
        if not self.lazy or replicas < self.ready[service]:
            self.ready[service] = replicas
        self._misbehave(self)

    def running(self, service):
        return self.count[service]

    def serving(self, service):
        return self.ready[service]

    def undo(self, undo):
        if undo.verb != "rescale":
            super().undo(undo)
            return
        for name in undo.targets:
            self.calls.append(f"rescale {name}")
            self.count[name] = self.ready[name] = self.target.services[name].replicas
        self.start(undo.targets)


def scaled(misbehave=lambda fleet: None, target=None):
    return rig(misbehave, target or shop(), Scalable)


@pytest.mark.parametrize("number", [1, 3])
def test_another_number_is_reached_seen_and_taken_back(number):
    run = scaled()
    played = run.play(f"scale checkout {number}; wait 1s")
    assert played.outcome is Outcome.HOLDS, played
    assert played.history.steps[0].state is StepState.DONE
    assert run.fleet.journal.written[0][0].verb == "rescale"
    assert "rescale checkout" in run.fleet.calls
    assert run.fleet.count["checkout"] == 2
    assert run.fleet.journal.entries == {}
    assert played.history.permits == (), "nobody dies of it"


def test_none_at_all_is_a_stop_with_leave_for_each_exit():
    run = scaled()
    played = run.play("scale checkout 0; wait 1s")
    assert played.outcome is Outcome.HOLDS, played
    assert [harm.effect for harm in played.history.expected.harms] == [Effect.DOWN]
    assert [permit.service for permit in played.history.permits] == ["checkout"]
    assert run.fleet.is_up("checkout")


def test_a_number_that_is_not_reached_is_unknown():
    run = scaled()
    run.fleet.stuck = True
    played = run.play("scale checkout 3")
    assert played.outcome is Outcome.UNKNOWN
    assert "2 replicas of checkout run; expected 3" in played.reason


def sick_while(name, condition):
    def misbehave(fleet):
        fleet.sick.pop(name, None)
        if condition(fleet):
            fleet.sick[name] = "HTTP 503"

    return misbehave


def smaller_for(seconds, fleet):
    """Whether it lost a replica, and not longer ago than that."""
    if fleet.count["checkout"] == 2:
        fleet.since_s = None
        return False
    fleet.since_s = getattr(fleet, "since_s", None) or fleet.clock.now()
    return fleet.clock.now() - fleet.since_s < seconds


@pytest.mark.parametrize("victim", ["checkout", "gateway"])
@pytest.mark.parametrize(("seconds", "outcome"), [(1.0, Outcome.HOLDS), (60.0, Outcome.VIOLATED)])
def test_the_service_and_its_callers_have_a_moment_and_no_more(victim, seconds, outcome):
    played = scaled(sick_while(victim, lambda fleet: smaller_for(seconds, fleet))).play(
        "scale checkout 1; wait 8s"
    )
    assert played.outcome is outcome, played
    if outcome is Outcome.VIOLATED:
        assert played.shows(f"recovery:{victim}")
        assert f"not back within {SETTLES_S:g} s" in played.violations[0].summary


def test_who_does_not_need_it_has_not_even_that():
    played = scaled(sick_while("db", lambda fleet: fleet.count["checkout"] == 1)).play(
        "scale checkout 1; wait 8s"
    )
    assert played.shows("containment:db")


def test_a_replica_that_never_gets_ready_is_no_excuse():
    run = scaled(sick_while("checkout", lambda fleet: fleet.count["checkout"] > fleet.ready["checkout"]))
    run.fleet.lazy = True
    played = run.play("scale checkout 3; wait 8s")
    assert played.shows("recovery:checkout"), played


def test_one_that_dies_while_there_are_fewer_has_no_leave():
    def falls(fleet):
        if fleet.count["checkout"] == 1 and fleet.calls[-1] == "scale checkout 1":
            fleet.calls.append("fell")
            fleet.exit("checkout")

    assert scaled(falls).play("scale checkout 1; wait 1s").shows("isolation:checkout")


def test_two_in_a_row_are_taken_back_together_and_other_faults_are_not_mixed_in():
    run = scaled()
    assert run.play("scale checkout 3; wait 1s; scale checkout 1; wait 1s").outcome is Outcome.HOLDS
    assert run.fleet.count["checkout"] == 2
    for text in ("kill checkout; scale checkout 3", "scale checkout 3; kill checkout"):
        with pytest.raises(ScenarioError, match="checkout is still under an earlier fault"):
            run.play(text)


def test_after_the_way_back_recovery_counts():
    expected = Expected(shop().topology, 30.0).harmed(["checkout"], Effect.RESIZED).passed(10)
    assert expected.standing("gateway") is Standing.UP
    back = expected.passed(2).relieved(["checkout"], since_s=expected.now_s)
    assert back.standing("checkout", expected.now_s + 1) is Standing.MAY_BE_DOWN
    assert back.passed(29).standing("gateway") is Standing.MAY_DEGRADE
    assert back.passed(31).standing("gateway") is Standing.UP
    assert back.lasting() == ()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("scale checkout", "replicas is None; expected a number"),
        ("scale checkout 1.5", "found 1.5 replicas; expected a whole number"),
        ("scale checkout 101", "replicas is 101; expected 0 to 100"),
        ("scale nobody 2", "there is no service 'nobody' here"),
        ("scale checkout#2 2", "there is no service 'checkout#2' here"),
        ("scale db 2 3", "replicas is given twice"),
    ],
)
def test_what_makes_no_sense_is_refused(text, told):
    with pytest.raises(ScenarioError) as refused:
        scaled().play(text)
    assert told in str(refused.value)


def test_a_fixed_port_is_for_one_alone():
    run = scaled(target=shop(1, ports=(Port(80, 8003),)))
    with pytest.raises(
        ScenarioError, match="publishes the fixed port 8003, which one replica alone can have"
    ):
        run.play("scale checkout 2")
    assert SCALE.candidates(run.fleet.target, Expected(run.fleet.target.topology, 30.0)) == ()


def test_where_a_service_is_one_process_it_is_not_to_be_had():
    fleet = FakeFleet(shop())
    assert "scale" not in available(fleet)
    with pytest.raises(ScenarioError, match="fake cannot scale: it runs one process of each service"):
        rig(target=shop()).play("scale checkout 3")


@pytest.mark.parametrize(
    ("target", "numbers"),
    [
        (shop(), [1, 3]),
        (shop(4), [1, 2, 3, 5]),
        (shop(1, replicas_max=2), [2]),
        (shop(1), None),
        (replace(shop(), services=target_of(*SHOP).services), None),
    ],
)
def test_only_what_makes_a_difference_is_drawn_of_those_who_may_be_several(target, numbers):
    fresh = Expected(target.topology, 30.0)
    if numbers is None:
        assert SCALE.candidates(target, fresh) == ()
        return
    assert SCALE.candidates(target, fresh) == ("checkout",)
    pick = random.Random(1).choice
    drawn = [SCALE.draw(target, fresh, pick) for _ in range(60)]
    assert sorted({step.number("replicas") for step in drawn}) == numbers
    assert all(SCALE.applies(step, target, fresh) for step in drawn)
    assert all(Scenario.parse(str(step))[0] == step for step in drawn)
    twice = SCALE.end(drawn[0], SCALE.begin(drawn[0], fresh))
    assert SCALE.candidates(target, twice) == ("checkout",)
    assert SCALE.candidates(target, fresh.harmed(["checkout"], Effect.HUNG)) == ()
