"""The log of a session on a fleet in memory, and on a simulated one. Real: cli's test_real.py."""

import json
from pathlib import Path

import pytest

from fuzzer import session
from fuzzer.config import RunConfig
from fuzzer.runs.lines import LINE
from fuzzer.runs.log import RunLog
from fuzzer.runs.reading import read_run
from fuzzer.search.campaign import SearchOptions
from fuzzer.search.involved import assumptions
from fuzzer.session import open_session
from models.scenario import Scenario
from models.verdict import Outcome
from tests.support.fake_fleet import FakeFleet

COMPOSE = {
    "name": "fake",
    "x-knockon": {"enabled": True, "limits": {"health_latency_ms_max": 200}},
    "services": {
        "gateway": {"image": "x", "restart": "always", "depends_on": ["checkout"]},
        "checkout": {
            "image": "x",
            "restart": "always",
            "depends_on": ["db"],
            "x-knockon": {"soft": ["analytics"]},
        },
        "db": {"image": "x", "restart": "always"},
        "analytics": {"image": "x", "restart": "always"},
    },
}


def cascade(fleet: FakeFleet) -> None:
    if not fleet.is_up("analytics"):
        fleet.exit("checkout")


@pytest.fixture
def opened(tmp_path, monkeypatch):
    """Opens a session whose fleet misbehaves as it is told to."""

    def open_(misbehave=lambda fleet: None, runtime="fake", gateway_restarts="always", **search):
        file = tmp_path / "compose.json"
        gateway = COMPOSE["services"]["gateway"] | {"restart": gateway_restarts}
        file.write_text(json.dumps(COMPOSE | {"services": COMPOSE["services"] | {"gateway": gateway}}))
        monkeypatch.setitem(session.RUNTIMES, "fake", lambda target, config: FakeFleet(target, misbehave))
        options = SearchOptions(**{"examples": 2, "seed": 1, "steps": 3, "budget_s": None} | search)
        return open_session(RunConfig((file,), runtime=runtime, state=tmp_path / "kept", search=options))

    return open_


def test_what_was_played_is_kept_as_it_happens(opened):
    with opened(cascade) as one:
        assert one.log.path is None
        one.runner.play(Scenario.parse("crash analytics; wait 1s"))
        run = read_run(one.log.path)  # while it goes on
        [scenario] = run.scenarios
        assert (scenario.purpose, scenario.outcome) == ("replay", Outcome.VIOLATED)
        assert scenario.violations[0].service == "checkout"
        assert scenario.violations[0].at_s == pytest.approx(0.0, abs=0.2)
        assert scenario.story.steps[0].step == "crash analytics"
        assert set(scenario.story.lanes) == {"gateway", "checkout", "db", "analytics"}
    assert (run.head.target, run.head.runtime, run.head.modelled) == ("fake", "fake", False)
    assert {(e.caller, e.dependency, e.strength) for e in run.head.edges} >= {
        ("checkout", "analytics", "soft")
    }
    assert run.head.options.endswith("compose.json --runtime fake")


def test_a_search_keeps_its_findings_with_their_story_and_its_summary(opened):
    with opened(cascade, examples=12, findings=1) as one:
        summary = one.campaign().run()
    run = read_run(one.log.path)
    [finding], [logged] = summary.findings, run.findings
    assert logged.minimal == tuple(map(str, finding.minimal))
    assert logged.violation.service == finding.violation.service
    assert tuple(step.step for step in logged.story.steps) == logged.minimal
    assert (run.end.seed, run.end.scenarios, run.end.reason) == (1, summary.scenarios, "")
    assert len(run.scenarios) == summary.executions
    assert sum(cell.count for cell in run.end.coverage["actions"]) > 0
    assert run.outcome is Outcome.VIOLATED


def test_a_search_that_proves_nothing_says_why(opened):
    with opened(lambda fleet: fleet.sick.update(db="HTTP 500"), examples=1) as one:
        one.campaign().run()
    run = read_run(one.log.path)
    assert run.outcome is Outcome.UNKNOWN
    assert "db is unhealthy: HTTP 500" in run.reason


def test_of_a_model_only_what_is_played_for_a_person_and_what_was_found_is_told_whole(opened):
    with opened(runtime="sim", examples=3) as one:
        one.campaign().run()
        one.runner.play(Scenario.parse("crash db; wait 2s"))
    run = read_run(one.log.path)
    *searched, asked = run.scenarios
    assert run.head.modelled
    assert searched
    assert all(scenario.story is None for scenario in searched)
    assert all(bool(scenario.verdicts) == (scenario.outcome is not Outcome.HOLDS) for scenario in searched)
    assert asked.story
    assert asked.verdicts
    assert asked.rests_on or not asked.violations
    assert all(finding.story for finding in run.findings)


def test_a_violation_by_a_model_says_what_it_rests_on(opened):
    with opened(runtime="sim", gateway_restarts="no") as one:
        played = one.runner.play(Scenario.parse("crash gateway"))
    [scenario] = read_run(one.log.path).scenarios
    assert played.outcome is Outcome.VIOLATED
    assert scenario.rests_on == assumptions(one.runtime, played.scenario, played.violations[0], one.target)
    assert scenario.rests_on


def test_a_run_that_never_began_leaves_nothing(opened, tmp_path):
    with opened():
        pass
    assert not (tmp_path / "kept" / "runs").exists()


@pytest.fixture
def notes(monkeypatch):
    told = []
    monkeypatch.setattr(session, "note", told.append)
    return told


def test_a_folder_that_cannot_be_written_gives_one_note_and_changes_no_verdict(opened, notes, tmp_path):
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "runs").write_text("in the way")
    with opened(cascade) as one:
        outcomes = [one.runner.play(Scenario.parse("crash analytics; wait 1s")).outcome for _ in range(2)]
        assert one.report == ""
    assert outcomes == [Outcome.VIOLATED] * 2
    [told] = [note for note in notes if "log of this run" in note]
    assert "cannot be written: File exists; verdicts stand" in told


def test_so_does_a_disk_that_is_full(opened, notes, monkeypatch):
    with Path("/dev/full").open("w") as full, opened(cascade) as one:
        monkeypatch.setattr(RunLog, "_begin", lambda log: full)
        outcomes = [one.runner.play(Scenario.parse("crash analytics; wait 1s")).outcome for _ in range(2)]
        assert one.log.path is None
    assert outcomes == [Outcome.VIOLATED] * 2
    [told] = [note for note in notes if "log of this run" in note]
    assert "cannot be written: No space left on device; verdicts stand" in told


def test_each_line_of_a_log_is_json_of_a_known_kind(opened):
    with opened(cascade, examples=4, findings=1) as one:
        one.campaign().run()
    lines = one.log.path.read_text().splitlines()
    kinds = [LINE.validate_json(line).kind for line in lines]
    assert kinds[0] == "run"
    assert kinds[-1] == "end"
    assert set(kinds) <= {"run", "scenario", "finding", "end"}
