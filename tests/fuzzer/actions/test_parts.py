"""Faults on parts of groups and on replicas, played on a fleet in memory."""

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fuzzer.actions.base_process import PLAIN_TO_PARTS
from fuzzer.actions.catalogue import ACTIONS, available
from fuzzer.runtimes.base import ProcessState, ServiceStatus, Undo
from fuzzer.scenarios import check_scenario, fold, resolved
from fuzzer.search.plans import Plans
from models.errors import ScenarioError
from models.expected import Effect, Expected
from models.history import StepState
from models.members import room
from models.observation import Change, ProcessChange
from models.scenario import Scenario
from models.some import is_some
from models.target import Restart
from models.verdict import Outcome
from tests.support.fake_fleet import FakeFleet
from tests.support.grouped_fleet import GroupedFleet, grouped
from tests.support.rig import rig

PARTS = ["kill", "crash", "stop", "restart"]


def store(misbehave=lambda fleet: None, **options):
    return rig(misbehave, grouped(**options), GroupedFleet)


def harms(played):
    return [(harm.on, harm.effect) for harm in played.history.expected.harms]


@pytest.mark.parametrize(
    ("text", "most", "plain"),
    [
        ("kill one:store", 1, "kill n1"),
        ("pause minority:store", 1, "pause n1"),
        ("stop majority:store", 2, "stop n1 n2"),
        ("crash all:store", 3, "crash n1 n2 n3"),
        ("restart one:store shop", 2, "restart n1 shop"),
        ("pause n1; wait 1s; kill one:store", 2, "pause n1; wait 1s; kill n2"),
        ("kill minority:store; start all:store; wait 1s", 1, "kill n1; start n1 n2 n3; wait 1s"),
        ("cascade majority:store", 2, "cascade n1 n2"),
        ("flap one:store times=2", 1, "flap n1 times=2"),
    ],
)
def test_a_part_that_is_known_beforehand_is_played_as_services(text, most, plain):
    run = store(max_faults=most)
    played = run.play(text)
    assert played.outcome is Outcome.HOLDS, played
    assert str(played.scenario) == plain
    assert str(resolved(played.scenario, run.fleet.target)) == plain
    assert set(run.fleet.state.values()) == {ProcessState.RUNNING}


@pytest.mark.parametrize("action", ["kill", "crash", "stop", "pause", "restart"])
def test_the_primary_is_asked_for_when_it_is_its_turn(action):
    run = store()
    played = run.play(f"{action} primaries:store; wait 1s")
    assert played.outcome is Outcome.HOLDS, played
    assert str(played.scenario[0]) == f"{action} primaries:store", "a replay asks again"
    assert str(played.history.steps[0].step) == f"{action} n2"
    assert [on for on, _ in harms(played)] == ["n2"]
    assert f"{action} n2" in run.fleet.calls
    assert run.fleet.journal.entries == {}
    assert set(run.fleet.state.values()) == {ProcessState.RUNNING}


def test_its_undo_covers_whoever_may_be_it():
    run = store()
    run.play("kill primaries:store")
    assert (Undo("start", ("n1", "n2", "n3")),) in run.fleet.journal.written
    assert "start n2" in run.fleet.calls, "but only who was harmed is healed"


def test_the_next_primary_is_another_one():
    run = store(max_faults=2)
    played = run.play("kill primaries:store; wait 2s; pause primaries:store; wait 2s")
    assert played.outcome is Outcome.HOLDS, played
    assert [str(done.step) for done in played.history.steps][::2] == ["kill n2", "pause n1"]


def test_who_dies_with_the_primary_is_no_target():
    def falls(fleet):
        if not fleet.is_up("n2"):
            fleet.exit("n3")

    played = store(falls, restart=Restart.NO).play("kill primaries:store; wait 2s")
    assert played.shows("isolation:n3")
    assert "+0.00 s  kill n2" in played.violations[0].evidence


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"leaderless": True}, "nobody says that it is primary: n1 says that it is not, n2 says"),
        ({"twice": frozenset({"n3"})}, "n2, n3 say that they are primary; x-knockon.safety.max_faults"),
    ],
)
def test_without_one_that_may_be_harmed_nothing_is(change, told):
    run = store()
    for name, value in change.items():
        setattr(run.fleet, name, value)
    played = run.play("kill primaries:store; wait 1s")
    assert played.outcome is Outcome.UNKNOWN
    assert told in played.reason
    assert played.history.steps[0].state is StepState.INVALID
    assert harms(played) == []
    assert not any(call.startswith("kill") for call in run.fleet.calls)


def test_a_primary_that_is_protected_is_left_alone():
    played = store(protect=["n2"]).play("kill primaries:store")
    assert played.outcome is Outcome.UNKNOWN
    assert "n2 is primary, and faults may not touch it" in played.reason


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("kill one:shops", "no group 'shops' here; expected one of: store"),
        ("kill half:store", "expected one of one:GROUP, minority:GROUP"),
        ("kill majority:store", "would harm 2 services at once"),
        ("kill primaries:store; kill one:store", "earlier fault"),
        ("kill primaries:store; pause primaries:store", "would harm 2 services at once"),
        ("wait one:store 1s", "wait takes at most 0"),
        ("cascade primaries:store shop", "no service 'primaries:store' here"),
        ("kill n1#2", "the runtime fake does not tell replicas apart"),
        ("flap n1#2", "no service 'n1#2' here"),
        ("kill ghost#1", "no service 'ghost' here"),
    ],
)
def test_what_makes_no_sense_is_refused(text, told):
    run = store()
    with pytest.raises(ScenarioError) as refused:
        run.play(text)
    assert told in str(refused.value)
    assert run.fleet.calls == []


def test_who_tells_no_role_has_no_primary():
    target = grouped()
    dumb = {name: replace(one, role=None) for name, one in target.services.items()}
    with pytest.raises(ScenarioError, match=r"expected x-knockon\.role of a member"):
        check_scenario(Scenario.parse("kill primaries:store"), replace(target, services=dumb))


@given(st.integers(0, 10_000), st.integers(1, 3))
@settings(max_examples=150, deadline=None)
def test_whatever_is_drawn_stays_within_what_is_allowed_and_is_played_again_from_its_text(seed, most):
    target = grouped(most)
    fleet = GroupedFleet(target)
    plan = Plans(target, available(fleet), 9, Random(seed)).fresh()
    check_scenario(plan, target, fleet)
    start = Expected(target.topology, target.limits.recovery_s_max)
    for step, before, then in fold(plan, start):
        assert len(then.active()) <= most
        assert ACTIONS[step.action].applies(step, target, before)
        assert all(name.startswith("primaries:") for name in step.targets if is_some(name))
    again = resolved(Scenario.parse(str(plan)), target)
    assert again == plan == Scenario.from_json(plan.to_json())


@pytest.mark.parametrize(
    ("most", "drawn"),
    [
        (1, {("n1",), ("primaries:store",)}),
        (2, {("n1",), ("n1", "n2"), ("primaries:store",)}),
        (3, {("n1",), ("n1", "n2"), ("n1", "n2", "n3"), ("primaries:store",)}),
    ],
)
@pytest.mark.parametrize("action", PARTS)
def test_every_part_that_is_allowed_is_drawn_sometimes(action, most, drawn):
    target = grouped(most)
    start = Expected(target.topology, 30.0)

    def part(seed):
        return lambda some: some[-1] if some == PLAIN_TO_PARTS else Random(seed).choice(some)

    assert {ACTIONS[action].draw(target, start, part(seed)).targets for seed in range(40)} == drawn


@given(st.integers(0, 300))
@settings(max_examples=40, deadline=None)
def test_whatever_is_drawn_really_harms_no_more_than_allowed(seed):
    run = store(max_faults=2)
    plan = Plans(run.fleet.target, available(run.fleet), 4, Random(seed)).fresh(
        "kill", "pause", "crash", "heal"
    )
    played = run.runner.play(plan)
    assert played.outcome in (Outcome.HOLDS, Outcome.UNKNOWN), played
    expected = played.history.expected
    for at_s in (harm.since_s for harm in expected.harms):
        assert len({h.on for h in expected.harms if h.since_s <= at_s and h.active_at(at_s)}) <= 2
    assert room(run.fleet.target, expected) >= 0


# Replicas.


class Twins(FakeFleet):
    """Meets ``HasReplicas``, too: checkout has two processes."""

    def __init__(self, *given):
        super().__init__(*given)
        self.down = set()

    def replicas(self, service):
        return (1, 2) if service == "checkout" else (1,)

    def _end(self, verb, services, code):
        for name in self._order(verb, services):
            self.down |= (
                {f"checkout#{n}" for n in self.replicas("checkout")} if name == "checkout" else {name}
            )
            self._sink.saw_process(
                ProcessChange("checkout", self.clock.now(), Change.EXITED, name, code, returns=False)
            )
        self.state["checkout"] = ProcessState.DOWN
        self._misbehave(self)

    def start(self, services):
        super().start(services)
        self.down.clear()

    def status(self, service):
        if service.partition("#")[0] != "checkout":
            return super().status(service)
        mine = [service] if "#" in service else ["checkout#1", "checkout#2"]
        up = tuple(name for name in mine if name not in self.down)
        state = ProcessState.RUNNING if len(up) == len(mine) else ProcessState.DOWN
        return ServiceStatus(service, state, up)


def test_harm_to_a_replica_is_harm_to_its_service_and_healed_with_it():
    run = rig(kind=Twins)
    played = run.play("kill checkout#2; wait 1s")
    assert played.outcome is Outcome.HOLDS, played
    assert harms(played) == [("checkout", Effect.DOWN)]
    assert [permit.service for permit in played.history.permits] == ["checkout"]
    assert run.fleet.calls[:2] == ["kill checkout#2", "start checkout"]
    assert run.fleet.journal.entries == {}


def test_a_second_exit_of_the_service_has_no_permit():
    def falls(fleet):
        if "checkout#2" in getattr(fleet, "down", ()) and "checkout#1" not in fleet.down:
            fleet.clock.at(fleet.clock.now() + 0.3, lambda: fleet._end("fall", ["checkout#1"], 1))
            fleet.down.add("checkout#1")

    run = rig(falls, kind=Twins)
    assert run.play("kill checkout#2; wait 1s").shows("isolation:checkout")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("kill checkout#3", "there is no checkout#3 here; expected one of: checkout#1, checkout#2"),
        ("kill checkout#2; pause checkout#1", "earlier fault"),
        ("restart checkout#3", "there is no checkout#3 here; expected one of: checkout#1, checkout#2"),
        ("flap checkout#2", "no service 'checkout#2' here"),
    ],
)
def test_a_replica_that_cannot_be_harmed_is_refused(text, told):
    with pytest.raises(ScenarioError) as refused:
        rig(kind=Twins).play(text)
    assert told in str(refused.value)
