"""Which aspects of resilience a run showed, and which it says nothing about."""

from __future__ import annotations

from fuzzer.reports.scorecard import ASPECTS, HEALTH, Grade, scorecard
from fuzzer.runs.lines import LoggedFault, LoggedService, LoggedStretch, LoggedVerdict
from invariants.catalogue import INVARIANTS
from models.expected import Effect
from models.verdict import Outcome
from tests.support.logged import BROKEN, beats, end_of, finding_of, head_of, run_of, scenario_of, story_of

HOLDS, VIOLATED, UNKNOWN = Outcome


def grades(run):
    return {row.aspect: row.grade for row in scorecard(run).rows}


def row(run, aspect):
    return next(one for one in scorecard(run).rows if one.aspect == aspect)


def held(*invariants, **changes):
    verdicts = tuple(LoggedVerdict(invariant=name, outcome=HOLDS) for name in invariants)
    return scenario_of(HOLDS, verdicts=verdicts, **changes)


def test_every_promise_belongs_to_one_aspect():
    assert sorted(name for promises in ASPECTS.values() for name in promises) == sorted(
        invariant.name for invariant in INVARIANTS
    )


def test_what_broke_fails_what_was_tested_passes_and_the_rest_is_not_exercised():
    run = run_of(held("recovery", "containment"), scenario_of())
    assert grades(run) | {HEALTH: ""} == {
        "service isolation": Grade.FAIL,
        "cascade prevention": Grade.PASS,
        "auto recovery": Grade.PASS,
        "circuit breaking": Grade.NOT_EXERCISED,
        "graceful degradation": Grade.NOT_EXERCISED,
        "service to clients": Grade.NOT_EXERCISED,
        "durability": Grade.NOT_EXERCISED,
        HEALTH: "",
    }


def test_an_unknown_verdict_exercises_nothing():
    assert grades(run_of(scenario_of(UNKNOWN)))["service isolation"] is Grade.NOT_EXERCISED


def test_a_failure_tells_the_smallest_scenario_the_criticality_and_what_to_do():
    services = tuple(
        LoggedService(name=name, criticality=word, health="GET /")
        for name, word in (("gateway", "critical"), ("db", "low"))
    )
    run = run_of(
        scenario_of(purpose="search", scenario="pause analytics; kill db"),
        findings=[finding_of(also=(BROKEN.model_copy(update={"service": "db"}),))],
        head=head_of(services=("gateway",)).model_copy(update={"services": services}),
    )
    found = row(run, "service isolation")
    assert found.shown_by == ("kill db", "pause analytics; kill db")
    assert found.criticality == "critical"
    assert found.advice == BROKEN.advice


def test_scenarios_that_were_only_played_to_make_another_small_do_not_count():
    run = run_of(held("recovery", purpose="shrink"))
    assert grades(run)["auto recovery"] is Grade.NOT_EXERCISED


def test_a_simulation_that_logs_no_verdicts_counts_by_its_summary():
    run = run_of(scenario_of(HOLDS, purpose="search", verdicts=()), end=end_of(held={"durability": 12}))
    assert row(run, "durability").shown_by == ("12 scenarios",)


def test_whoever_only_runs_is_not_watched():
    services = (LoggedService(name="a", health="runs"), LoggedService(name="b", health="GET /health"))
    head = head_of(services=("a",)).model_copy(update={"services": services})
    found = row(run_of(head=head), HEALTH)
    assert (found.grade, found.shown_by) == (Grade.FAIL, ("no health of a",))
    assert found.advice == ("fix: give a a healthcheck, or x-knockon.health",)
    watched = head.model_copy(update={"services": services[1:]})
    assert row(run_of(head=watched), HEALTH).grade is Grade.PASS


def test_recovery_counts_from_when_nothing_held_the_service_down():
    lanes = {
        "db": (
            LoggedStretch(state="down", since_s=0.0, until_s=6.0),
            LoggedStretch(state="degraded", since_s=6.0, until_s=7.5),
            LoggedStretch(state="up", since_s=7.5, until_s=9.0),
        ),
        "gateway": (
            LoggedStretch(state="degraded", since_s=1.0, until_s=3.0),
            LoggedStretch(state="up", since_s=3.0, until_s=9.0),
        ),
        "gone": (LoggedStretch(state="down", since_s=0.0, until_s=9.0),),
    }
    faults = (LoggedFault(on="db", effect=Effect.DOWN, since_s=0.0, ended_s=6.0),)
    run = run_of(scenario_of(HOLDS, story=story_of("db", lanes=lanes, faults=faults, loads={})))
    (figure,) = scorecard(run).figures
    assert (figure.name, figure.value, figure.limit) == ("slowest recovery", 2.0, 30.0)


def test_requests_count_from_the_first_fault_on():
    story = story_of("db", lanes={}, loads={"browse": beats(10, good=3, sent=4)})
    (figure,) = scorecard(run_of(scenario_of(HOLDS, story=story))).figures
    assert (figure.value, figure.unit) == (75.0, "%")
