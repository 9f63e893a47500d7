from dataclasses import replace

import pytest

from invariants.availability import Availability
from models.expected import Effect
from models.load import Endpoint, Load
from models.verdict import Outcome
from tests.support.fake_fleet import SHOP, target_of
from tests.support.histories import ORDER, ORDERS, HistoryOf

TARGET = target_of(*SHOP, recovery_s_max=3.0)


def judge(history, until_s=20.0):
    return Availability().judge(history.until(until_s), TARGET)


def played(step="pause analytics", effect=Effect.HUNG, load=ORDERS):
    """Harmed from 2 to 6, loaded from 0 to 10, healed and loaded again from 12 to 14."""
    history = HistoryOf(TARGET).sent(-2, 0, load).fault(2.0, step, effect)
    return history.healed(6.0).sent(0, 10, load).healed(11.0, steady=True).sent(12, 14, load)


def test_a_soft_dependency_excuses_nothing():
    verdict = judge(played().failed(3, 4))
    assert verdict.outcome is Outcome.VIOLATED
    [violation] = verdict.violations
    assert violation.signature == "availability:checkout"
    assert violation.at_s == 3.0
    assert "90.0%" not in violation.summary
    assert "91.7% of POST /orders" in violation.summary
    assert "20 of 240 requests failed: HTTP 503 20" in violation.evidence
    assert "path: checkout -> analytics (soft)" in violation.evidence


def test_a_hard_dependency_excuses_it_while_it_is_harmed_and_for_its_time_to_recover():
    assert judge(played("pause db").failed(2, 9)).outcome is Outcome.HOLDS


def test_after_the_time_to_recover_it_is_not_excused_any_more():
    assert judge(played("pause db").failed(9.01, 10)).outcome is Outcome.VIOLATED


def test_the_entrys_own_harm_excuses_it():
    assert judge(played("kill checkout", Effect.DOWN).failed(2, 9)).outcome is Outcome.HOLDS


def test_a_caller_of_the_entry_does_not_excuse_it():
    assert judge(played("kill gateway", Effect.DOWN).failed(2, 6)).outcome is Outcome.VIOLATED


def test_requests_that_the_kill_met_under_way_are_excused():
    met = played("kill db", Effect.DOWN)
    met.answered(1.5, 2.0, status=None, error="reset", latency_ms=600.0)
    assert judge(met).outcome is Outcome.HOLDS


def test_requests_that_ended_before_the_kill_are_not():
    early = played("kill db", Effect.DOWN).failed(0.5, 1.9)
    assert judge(early).outcome is Outcome.VIOLATED


def test_a_timeout_that_ends_long_after_the_fault_is_excused_by_its_beginning():
    assert judge(played("pause db").hung(5, 9, seconds=8)).outcome is Outcome.HOLDS


def test_a_fault_that_lasts_excuses_without_end():
    lasting = HistoryOf(TARGET).sent(-2, 0).fault(1.0, "pause db", Effect.HUNG).sent(0, 10).failed(1, 10)
    history = replace(lasting.until(60), whole=True)
    assert Availability().judge(history, TARGET).outcome is not Outcome.VIOLATED


def test_each_of_several_faults_excuses_its_own_time():
    twice = HistoryOf(TARGET).sent(-2, 0).fault(1.0, "crash db", Effect.RETURNING)
    twice.fault(6.0, "crash checkout", Effect.RETURNING).sent(0, 12).healed(12.0, steady=True)
    assert judge(twice.failed(1, 4).failed(6, 9)).outcome is Outcome.HOLDS
    assert judge(twice.failed(4.5, 5.5)).outcome is Outcome.VIOLATED


def test_what_the_target_says_is_needed_counts_and_not_the_graph():
    alone = Load("home", (replace(ORDER, needs=()),))
    assert judge(played("pause db", load=alone).failed(3, 4)).outcome is Outcome.VIOLATED
    more = Load("home", (replace(ORDER, needs=("analytics",)),))
    assert judge(played("pause analytics", load=more).failed(3, 4)).outcome is Outcome.HOLDS
    through = Load("home", (Endpoint("GET /", "gateway", needs=("checkout",)),))
    assert judge(played("pause db", load=through).failed(3, 4)).outcome is Outcome.HOLDS


def test_one_endpoint_that_fails_is_not_hidden_by_another():
    both = Load("both", (ORDER, Endpoint("GET /", "gateway")))
    [violation] = judge(played(load=both).failed(3, 4, endpoint="GET /")).violations
    assert violation.signature == "availability:gateway"


def test_two_stray_failures_are_no_broken_promise():
    assert judge(played().failed(3, 3.1)).outcome is Outcome.HOLDS


def test_what_was_sent_late_or_not_at_all_accuses_nobody():
    assert judge(played().answered(3, 4, status=503, lag_ms=60.0)).outcome is Outcome.HOLDS
    unsent = played().answered(3, 4, status=None, error="unsent", lag_ms=10.0)
    assert judge(unsent).outcome is Outcome.HOLDS


def test_what_was_under_way_while_the_fuzzer_did_not_look_accuses_nobody():
    assert judge(played().failed(3, 4).blind(3.9, 4.0)).outcome is Outcome.VIOLATED
    assert judge(played().failed(3, 4).blind(2.9, 4.1)).outcome is Outcome.HOLDS


def test_a_fleet_that_fails_as_often_without_any_fault_is_not_accused():
    history = played()
    for at_s in range(-20, 100, 5):
        history.failed(at_s / 10, at_s / 10 + 0.01)
    verdict = judge(history)
    assert verdict.outcome is Outcome.UNKNOWN
    assert verdict.exercised
    assert "POST /orders" in verdict.reason


def test_it_is_accused_if_it_got_worse():
    assert judge(played().failed(-1, -0.95).failed(3, 5)).outcome is Outcome.VIOLATED


def test_an_answer_that_blames_the_client_accuses_nobody_and_praises_nobody():
    sold_out = played().answered(0, 20, status=409)
    verdict = judge(sold_out)
    assert verdict.outcome is Outcome.UNKNOWN
    assert not verdict.exercised


def test_an_answer_that_blamed_the_client_before_is_as_good_as_before():
    assert judge(played().answered(-2, 20, status=404)).outcome is Outcome.HOLDS


def test_a_load_that_was_excused_all_the_time_tested_nothing():
    history = HistoryOf(TARGET).sent(-2, 0).fault(0.0, "kill db", Effect.DOWN).sent(0, 5)
    verdict = judge(history.healed(6.0, steady=True).sent(6, 8))
    assert verdict.outcome is Outcome.UNKNOWN
    assert not verdict.exercised


@pytest.mark.parametrize(("count", "outcome"), [(19, Outcome.UNKNOWN), (20, Outcome.HOLDS)])
def test_a_few_good_answers_tell_nothing(count, outcome):
    history = HistoryOf(TARGET).sent(-2, 0).fault(0.5, "pause analytics", Effect.HUNG)
    history.sent(1, 1 + count / 20).healed(6.0, steady=True)
    assert judge(history).outcome is outcome
