from invariants.containment import Containment
from models.expected import Effect
from models.verdict import Outcome
from tests.support.fake_fleet import SHOP, target_of
from tests.support.histories import HistoryOf

TARGET = target_of(*SHOP, detection_grace_s=2.0)


def judge(history, until_s=12.0):
    return Containment().judge(history.until(until_s), TARGET)


def paused(service="analytics"):
    return HistoryOf(TARGET).fault(1.0, f"pause {service}", Effect.HUNG)


def test_the_blast_radius_may_be_unhealthy_for_as_long_as_the_fault_lasts():
    hurt = paused("db").unhealthy("checkout", 1.2, 12).unhealthy("gateway", 1.5, 12)
    assert judge(hurt).outcome is Outcome.HOLDS


def test_a_soft_caller_may_not():
    verdict = judge(paused().unhealthy("checkout", 1.5, 6.0))
    assert verdict.outcome is Outcome.VIOLATED
    [violation] = verdict.violations
    assert violation.signature == "containment:checkout"
    assert "path: checkout -> analytics (soft)" in violation.evidence
    assert any("x-knockon.soft" in way for way in violation.advice)


def test_a_service_without_any_path_names_the_missing_edge():
    [violation] = judge(paused().unhealthy("db", 1.5, 6.0)).violations
    assert any(line.startswith("missing edge") and "db" in line for line in violation.evidence)


def test_shorter_than_the_grace_is_no_cascade():
    assert judge(paused().unhealthy("checkout", 1.5, 3.4)).outcome is Outcome.HOLDS


def test_a_single_slow_probe_proves_no_more_than_its_own_length():
    assert judge(paused().unhealthy("checkout", 3.0, 3.1)).outcome is Outcome.HOLDS


def test_what_the_fuzzer_missed_itself_does_not_count():
    verdict = judge(paused().unhealthy("checkout", 1.5, 4.0).blind(2.0, 3.0))
    assert verdict.outcome is Outcome.UNKNOWN
    assert judge(paused().unhealthy("checkout", 1.5, 6.0).blind(2.0, 3.0)).outcome is Outcome.VIOLATED


def test_unhealthy_without_any_fault_tells_nothing():
    assert judge(HistoryOf(TARGET).unhealthy("db", 1.0, 6.0)).outcome is Outcome.UNKNOWN


def test_after_the_recovery_limit_it_is_recoverys_business():
    hurt = HistoryOf(target_of(*SHOP, recovery_s_max=2.0)).fault(1.0, "crash db", Effect.RETURNING)
    assert Containment().judge(hurt.unhealthy("checkout", 1.2, 12).until(12), TARGET).outcome is Outcome.HOLDS


def test_harm_that_began_before_its_excuse_counts_until_then():
    hurt = paused().unhealthy("checkout", 1.5, 9.0).fault(6.0, "pause db", Effect.HUNG)
    assert judge(hurt).outcome is Outcome.VIOLATED
