from dataclasses import replace

from invariants.durability import Durability
from models.expected import Effect
from models.load import Endpoint, Fate, Load
from models.verdict import Outcome
from tests.support.fake_fleet import SHOP, target_of
from tests.support.histories import HistoryOf

TARGET = target_of(*SHOP, recovery_s_max=3.0)


def judge(history):
    return Durability().judge(history.until(20.0), TARGET)


def played(*, trouble=""):
    history = HistoryOf(TARGET).sent(-2, 0).fault(2.0, "kill db", Effect.DOWN).healed(4.0)
    return history.sent(0, 5, trouble=trouble).healed(6.0, steady=True).sent(6, 8)


def test_everything_found_holds():
    kept = played().written(-1, Fate.FOUND, 20).written(3, Fate.FOUND, 20).written(7, Fate.FOUND, 20)
    assert judge(kept).outcome is Outcome.HOLDS


def test_one_lost_order_is_one_too_many():
    lost = played().written(1.9, Fate.LOST).written(3, Fate.FOUND, 20).written(7, Fate.FOUND)
    [violation] = judge(lost).violations
    assert violation.signature == "durability:checkout"
    assert "lost 1 of 21 writes" in violation.summary
    assert "+1.90 s  POST /orders acknowledged 1; GET /orders/1: HTTP 404" in violation.evidence


def test_what_was_written_before_the_first_step_may_not_be_lost_either():
    assert judge(played().written(-1, Fate.LOST).written(7, Fate.FOUND)).outcome is Outcome.VIOLATED


def test_if_not_even_new_writes_can_be_read_the_reading_is_at_fault():
    verdict = judge(played().written(1, Fate.LOST, 20).written(7, Fate.LOST, 20))
    assert verdict.outcome is Outcome.UNKNOWN
    assert verdict.exercised


def test_without_any_new_write_nobody_can_tell():
    assert judge(played().written(1, Fate.LOST, 20)).outcome is Outcome.UNKNOWN


def test_what_could_not_be_read_is_neither_lost_nor_kept():
    verdict = judge(played().written(1, Fate.UNREADABLE).written(3, Fate.FOUND, 20).written(7, Fate.FOUND))
    assert verdict.outcome is Outcome.UNKNOWN
    assert verdict.exercised


def test_unreadable_control_writes_do_not_vouch_for_the_reading():
    assert judge(played().written(1, Fate.LOST).written(7, Fate.UNREADABLE)).outcome is Outcome.UNKNOWN


def test_a_loss_is_seen_behind_what_could_not_be_read():
    mixed = played().written(1, Fate.UNREADABLE, 5).written(2, Fate.LOST).written(7, Fate.FOUND)
    assert judge(mixed).outcome is Outcome.VIOLATED


def test_a_new_write_that_is_not_there_yet_is_no_calm():
    late = played().written(1, Fate.FOUND, 20).written(7, Fate.FOUND, 10).written(7.9, Fate.LOST)
    verdict = judge(late)
    assert verdict.outcome is Outcome.UNKNOWN
    assert "1 of 11" in verdict.reason


def test_nothing_written_tested_nothing():
    assert not judge(played()).exercised
    assert not judge(played().written(7, Fate.FOUND, 20)).exercised


def test_without_any_fault_nothing_was_at_risk():
    calm = HistoryOf(TARGET).sent(-2, 0).sent(0, 5).healed(6.0, steady=True).sent(6, 8)
    verdict = judge(calm.written(1, Fate.FOUND, 20).written(7, Fate.FOUND))
    assert verdict.outcome is Outcome.UNKNOWN
    assert not verdict.exercised


def test_a_loss_is_a_loss_however_badly_the_load_kept_its_time():
    late = played(trouble="the engine fell behind").written(7, Fate.FOUND)
    assert judge(late).outcome is Outcome.UNKNOWN
    assert judge(late.written(1, Fate.LOST)).outcome is Outcome.VIOLATED


def test_requests_that_nobody_received_are_not_indeterminate():
    lost = played().written(1, Fate.LOST).written(7, Fate.FOUND)
    lost.answered(1, 2, status=None, error="refused").answered(2, 3, status=None, error="timeout")
    [violation] = judge(lost).violations
    assert any(line.endswith("20 are indeterminate") for line in violation.evidence)


def test_evidence_counts_only_the_load_that_lost_something():
    other = Load("other", (Endpoint("POST /orders", "checkout"),))
    lost = played().sent(0, 5, other).written(1, Fate.LOST).written(7, Fate.FOUND)
    [violation] = judge(lost).violations
    assert any(line.startswith("of 180 writes") for line in violation.evidence)


def test_before_everything_was_read_back_nothing_is_said():
    history = played().written(1, Fate.LOST).written(7, Fate.FOUND).until(20.0)
    assert not Durability().judge(replace(history, whole=False), TARGET).exercised
