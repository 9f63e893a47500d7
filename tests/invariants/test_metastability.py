from dataclasses import replace

import pytest

from invariants.metastability import Metastability, served_as_before
from models.expected import Effect
from models.verdict import Outcome
from tests.support.fake_fleet import SHOP, target_of
from tests.support.histories import HistoryOf

TARGET = target_of(*SHOP, recovery_s_max=5.0)


def judge(history):
    return Metastability().judge(history.until(40.0), TARGET)


def played(*after_s, step="pause db"):
    """Harmed from 1 to 3, so excused until 8; steady at 4; then loaded for two seconds from each moment."""
    history = HistoryOf(TARGET).sent(-2, 0).fault(1.0, step, Effect.HUNG).healed(3.0).sent(0, 3)
    history.healed(4.0, steady=True)
    for since_s in after_s:
        history.sent(since_s, since_s + 2)
    return history


def test_served_as_before_holds_at_once():
    history = played(4)
    assert judge(history).outcome is Outcome.HOLDS
    assert served_as_before(history.until(7.0), TARGET)


def test_half_of_it_still_fails_when_the_time_to_recover_is_over():
    history = played(4, 6, 8.1).failed(4, 5).failed(6, 7).failed(8, 9)
    [violation] = judge(history).violations
    assert violation.signature == "metastability:checkout"
    assert "18 of 40 requests fail: HTTP 503 18" in violation.summary


def test_still_as_slow():
    [violation] = judge(played(8.1).answered(8, 11, latency_ms=900.0)).violations
    assert "p95 is 900 ms, and was 20 ms" in violation.summary


def test_what_recovers_within_its_time_holds():
    recovering = played(4, 6).failed(4, 6)
    assert not served_as_before(played(4).failed(4, 6).until(6.0), TARGET)
    assert served_as_before(recovering.until(8.0), TARGET)
    assert judge(recovering).outcome is Outcome.HOLDS


@pytest.mark.parametrize("began_s", [4.0, 7.9])
def test_a_last_look_within_the_time_to_recover_neither_accuses_nor_calms(began_s):
    verdict = judge(played(began_s).failed(4, 12))
    assert verdict.outcome is Outcome.UNKNOWN
    assert verdict.exercised


def test_the_longest_time_to_recover_counts():
    later = played(9)
    later.expected = later.expected.at(4.5).harmed(["analytics"], Effect.RETURNING)
    later.expected = later.expected.relieved(["analytics"], Effect.RETURNING)
    assert judge(later.failed(9, 11)).outcome is Outcome.UNKNOWN


def test_only_the_last_look_counts_and_all_of_it():
    """An engine sends its first request a moment before it is recorded to have begun."""
    history = played(4).failed(4, 6).sent(8.1, 9.1).until(40.0)
    *loads, last = history.loads
    history = replace(history, loads=(*loads, replace(last, began_s=8.11)))
    verdict = Metastability().judge(history, TARGET)
    assert (verdict.outcome, verdict.exercised) == (Outcome.HOLDS, True)  # 20 of 20, and none of the 40


def test_a_load_that_failed_as_often_before_is_served_as_before():
    history = played(8.1)
    for tenth in [*range(-20, 0, 2), *range(81, 101, 2)]:
        history.failed(tenth / 10, tenth / 10 + 0.01)
    assert judge(history).outcome is Outcome.HOLDS


def test_too_few_requests_compare_nothing():
    few = HistoryOf(TARGET).sent(-0.9, 0).fault(1.0, "pause db", Effect.HUNG).healed(3.0)
    verdict = judge(few.healed(4.0, steady=True).sent(9, 11).failed(9, 11))
    assert verdict.outcome is Outcome.UNKNOWN
    assert not verdict.exercised


def test_what_the_engine_sent_late_compares_nothing():
    assert not judge(played(8.1).answered(8, 11, status=503, lag_ms=80.0)).exercised


def test_blindness_compares_nothing():
    assert not judge(played(8.1).failed(8, 11).blind(8.0, 10.2)).exercised


def test_without_any_fault_there_was_nothing_to_return_from():
    calm = HistoryOf(TARGET).sent(-2, 0).sent(0, 3).healed(4.0, steady=True).sent(4, 6)
    assert not judge(calm).exercised


def test_a_load_alone_may_leave_a_fleet_in_trouble():
    overloaded = HistoryOf(TARGET).sent(-2, 0).sent(0, 3).healed(4.0, steady=True).sent(4, 6)
    assert judge(overloaded.failed(4, 6)).outcome is Outcome.VIOLATED


def test_answers_that_blame_the_client_as_none_did_before_tell_nothing():
    assert not judge(played(8.1).answered(8, 11, status=404)).exercised


def test_where_no_load_was_sent_after_healing_nothing_was_compared():
    assert not judge(played()).exercised
