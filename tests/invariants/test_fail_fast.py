from invariants.fail_fast import FailFast
from models.expected import Effect
from models.load import Endpoint, Load
from models.verdict import Outcome
from tests.support.fake_fleet import SHOP, target_of
from tests.support.histories import ORDERS, HistoryOf

TARGET = target_of(*SHOP, recovery_s_max=3.0, answer_s_max=3.0)


def judge(history):
    return FailFast().judge(history.until(40.0), TARGET)


def played(step="pause db", effect=Effect.HUNG, load=ORDERS):
    history = HistoryOf(TARGET).sent(-2, 0, load).fault(1.0, step, effect).sent(0, 6, load)
    return history.healed(8.0).healed(12.0, steady=True).sent(12, 14, load)


def test_inside_the_blast_radius_an_error_is_enough():
    assert judge(played().failed(1, 8)).outcome is Outcome.HOLDS


def test_inside_the_blast_radius_too_nobody_may_wait_for_ever():
    [violation] = judge(played().hung(1, 6)).violations
    assert violation.signature == "fail_fast:checkout"
    assert "up to 5.0 s; expected an answer or an error within 3 s" in violation.summary


def test_an_answer_that_comes_too_late_was_waited_for_as_well():
    assert judge(played().answered(1, 6, latency_ms=4000.0)).outcome is Outcome.VIOLATED


def test_a_service_that_is_paused_itself_may_hang():
    assert judge(played("pause checkout").hung(0.5, 8)).outcome is not Outcome.VIOLATED


def test_a_service_that_was_restarted_has_its_time_to_recover():
    restarted = played("restart checkout", Effect.RETURNING)
    assert judge(restarted.hung(0.9, 4.0)).outcome is not Outcome.VIOLATED
    assert judge(restarted.hung(4.3, 6)).outcome is Outcome.VIOLATED


def test_a_client_that_gave_up_sooner_than_the_service_had_to_answer_tells_nothing():
    hasty = HistoryOf(TARGET).fault(0.0, "pause db", Effect.HUNG).sent(0, 6).hung(0, 6, seconds=2)
    verdict = judge(hasty.healed(8.0, steady=True))
    assert verdict.outcome is Outcome.UNKNOWN
    assert not verdict.exercised


def test_an_endpoint_that_always_takes_so_long_is_not_accused():
    verdict = judge(played().answered(-2, 20, latency_ms=4000.0))
    assert verdict.outcome is Outcome.UNKNOWN
    assert verdict.exercised


def test_before_any_fault_nothing_is_tested():
    calm = HistoryOf(TARGET).sent(-2, 0).sent(0, 5).hung(1, 2).healed(6.0, steady=True)
    assert not judge(calm).exercised


def test_requests_that_a_fault_found_under_way_count():
    assert judge(played().hung(0, 0.95)).outcome is Outcome.VIOLATED


def test_those_that_were_over_by_then_do_not():
    over = HistoryOf(TARGET).sent(-2, 0).sent(0, 1).fault(9.0, "pause db", Effect.HUNG).sent(9, 12)
    assert judge(over.hung(0, 1, seconds=4).healed(13.0, steady=True)).outcome is Outcome.HOLDS


def test_what_the_engine_did_not_send_accuses_nobody():
    assert (
        judge(played().answered(2, 6, status=None, error="unsent", latency_ms=9000.0)).outcome
        is Outcome.HOLDS
    )


def test_only_the_harmed_entry_may_hang_and_not_its_callers():
    through = Load("home", (Endpoint("GET /", "gateway"),))
    [violation] = judge(played("pause checkout", load=through).hung(2, 6)).violations
    assert violation.service == "gateway"
