import json

import pytest

from fuzzer.events import FindingBegan, FindingMade, RunEnded, ScenarioEnded
from fuzzer.halts import Interrupted
from fuzzer.pins import read_pin
from fuzzer.runtimes.base import ProcessState
from fuzzer.search import novelty
from models.coverage import Dimension, Mark
from models.errors import RuntimeUnavailable
from tests.support.fake_fleet import SHOP, target_of
from tests.support.rig import rig


@pytest.fixture
def hasty(monkeypatch):
    """Few plans are looked at for each that is played: what is played may be anything here."""
    monkeypatch.setattr(novelty, "LOOKED_AT", 6)


def test_a_healthy_fleet_spends_its_examples_and_holds(tmp_path, hasty):
    summary = rig().campaign(tmp_path, budget_s=None, examples=40).run()
    assert summary.findings == ()
    assert summary.scenarios > 20
    assert summary.inconclusive == ()
    assert summary.held["isolation"] == summary.scenarios
    assert sum(summary.touched.values()) > 40


def test_the_budget_ends_the_search(tmp_path, hasty):
    run = rig()
    summary = run.campaign(tmp_path, budget_s=60.0).run()
    assert "budget" in summary.ended
    assert 60 <= summary.seconds < 120


@pytest.mark.parametrize("seed", range(4))
def test_a_single_step_bug_is_found_shrunk_proved_and_saved(tmp_path, seed):
    def crash_on_failure(fleet):
        if not fleet.is_up("db"):
            fleet.exit("checkout")

    run = rig(crash_on_failure)
    summary = run.campaign(tmp_path, budget_s=None, seed=seed).run()
    [finding] = summary.findings
    assert len(finding.minimal) == 1
    assert "db" in str(finding.minimal)
    assert finding.violation.signature == "isolation:checkout"
    assert finding.necessary is True
    assert finding.reproduced == finding.replays >= 3
    pin = read_pin(finding.saved)
    assert pin.steps == finding.minimal
    assert pin.signature == "isolation:checkout"


@pytest.mark.parametrize(("proof_s", "necessary"), [(0.0, None), (150.0, True)])
def test_what_took_all_the_time_to_make_small_is_proved_all_the_same(tmp_path, proof_s, necessary):
    def crash_on_failure(fleet):
        if not fleet.is_up("db"):
            fleet.exit("checkout")

    campaign = rig(crash_on_failure).campaign(tmp_path, budget_s=None, seed=0, shrink_s=20.0, proof_s=proof_s)
    [finding] = campaign.run().findings
    assert finding.necessary is necessary


@pytest.mark.parametrize("seed", range(4))
def test_a_bug_of_two_services_at_once_shrinks_to_what_is_needed(tmp_path, seed):
    def two(fleet):
        if not fleet.is_up("db") and not fleet.is_up("gateway"):
            fleet.exit("analytics")

    [finding] = rig(two).campaign(tmp_path, budget_s=None, seed=seed).run().findings
    harmed = {name for step in finding.minimal for name in step.targets}
    assert harmed == {"db", "gateway"}
    assert len(finding.minimal) <= 2
    assert finding.necessary is True
    assert finding.shrinking <= 12


def test_a_flaky_bug_is_reported_with_its_rate(tmp_path):
    state = {"since": 0, "down": False}

    def sometimes(fleet):
        down = not fleet.is_up("db")
        if down and not state["down"]:
            state["since"] += 1
            if state["since"] % 3:
                fleet.exit("gateway")
        state["down"] = down

    [finding] = rig(sometimes).campaign(tmp_path, budget_s=None).run().findings
    assert 0 < finding.reproduced <= finding.replays
    assert {name for step in finding.minimal for name in step.targets} == {"db"}


def test_a_failure_that_never_shows_again_is_not_dropped(tmp_path):
    state = {"done": False}

    def once(fleet):
        if not fleet.is_up("db") and not state["done"]:
            state["done"] = True
            fleet.exit("gateway")

    [finding] = rig(once).campaign(tmp_path, budget_s=None).run().findings
    assert finding.reproduced == 0
    assert finding.replays >= 3
    assert finding.saved.exists()


def test_a_finding_is_on_disk_before_anything_else_happens(tmp_path):
    run = rig(lambda fleet: fleet.is_up("db") or fleet.exit("checkout"))
    campaign = run.campaign(tmp_path, budget_s=None)
    saved = []

    def interrupt(event):
        run.events.append(event)
        if isinstance(event, ScenarioEnded) and event.purpose == "shrink":
            saved.extend(tmp_path.iterdir())
            raise KeyboardInterrupt

    run.runner._events._listeners = (interrupt,)
    summary = campaign.run()
    assert json.loads(saved[0].read_text())["signature"] == "isolation:checkout"
    assert isinstance(summary.halt, Interrupted)
    [finding] = summary.findings
    assert finding.violation.signature == "isolation:checkout"
    assert finding.saved in saved
    assert set(run.fleet.state.values()) == {ProcessState.RUNNING}


def test_a_runtime_that_does_not_answer_ends_the_search_as_inconclusive(tmp_path):
    run = rig()

    def vanish(*_):
        raise RuntimeUnavailable("the engine does not answer")

    run.fleet.status = vanish
    summary = run.campaign(tmp_path, budget_s=None).run()
    assert summary.scenarios == 0
    assert "told nothing" in summary.ended
    assert "does not answer" in summary.inconclusive[0]


def test_events_tell_the_story_in_order(tmp_path):
    run = rig(lambda fleet: fleet.is_up("db") or fleet.exit("checkout"))
    run.campaign(tmp_path, budget_s=None).run()
    kinds = [type(event) for event in run.events]
    assert kinds.index(FindingBegan) < kinds.index(FindingMade) < kinds.index(RunEnded)


def test_the_same_seed_writes_the_same_scenarios(tmp_path, hasty):
    def tried(seed):
        run = rig(target=target_of(*SHOP))
        run.campaign(tmp_path, budget_s=None, examples=10, seed=seed).run()
        return [str(e.played.scenario) for e in run.events if isinstance(e, ScenarioEnded)]

    assert tried(3) == tried(3)
    assert tried(3) != tried(4)


def test_the_map_tells_what_was_exercised_and_what_had_no_effect(tmp_path):
    run = rig()
    run.fleet.dead_to_orders.add("db")
    coverage = run.campaign(tmp_path, budget_s=None, examples=8).run().coverage
    actions, pairs = (coverage.dimensions[name] for name in (Dimension.ACTIONS, Dimension.PAIRS))
    assert len(actions.every) == 8 * 4
    assert len(pairs.every) == 4 * 3
    without_effect = actions.marked(Mark.NO_EFFECT)
    # A step that did not take effect on one of its targets counts for none of them.
    assert "db" in {service for service, _ in without_effect}
    exercised = actions.marked(Mark.EXERCISED)
    assert len(exercised) > 5
    assert not any(service == "db" for service, _ in exercised)
    assert pairs.marked(Mark.EXERCISED)
    assert not any("db" in pair for pair in pairs.marked(Mark.EXERCISED))


def test_a_longer_search_exercises_more(tmp_path):
    def share(examples):
        coverage = rig().campaign(tmp_path, budget_s=None, examples=examples).run().coverage
        return coverage.dimensions[Dimension.ACTIONS].share

    assert 0 < share(1) < share(5) <= 1
