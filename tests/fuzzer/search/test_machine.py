import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from fuzzer.actions.catalogue import ACTIONS
from fuzzer.scenarios import check_scenario, fold
from fuzzer.search.machine import build_machine
from models.expected import Effect, Expected
from models.link import is_link
from tests.support.fake_fleet import SHOP, opted, target_of
from tests.support.starved_fleet import StarvedFleet
from tests.support.wired_fleet import WiredFleet


def plans(target, examples=300, steps=12):
    seen = []
    machine = build_machine(target, ACTIONS, seen.append)
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples, stateful_step_count=steps, phases=[Phase.generate], database=None
        ),
    )
    return seen


def start(target):
    return Expected(target.topology, target.limits.recovery_s_max)


class AbleFleet(WiredFleet, StarvedFleet):
    """Can do everything."""

    def hold(self, service, count):
        """Nobody is there to hold on to."""

    def held(self, service):
        return 1

    def scale(self, service, replicas):
        """Nobody counts them."""

    def running(self, service):
        return 1

    def serving(self, service):
        return 1


@pytest.fixture(scope="module")
def target():
    return opted(target_of(*SHOP, protect=["gateway"], published=["checkout"]))


@pytest.fixture(scope="module")
def seen(target):
    return plans(target)


def test_every_action_and_every_open_service_is_drawn(seen, target):
    assert {step.action for plan in seen for step in plan} == set(ACTIONS)
    harmed = {name for plan in seen for step in plan if ACTIONS[step.action].harmful for name in step.targets}
    links = {name for name in harmed if is_link(name)}
    assert harmed - links == {"checkout", "db", "analytics"}
    assert "checkout -> db" in links
    assert not any("gateway" in name for name in links)


def test_plans_can_be_played_and_do_harm(seen, target):
    for plan in seen:
        check_scenario(plan, target, AbleFleet(target))
        assert any(ACTIONS[step.action].harmful for step in plan)


def test_what_is_drawn_makes_sense_after_what_was_drawn(seen, target):
    for plan in seen:
        for step, before, _ in fold(plan, start(target)):
            if step.action in ("kill", "stop", "pause", "crash", "restart"):
                assert not set(step.targets) & set(before.lasting())
            if step.action == "start":
                assert set(step.targets) <= set(before.lasting(Effect.DOWN))
            if step.action == "unpause":
                assert set(step.targets) <= set(before.lasting(Effect.HUNG))


def test_no_more_faults_at_once_than_allowed(seen, target):
    for plan in seen:
        for _, _, expected in fold(plan, start(target)):
            assert len(expected.active()) <= target.safety.max_faults


def test_several_services_are_killed_at_once_now_and_then(seen):
    assert any(step.action == "kill" and len(step.targets) == 2 for plan in seen for step in plan)


def test_some_actions_are_left_out_of_some_plans_altogether(seen):
    assert len({frozenset(step.action for step in plan) for plan in seen}) > 20
