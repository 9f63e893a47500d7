import pytest

from invariants.latency import Latency
from models.expected import Effect
from models.verdict import Outcome
from tests.support.fake_fleet import SHOP, target_of
from tests.support.histories import HistoryOf

TARGET = target_of(*SHOP, recovery_s_max=3.0)


def judge(history, target=TARGET):
    return Latency().judge(history.until(30.0), target)


def played(*, baseline=True):
    history = HistoryOf(TARGET)
    if baseline:
        history.sent(-2, 0)
    history.fault(1.0, "crash analytics", Effect.RETURNING)
    return history.sent(0, 5).healed(6.0, steady=True).sent(6, 8)


def slow(latency_ms, since_s=2.0, until_s=8.0, **played_how):
    return played(**played_how).answered(since_s, until_s, latency_ms=latency_ms)


def test_an_endpoint_that_became_slow():
    [violation] = judge(slow(900.0)).violations
    assert violation.signature == "latency:checkout"
    assert "p95 900 ms; allowed 200 ms" in violation.summary
    assert any("p95 before: 20 ms" in line for line in violation.evidence)


def test_prompt_answers_hold():
    assert judge(played()).outcome is Outcome.HOLDS


@pytest.mark.parametrize("latency_ms", [120.0, 199.0])
def test_a_machine_that_hesitates_is_not_slow(latency_ms):
    assert judge(slow(latency_ms)).outcome is Outcome.HOLDS


def test_without_a_baseline_the_limit_alone_counts():
    assert judge(slow(450.0, baseline=False)).outcome is Outcome.HOLDS
    assert judge(slow(550.0, baseline=False)).outcome is Outcome.VIOLATED


def test_a_few_slow_answers_are_allowed():
    assert judge(slow(900.0, 2.0, 2.3)).outcome is Outcome.HOLDS


def test_slow_failures_are_not_slow_answers():
    assert judge(played().hung(2, 5)).outcome is Outcome.HOLDS


def test_an_endpoint_that_gave_no_good_answer_was_not_prompt():
    verdict = judge(played().failed(0, 20))
    assert verdict.outcome is Outcome.UNKNOWN
    assert not verdict.exercised


def test_what_was_as_slow_before_any_fault_is_not_the_faults_doing():
    verdict = judge(slow(600.0, -2.0))
    assert verdict.outcome is Outcome.UNKNOWN
    assert verdict.exercised


def test_what_a_fault_excuses_does_not_count():
    history = HistoryOf(TARGET).sent(-2, 0).fault(1.0, "crash db", Effect.RETURNING).sent(0, 8)
    history.healed(9.0, steady=True).answered(1.0, 4.0, latency_ms=2000.0)
    assert judge(history).outcome is Outcome.HOLDS


def burst(*, latency_ms, after_ms=20.0):
    """Five times a second's requests at once; the last waits for the first ones."""
    history = HistoryOf(TARGET).sent(-2, 0).fault(1.0, "crash analytics", Effect.RETURNING)
    for second in range(5):
        history.sent(second, second + 0.05, rate_rps=400.0)
    history.healed(6.0, steady=True).sent(6, 8)
    return history.answered(0, 5, latency_ms=latency_ms).answered(6, 8, latency_ms=after_ms)


def test_requests_that_queue_because_they_came_at_once_are_not_slow():
    assert judge(burst(latency_ms=400.0)).outcome is Outcome.HOLDS


def test_the_limit_itself_holds_in_a_burst_too():
    assert judge(burst(latency_ms=600.0)).outcome is Outcome.VIOLATED


def test_what_is_slow_after_a_burst_is_slow():
    [violation] = judge(burst(latency_ms=20.0, after_ms=400.0)).violations
    assert violation.at_s == 6.0


def test_steady_requests_are_compared_with_steady_ones():
    assert judge(slow(400.0, 2.0, 5.0)).outcome is Outcome.VIOLATED


def test_a_slow_endpoint_may_promise_to_be_slow():
    patient = target_of(*SHOP, latency_p95_ms_max=3000.0)
    assert judge(slow(700.0, -2.0), patient).outcome is Outcome.HOLDS
