from invariants.recovery import Recovery
from models.expected import Effect
from models.target import Restart
from models.verdict import Outcome
from tests.support.fake_fleet import SHOP, target_of
from tests.support.histories import HistoryOf

TARGET = target_of(*SHOP, recovery_s_max=5.0, restart=Restart.NO)


def judge(history, until_s):
    return Recovery().judge(history.until(until_s), TARGET)


def test_back_in_time_holds():
    crashed = HistoryOf(TARGET).fault(1.0, "crash db", Effect.RETURNING, permit=True)
    assert (
        judge(crashed.unhealthy("db", 1.0, 4.0).unhealthy("checkout", 1.1, 5.9), 12).outcome is Outcome.HOLDS
    )


def test_what_nothing_can_bring_back_is_violated_at_once():
    crashed = HistoryOf(TARGET).fault(1.0, "crash db", Effect.RETURNING, permit=True)
    verdict = judge(crashed.exited("db", 1.05, 137, returns=False).unhealthy("db", 1.1, 9), 1.5)
    assert verdict.outcome is Outcome.VIOLATED
    assert "restart policy is no" in verdict.violations[0].summary


def test_a_service_that_was_killed_on_purpose_waits_for_its_start():
    killed = (
        HistoryOf(TARGET)
        .fault(1.0, "kill db", Effect.DOWN, permit=True)
        .exited("db", 1.05, 137, returns=False)
    )
    assert judge(killed, 3.0).outcome is Outcome.HOLDS
    assert judge(killed.healed(4.0), 4.2).outcome is Outcome.HOLDS


def test_a_dependent_that_does_not_come_back_is_overdue_after_the_limit():
    healed = HistoryOf(TARGET).fault(1.0, "pause db", Effect.HUNG).healed(3.0).unhealthy("checkout", 1.2, 99)
    assert judge(healed, 8.5).outcome is Outcome.HOLDS
    verdict = judge(healed, 10.0)
    assert verdict.outcome is Outcome.VIOLATED
    assert verdict.violations[0].signature == "recovery:checkout"


def test_a_late_return_is_still_a_violation():
    healed = HistoryOf(TARGET).fault(1.0, "pause db", Effect.HUNG).healed(3.0).unhealthy("checkout", 1.2, 11)
    assert judge(healed, 14.0).outcome is Outcome.VIOLATED


def test_lasting_harm_excuses_without_end():
    assert (
        judge(HistoryOf(TARGET).fault(1.0, "pause db", Effect.HUNG).unhealthy("db", 1, 99), 60).outcome
        is Outcome.HOLDS
    )


def test_blindness_is_no_evidence():
    healed = HistoryOf(TARGET).fault(1.0, "pause db", Effect.HUNG).healed(3.0).unhealthy("checkout", 1.2, 10)
    assert judge(healed.blind(8.0, 9.5), 11).outcome is Outcome.UNKNOWN


def test_a_wait_that_nobody_could_follow_is_no_evidence_either():
    healed = HistoryOf(TARGET).fault(1.0, "pause db", Effect.HUNG).healed(3.0).unhealthy("checkout", 1.2, 10)
    assert judge(healed.blind(4.0, 7.0), 11).outcome is Outcome.UNKNOWN
