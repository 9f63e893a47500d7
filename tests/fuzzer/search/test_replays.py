from dataclasses import replace

import pytest

from fuzzer.events import Played
from fuzzer.search.replays import OutOfTime, Replays
from models.scenario import Scenario
from models.verdict import Outcome, Verdict, Violation

SCENARIO = Scenario.parse("crash a")
KEPT = (Verdict("isolation", Outcome.HOLDS),)
SHOWN = Played(SCENARIO, Outcome.VIOLATED, violations=(Violation("isolation", "b", 0.0, "b exited"),))
OTHER = Played(SCENARIO, Outcome.VIOLATED, KEPT, (Violation("recovery", "c", 0.0, "c is away"),))
HELD = Played(SCENARIO, Outcome.HOLDS, KEPT)
UNKNOWN = Played(SCENARIO, Outcome.UNKNOWN, reason="the engine vanished")


def replays(*results, known=(0, 0)):
    stream = iter(results)
    return Replays(lambda scenario, stop_at: next(stream), "isolation:b", lambda: True, known)


def test_one_showing_is_enough():
    some = replays(HELD, SHOWN, known=(1, 3))
    assert some.shows(SCENARIO)
    assert some.counts(SCENARIO) == (1, 2)


def test_another_signature_is_not_the_same_finding():
    assert not replays(*[OTHER] * 9, known=(5, 5)).shows(SCENARIO)


@pytest.mark.parametrize(("known", "patience"), [((5, 5), 2), ((3, 3), 3), ((3, 5), 5), ((1, 5), 12)])
def test_a_flaky_violation_gets_more_replays_before_a_scenario_counts_as_holding(known, patience):
    some = replays(*[HELD] * 12, known=known)
    assert some.holds(SCENARIO) is True
    assert some.executions == patience


def test_unknown_is_no_evidence_and_not_repeated_for_ever():
    some = replays(*[UNKNOWN] * 9)
    assert some.holds(SCENARIO) is None
    assert some.last_reason == "the engine vanished"
    assert some.executions <= 4


def test_what_was_not_played_to_its_end_holds_nothing():
    cut_short = replace(OTHER, complete=False)
    assert replays(*[cut_short] * 9).holds(SCENARIO) is None


def test_a_promise_that_was_not_judged_is_not_kept():
    steady = Replays(lambda scenario, stop_at: HELD, "steady_state:b", lambda: True)
    assert steady.holds(SCENARIO) is None


def test_what_is_known_is_not_played_again():
    some = replays(SHOWN)
    assert some.shows(SCENARIO)
    assert some.shows(SCENARIO)
    assert some.executions == 1


def test_confirming_sets_the_rate():
    some = replays(SHOWN, HELD, SHOWN)
    assert some.confirm(SCENARIO, 3) == (2, 3)
    assert some.known == (2, 3)


def test_no_execution_after_the_time_is_over():
    with pytest.raises(OutOfTime):
        Replays(lambda scenario, stop_at: HELD, "isolation:b", lambda: False).shows(SCENARIO)


def test_the_proof_has_time_of_its_own():
    some = Replays(lambda scenario, stop_at: HELD, "isolation:b", lambda: some.proving)
    with pytest.raises(OutOfTime):
        some.holds(SCENARIO)
    some.proving = True
    assert some.holds(SCENARIO)


UNTESTED = Played(SCENARIO, Outcome.HOLDS, (Verdict.unexercised("isolation", "no load was sent"),))


def test_a_cut_that_no_longer_tests_the_promise_holds():
    some = Replays(
        lambda scenario, stop_at: UNTESTED, "isolation:b", lambda: True, (3, 3), untested_holds=True
    )
    assert some.holds(SCENARIO) is True


def test_a_guard_that_no_longer_tests_the_promise_says_nothing_and_why():
    some = replays(*[UNTESTED] * 9)
    assert some.holds(SCENARIO) is None
    assert some.last_reason == "no load was sent"
