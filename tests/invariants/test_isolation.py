from invariants.isolation import Isolation
from models.expected import Effect
from models.history import Permit
from models.verdict import Outcome
from tests.support.fake_fleet import SHOP, target_of
from tests.support.histories import HistoryOf

TARGET = target_of(*SHOP)


def judge(history):
    return Isolation().judge(history.until(8.0), TARGET)


def crashed():
    return (
        HistoryOf(TARGET)
        .fault(1.0, "crash checkout", Effect.RETURNING, permit=True)
        .exited("checkout", 1.05, 137)
    )


def test_the_targets_own_exit_is_permitted():
    assert judge(crashed()).outcome is Outcome.HOLDS


def test_a_caller_that_exits_is_a_cascade_even_inside_the_blast_radius():
    verdict = judge(crashed().exited("gateway", 1.9))
    assert verdict.outcome is Outcome.VIOLATED
    [violation] = verdict.violations
    assert violation.signature == "isolation:gateway"
    assert violation.summary == "gateway exited with code 1 after harm to checkout"
    assert "path: gateway -> checkout (hard)" in violation.evidence


def test_evidence_names_the_missing_edge():
    [violation] = judge(crashed().exited("db", 1.9)).violations
    assert "missing edge: no declared dependency leads from db to checkout" in violation.evidence
    assert any("depends_on" in way for way in violation.advice)


def test_a_second_exit_after_one_crash_is_not_permitted():
    [violation] = judge(crashed().started("checkout", 1.4).exited("checkout", 1.6)).violations
    assert violation.service == "checkout"
    assert "by itself" in violation.summary


def test_an_exit_that_is_told_again_counts_once():
    assert judge(crashed().exited("checkout", 1.3, 137, returns=False)).outcome is Outcome.HOLDS


def test_each_crash_gives_leave_for_one_exit():
    twice = (
        crashed().fault(3.0, "crash checkout", Effect.RETURNING, permit=True).exited("checkout", 3.05, 137)
    )
    assert judge(twice).outcome is Outcome.HOLDS


def test_an_exit_before_any_fault_tells_nothing():
    verdict = judge(HistoryOf(TARGET).exited("db", 0.5).fault(1.0, "pause checkout", Effect.HUNG))
    assert verdict.outcome is Outcome.UNKNOWN
    assert "db" in verdict.reason


def test_a_later_doubt_does_not_take_a_violation_back():
    early = HistoryOf(TARGET).exited("analytics", 0.5)
    early.fault(1.0, "crash checkout", Effect.RETURNING, permit=True).exited("checkout", 1.05, 137)
    assert [v.service for v in judge(early.exited("gateway", 1.9)).violations] == ["gateway"]


def test_an_exit_while_nobody_could_look_accuses_nobody():
    assert judge(crashed().exited("gateway", 3.0).blind(2.0, 2.8, deaf=True)).outcome is Outcome.UNKNOWN


def test_late_health_probes_hide_no_exit():
    assert judge(crashed().exited("gateway", 3.0).blind(2.0, 4.0)).outcome is Outcome.VIOLATED


def test_nobody_listening_at_the_end_is_no_calm():
    assert judge(crashed().blind(5.0, 8.0, deaf=True)).outcome is Outcome.UNKNOWN


def test_violations_come_in_the_order_of_time():
    verdict = judge(crashed().exited("db", 2.5).exited("gateway", 1.9))
    assert [v.service for v in verdict.violations] == ["gateway", "db"]


def starved():
    """A lack of memory from 1.0 to 4.0."""
    history = HistoryOf(TARGET).fault(1.0, "memory checkout 4mib", Effect.STARVED)
    history._permits.append(Permit("checkout", 1.0, once=False))
    return history


def test_while_a_lack_lasts_its_target_may_exit_again_and_again():
    history = starved().exited("checkout", 1.5).started("checkout", 2.0).exited("checkout", 2.1)
    assert judge(history).outcome is Outcome.HOLDS
    assert judge(history.healed(4.0)).outcome is Outcome.HOLDS


def test_others_may_not():
    assert [v.service for v in judge(starved().exited("gateway", 1.5)).violations] == ["gateway"]


def test_once_the_lack_has_ended_the_target_may_exit_for_a_moment_only():
    assert judge(starved().healed(4.0).exited("checkout", 4.5)).outcome is Outcome.HOLDS
    assert judge(starved().healed(4.0).exited("checkout", 5.5)).outcome is Outcome.VIOLATED


def test_a_later_fault_of_another_kind_gives_no_leave():
    history = starved().healed(4.0).fault(5.5, "cpu checkout 10%", Effect.SLOW)
    assert judge(history.exited("checkout", 6.0)).outcome is Outcome.VIOLATED
