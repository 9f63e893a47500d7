"""A search where fleets cost nothing: Hypothesis shrinks by itself, and remembers; a corpus helps."""

import json
from pathlib import Path

import pytest

from fuzzer.config import RunConfig, example_shop
from fuzzer.events import RunBegan
from fuzzer.search.campaign import SearchOptions
from fuzzer.session import open_session

HANGS = {"checkout-service": [{"when": {"analytics-service": "hung"}, "then": "exits"}]}
BOTH = {
    "analytics-service": [
        {"when": {"user-service": "gone", "product-service": "hung"}, "then": "exits"},
    ]
}


FEW = ("crash", "kill", "stop", "pause", "restart", "load", "start", "unpause")
"""Among all actions two certain faults of processes come together too rarely for so few examples."""


def search(folder: Path, reactions, heard=lambda event: None, actions=(), **options):
    override = folder / "flaw.yaml"
    services = {name: {"x-knockon": {"model": {"reactions": some}}} for name, some in reactions.items()}
    override.write_text(json.dumps({"services": services}))
    config = RunConfig((*example_shop(), override), runtime="sim", state=folder / "state", actions=actions)
    options = {"budget_s": None, "examples": 400, "steps": 12, "seed": 3, "findings": 1, **options}
    with open_session(config, heard) as session:
        return session.campaign(SearchOptions(**options)).run()


class Searched:
    """A search that was made once, what was heard of it, and the folder with what it left there."""

    def __init__(self, folder: Path, reactions, actions=()):
        self.folder, self.heard = folder, []
        self.summary = search(folder, reactions, self.heard.append, actions)


@pytest.fixture(scope="module")
def one_step(tmp_path_factory) -> Searched:
    return Searched(tmp_path_factory.mktemp("one"), HANGS)


@pytest.fixture(scope="module")
def two_steps(tmp_path_factory) -> Searched:
    return Searched(tmp_path_factory.mktemp("two"), BOTH, FEW)


@pytest.mark.parametrize(
    ("name", "steps"), [("one_step", 1), ("two_steps", 2)], ids=["one step", "two steps"]
)
def test_what_a_long_scenario_shows_becomes_small_and_proved(request, name, steps):
    [finding] = request.getfixturevalue(name).summary.findings
    assert finding.violation.invariant == "isolation"
    assert len(finding.minimal) == steps
    assert finding.necessary is True
    assert finding.reproduced == finding.replays >= 3
    assert finding.saved.exists()


def test_it_says_that_it_is_a_model_and_what_that_assumes(one_step):
    [finding] = one_step.summary.findings
    [began] = [event for event in one_step.heard if isinstance(event, RunBegan)]
    assert began.modelled
    told = "\n".join(finding.rests_on)
    assert "checkout-service" in told
    assert "user-service" not in told, "it has no part in it"


def test_what_failed_once_is_tried_first_the_next_time(one_step):
    first = one_step.summary
    again = search(one_step.folder, HANGS, seed=4)
    assert again.findings[0].violation.signature == first.findings[0].violation.signature
    assert len(again.findings[0].original) < len(first.findings[0].original), "as Hypothesis shrank it"


def test_the_same_seed_finds_the_same(two_steps, tmp_path):
    one, other = two_steps.summary, search(tmp_path, BOTH, actions=FEW)
    assert one.findings[0].original == other.findings[0].original
    assert one.findings[0].minimal == other.findings[0].minimal
    assert (one.scenarios, one.executions) == (other.scenarios, other.executions)


def test_a_fleet_that_survives_is_searched_to_the_end(tmp_path):
    summary = search(tmp_path, {}, examples=25)
    assert summary.findings == ()
    assert summary.scenarios + len(summary.inconclusive) == 25
    assert summary.held["isolation"] == summary.scenarios


def test_only_what_sends_a_load_is_played_if_that_is_asked_for(tmp_path):
    summary = search(tmp_path, {}, examples=6, under_load=True)
    assert summary.requests[0] > 6 * 20
