"""What counts as exercised, step by step, on histories written by hand."""

from dataclasses import replace

import pytest

from fuzzer.actions.catalogue import ACTIONS
from fuzzer.events import Played
from fuzzer.search.coverage import CoverageMap, refuse_undefined, undefined
from models.coverage import Cell, Dimension, LoadPhase, Mark
from models.errors import RequestError
from models.history import History, PlayedStep, StepState
from models.step import Step
from models.verdict import Outcome
from tests.support.fake_fleet import SHOP, target_of
from tests.support.histories import HistoryOf

TARGET = target_of(*SHOP, published=("checkout",))
CHECKOUT = TARGET.loads["checkout"]


def step(text: str, at_s: float, state: StepState = StepState.DONE) -> PlayedStep:
    return PlayedStep(Step.parse(text), at_s, at_s + 0.1, state)


def history(*steps: PlayedStep, loads: HistoryOf | None = None) -> History:
    return replace((loads or HistoryOf(TARGET)).until(0.0), steps=steps)


def mapped(*steps: PlayedStep, outcome=Outcome.HOLDS, target=TARGET, loads: HistoryOf | None = None):
    coverage = CoverageMap(target, ACTIONS)
    played = history(*steps, loads=loads)
    coverage.add(Played(played.scenario, outcome, history=played))
    return coverage.so_far().dimensions


def exercised(*steps: PlayedStep, dimension: Dimension, **how) -> set[Cell]:
    return set(mapped(*steps, **how)[dimension].exercised)


def pairs(*steps: PlayedStep, **how) -> set[Cell]:
    return exercised(*steps, dimension=Dimension.PAIRS, **how)


def test_the_map_holds_every_fault_on_every_service_that_may_be_harmed():
    target = target_of(*SHOP, protect=("db",))
    cells = CoverageMap(target, {name: ACTIONS[name] for name in ("crash", "pause", "wait", "load", "heal")})
    actions, pairs, phases = cells.so_far().dimensions.values()
    assert set(actions.every) == {
        (service, fault) for service in ("gateway", "checkout", "analytics") for fault in ("crash", "pause")
    }
    assert len(pairs.every) == 3 * 2
    assert ("gateway", "checkout") in pairs.every
    assert ("checkout", "gateway") in pairs.every
    assert not any("db" in cell for cell in (*actions.every, *pairs.every))
    assert phases.every == ()


def test_a_fault_counts_for_each_of_its_targets():
    assert exercised(step("kill checkout db", 0), dimension=Dimension.ACTIONS) == {
        ("checkout", "kill"),
        ("db", "kill"),
    }


def test_steps_that_harm_nobody_count_for_nothing():
    steps = (step("load checkout 20rps 2s", 0), step("wait 2s", 1), step("heal all", 4))
    assert not any(cells.exercised for cells in mapped(*steps).values())


def test_what_told_nothing_exercised_nothing():
    assert not any(
        cells.exercised
        for cells in mapped(step("kill db", 0), step("kill checkout", 1), outcome=Outcome.UNKNOWN).values()
    )
    coverage = CoverageMap(TARGET, ACTIONS)
    coverage.add(Played(history().scenario, Outcome.UNKNOWN, reason="the engine does not answer"))
    assert not coverage.so_far().tried


@pytest.mark.parametrize("outcome", [Outcome.UNKNOWN, Outcome.VIOLATED])
def test_a_fault_without_effect_is_told_apart_from_one_that_nobody_tried(outcome):
    steps = (step("pause db", 0), step("crash gateway", 1, StepState.INVALID))
    dimensions = mapped(*steps, outcome=outcome)
    actions, pairs = dimensions[Dimension.ACTIONS], dimensions[Dimension.PAIRS]
    assert actions.marked(Mark.NO_EFFECT) == (("gateway", "crash"),)
    assert pairs.marked(Mark.NO_EFFECT) == (("db", "gateway"),)
    assert (actions.mark(("db", "pause")) is Mark.EXERCISED) == (outcome is Outcome.VIOLATED)


def test_a_step_that_was_not_reached_is_neither():
    dimensions = mapped(step("pause db", 0, StepState.NOT_REACHED))
    assert dimensions[Dimension.ACTIONS].mark(("db", "pause")) is Mark.NEVER


def test_counts_add_up_over_scenarios():
    coverage = CoverageMap(TARGET, ACTIONS)
    for state in (StepState.INVALID, StepState.DONE, StepState.DONE):
        played = history(step("pause db", 0, state))
        told = Outcome.UNKNOWN if state is StepState.INVALID else Outcome.HOLDS
        coverage.add(Played(played.scenario, told, history=played))
    actions = coverage.so_far().dimensions[Dimension.ACTIONS]
    assert actions.exercised == {("db", "pause"): 2}
    assert actions.in_vain == {("db", "pause"): 1}
    assert actions.mark(("db", "pause")) is Mark.EXERCISED


# Pairs.


def test_a_pair_has_an_order():
    assert pairs(step("pause db", 0), step("crash gateway", 9)) == {("db", "gateway")}
    assert pairs(step("crash gateway", 0), step("pause db", 1)) == {("gateway", "db")}


def test_harm_of_one_step_is_no_pair_since_neither_came_first():
    assert pairs(step("kill db gateway", 0)) == set()
    assert pairs(step("pause analytics", 0), step("kill db gateway", 1)) == {
        ("analytics", "db"),
        ("analytics", "gateway"),
    }


@pytest.mark.parametrize("heal", ["heal all", "heal db", "start db"])
def test_what_was_healed_is_in_force_no_more(heal):
    assert pairs(step("stop db", 0), step(heal, 3), step("pause gateway", 4)) == set()


def test_a_passing_fault_is_in_force_for_a_moment():
    assert pairs(step("crash db", 0), step("pause gateway", 1.9)) == {("db", "gateway")}
    assert pairs(step("crash db", 0), step("pause gateway", 2.1)) == set()


def test_a_service_makes_no_pair_with_itself():
    assert pairs(step("crash db", 0), step("crash db", 1)) == set()


# Phases.


@pytest.mark.parametrize(
    ("at_s", "phase"),
    [
        (0.5, LoadPhase.WITHOUT),
        (1.5, LoadPhase.EARLY),
        (2.5, LoadPhase.MIDWAY),
        (3.5, LoadPhase.LATE),
        (4.5, LoadPhase.WITHOUT),
    ],
)
@pytest.mark.parametrize("ended_s", [4.0, 9.0])
def test_the_phase_is_that_of_the_requests_and_not_of_answers_that_hang(at_s, phase, ended_s):
    loads = HistoryOf(TARGET).sent(1.05, ended_s, CHECKOUT)
    steps = sorted((step("ramp checkout 20rps 3s", 1.0), step("pause db", at_s)), key=lambda s: s.began_s)
    assert exercised(*steps, dimension=Dimension.PHASES, loads=loads) == {("pause", phase)}


def test_an_engine_that_died_sends_no_more():
    loads = HistoryOf(TARGET).sent(0.05, 1.0, CHECKOUT, trouble="ended before its time")
    steps = (step("load checkout 20rps 6s", 0), step("pause db", 3))
    found = exercised(*steps, dimension=Dimension.PHASES, loads=loads)
    assert found == {("pause", LoadPhase.WITHOUT)}


def test_the_baseline_and_the_load_after_healing_are_no_load_of_the_scenario():
    loads = HistoryOf(TARGET).sent(-2, -1, CHECKOUT).healed(3, steady=True).sent(4, 6, CHECKOUT)
    found = exercised(step("pause db", 1), dimension=Dimension.PHASES, loads=loads)
    assert found == {("pause", LoadPhase.WITHOUT)}


# What cannot be asked for.


@pytest.mark.parametrize(
    ("target", "dimension", "reason"),
    [
        (target_of(*SHOP, max_faults=1), Dimension.PAIRS, "max_faults is 1"),
        (target_of(services=("db",)), Dimension.PAIRS, "fewer than two services"),
        (target_of(services=("db", "web")), Dimension.PHASES, "names no load"),
        (target_of(*SHOP), Dimension.PHASES, "publish no port"),
    ],
)
def test_a_share_of_nothing_is_refused_with_the_reason(target, dimension, reason):
    with pytest.raises(RequestError, match=rf"--min-coverage {dimension}=0.5: fake has no .*{reason}"):
        refuse_undefined(target, {dimension: 0.5})
    refuse_undefined(target, {Dimension.ACTIONS: 0.5})
    cells = CoverageMap(target, ACTIONS).so_far().dimensions[dimension]
    assert cells.every == ()
    assert reason in cells.undefined


def test_what_can_be_exercised_may_be_asked_for():
    assert undefined(TARGET) == {}
    refuse_undefined(TARGET, dict.fromkeys(Dimension, 1.0))


def test_no_pair_is_counted_where_none_is_allowed():
    # In a plan a step takes longer than on a fast fleet, so two passing faults may come close.
    steps = (step("crash db", 0), step("crash gateway", 1.5))
    assert pairs(*steps, target=target_of(*SHOP, max_faults=1)) == set()
