import pytest

from invariants.graceful_degradation import GracefulDegradation
from models.expected import Effect
from models.load import Endpoint, Load
from models.verdict import Outcome
from tests.support.fake_fleet import SHOP, target_of
from tests.support.histories import ORDERS, HistoryOf

TARGET = target_of(*SHOP, recovery_s_max=3.0)


def judge(history):
    return GracefulDegradation().judge(history.until(30.0), TARGET)


def played(step="pause analytics", load=ORDERS):
    history = HistoryOf(TARGET).sent(-2, 0, load).fault(1.0, step, Effect.HUNG).healed(4.0)
    return history.sent(0, 10, load).healed(11.0, steady=True).sent(11, 13, load)


def test_served_as_well_without_it_holds():
    assert judge(played()).outcome is Outcome.HOLDS


def test_orders_that_fail_with_what_they_do_not_need():
    [violation] = judge(played().failed(2, 3)).violations
    assert violation.signature == "graceful_degradation:checkout"
    assert "POST /orders without analytics" in violation.summary


def test_orders_that_wait_for_what_they_do_not_need():
    [violation] = judge(played().answered(2, 3.5, latency_ms=1000.0)).violations
    assert any("answers took longer than 500 ms" in line for line in violation.evidence)


def test_it_is_soft_also_behind_a_hard_dependency():
    through = Load("home", (Endpoint("GET /", "gateway"),))
    assert judge(played(load=through).failed(2, 3)).violations[0].service == "gateway"


@pytest.mark.parametrize("step", ["pause db", "pause checkout", "pause gateway"])
def test_where_nothing_soft_was_harmed_nothing_was_tested(step):
    verdict = judge(played(step).failed(2, 3))
    assert verdict.outcome is Outcome.UNKNOWN
    assert not verdict.exercised


def test_without_any_fault_nothing_was_tested():
    calm = HistoryOf(TARGET).sent(-2, 0).sent(0, 5).healed(6.0, steady=True)
    assert not judge(calm).exercised


def test_a_hard_dependency_that_is_harmed_at_the_same_time_excuses_it():
    both = HistoryOf(TARGET).sent(-2, 0).fault(1.0, "pause analytics", Effect.HUNG)
    both.fault(2.0, "pause db", Effect.HUNG).healed(4.0).sent(0, 8).healed(9.0, steady=True)
    assert judge(both.failed(2, 7)).outcome is not Outcome.VIOLATED
    [violation] = judge(both.failed(1.1, 1.9)).violations
    assert "without analytics, which it can do without" in violation.summary


@pytest.mark.parametrize("since_s", [0.1, 7.2, 11.0])
def test_what_fails_before_long_after_or_once_all_is_steady_is_not_for_lack_of_it(since_s):
    assert judge(played().failed(since_s, since_s + 0.8)).outcome is Outcome.HOLDS


def test_once_all_is_steady_it_is_for_other_promises():
    quick = HistoryOf(TARGET).sent(-2, 0).fault(1.0, "pause analytics", Effect.HUNG).sent(0, 3)
    quick.healed(4.0, steady=True).sent(4, 6).failed(4, 6)
    assert judge(quick).outcome is Outcome.HOLDS


def test_a_long_load_around_a_short_outage_does_not_dilute_it():
    long = HistoryOf(TARGET).sent(-2, 0).fault(1.0, "pause analytics", Effect.HUNG).healed(4.0)
    long.sent(0, 120).healed(121.0, steady=True).answered(1, 4, latency_ms=900.0)
    assert GracefulDegradation().judge(long.until(125.0), TARGET).outcome is Outcome.VIOLATED


def test_what_was_as_slow_with_it_is_not_accused():
    verdict = judge(played().answered(-2, 20, latency_ms=800.0))
    assert verdict.outcome is Outcome.UNKNOWN
    assert verdict.exercised


def test_what_failed_as_often_with_it_is_not_accused():
    history = played()
    for tenth in range(-20, 100, 2):
        history.failed(tenth / 10, tenth / 10 + 0.01)
    assert judge(history).outcome is Outcome.UNKNOWN
