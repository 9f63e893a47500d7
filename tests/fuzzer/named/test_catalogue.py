"""The named scenarios that come with knockon, and those of a user."""

from __future__ import annotations

import pytest

from fuzzer.config import RunConfig
from fuzzer.fleets import read_target
from fuzzer.named.catalogue import OURS, named, template
from fuzzer.named.choosing import choose
from fuzzer.named.template import Kind
from fuzzer.scenarios import check_scenario, is_harmful
from models.errors import RequestError
from models.scenario import Scenario

NAMES = sorted(path.stem for path in OURS.glob("*.txt"))


def test_the_scenarios_of_the_incident_are_there():
    assert NAMES == [
        "cascading_failure",
        "database_chaos",
        "health_monitor",
        "load_test_chaos",
        "multiple_chaos",
        "network_chaos",
        "random_kill",
        "resource_exhaustion",
        "targeted_kill",
    ]


@pytest.mark.parametrize("together", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_each_makes_sense_on_the_example_shop(name, together):
    target = read_target(RunConfig())
    one = template(name, target.directory)
    chosen = choose(one, target, 3)
    scenario = Scenario.of(one.steps(chosen, tuple(target.loads), one.duration, together=together))
    kept = [step for step in scenario if step.action != "disk_fill"]  # the shop names no bounded folder
    check_scenario(Scenario.of(kept), target)
    assert is_harmful(scenario) is (one.who.kind is not Kind.NONE)
    assert one.summary


def test_a_users_own_stands_beside_ours_and_before_one_of_the_same_name(tmp_path):
    folder = tmp_path / "scenarios"
    folder.mkdir()
    (folder / "mine.txt").write_text("# Mine.\nkill {service}\n")
    (folder / "random_kill.txt").write_text("# My own.\ncrash {service}\n")
    assert list(named(tmp_path)) == sorted([*NAMES, "mine"])
    assert template("mine", tmp_path).summary == "Mine."
    assert template("random-kill", tmp_path).summary == "My own."


def test_a_name_that_there_is_not_is_told_with_those_that_there_are(tmp_path):
    with pytest.raises(RequestError, match="there is no scenario 'rnd'; expected one of: cascading"):
        template("rnd", tmp_path)
