import pytest

from invariants.restart_storm import RestartStorm
from models.expected import Effect
from models.observation import Change, ProcessChange
from models.verdict import Outcome
from tests.support.fake_fleet import SHOP, target_of
from tests.support.histories import HistoryOf

TARGET = target_of(*SHOP, recovery_s_max=5.0, restarts_per_min_max=5)


def judge(history, until_s=300.0):
    return RestartStorm().judge(history.until(until_s), TARGET)


def stopped():
    return HistoryOf(TARGET).fault(1.0, "stop db", Effect.DOWN)


def restarting(history, service, *starts_s):
    for at_s in starts_s:
        history.exited(service, at_s - 0.1).started(service, at_s)
    return history


def test_again_and_again():
    [violation] = judge(restarting(stopped(), "checkout", 2, 3, 5, 9, 17, 33)).violations
    assert violation.signature == "restart_storm:checkout"
    assert violation.summary == "checkout restarted 6 times in 31 s by itself"
    assert "path: checkout -> db (hard)" in violation.evidence


def test_as_often_as_is_allowed():
    assert judge(restarting(stopped(), "checkout", 2, 3, 5, 9, 17)).outcome is Outcome.HOLDS


def test_seldom_enough():
    assert judge(restarting(stopped(), "checkout", *range(2, 150, 13))).outcome is Outcome.HOLDS


@pytest.mark.parametrize(
    ("step", "effect"),
    [("crash db", Effect.RETURNING), ("restart db", Effect.RETURNING), ("kill db", Effect.DOWN)],
)
def test_each_fault_on_a_service_excuses_the_start_that_it_makes_needed(step, effect):
    history = HistoryOf(TARGET)
    for at_s in range(1, 50, 6):
        history.fault(float(at_s), step, effect).exited("db", at_s + 0.0, returns=True)
        history.expected = history.expected.at(at_s + 0.5).relieved(["db"], Effect.DOWN)
        history.started("db", at_s + 0.4)
    assert judge(history).outcome is Outcome.HOLDS
    assert judge(restarting(history, "db", 51, 52, 53, 54, 55, 56)).outcome is Outcome.VIOLATED


def test_a_fault_on_a_service_with_replicas_excuses_each_of_them():
    history = HistoryOf(TARGET).fault(1.0, "kill db", Effect.DOWN).healed(3.0)
    for replica in range(8):
        history._processes.append(ProcessChange("db", 1.05, Change.EXITED, f"r{replica}", 137, False))
    for replica in range(8):
        history._processes.append(ProcessChange("db", 2.9 + replica / 100, Change.STARTED, f"r{replica}"))
    assert judge(history).outcome is Outcome.HOLDS


def test_a_later_fault_does_not_excuse_an_earlier_storm():
    storm = restarting(stopped(), "checkout", 2, 3, 5, 9, 17, 33)
    assert judge(storm, 40.0).outcome is Outcome.VIOLATED
    storm.fault(100.0, "crash checkout", Effect.RETURNING).exited("checkout", 100.0).started("checkout", 101)
    assert judge(storm).outcome is Outcome.VIOLATED


def test_a_pause_needs_no_start():
    paused = HistoryOf(TARGET).fault(1.0, "pause checkout", Effect.HUNG).healed(1.5)
    assert judge(restarting(paused, "checkout", 2, 3, 5, 9, 17, 33)).outcome is Outcome.VIOLATED


def test_a_fault_on_another_service_excuses_nothing():
    history = HistoryOf(TARGET)
    for at_s in range(1, 8):
        history.fault(float(at_s), "crash db", Effect.RETURNING).exited("db", at_s + 0.0).started(
            "db", at_s + 0.4
        )
    assert judge(restarting(history, "checkout", 8, 9, 10, 11, 12, 13)).violations[0].service == "checkout"


def test_what_restarted_before_any_fault_tells_nothing():
    early = restarting(HistoryOf(TARGET), "checkout", 0.1, 0.2, 0.3, 0.4, 0.5, 0.6)
    assert judge(early.fault(1.0, "stop db", Effect.DOWN)).outcome is Outcome.HOLDS


def test_without_any_fault_nothing_was_tested():
    calm = restarting(HistoryOf(TARGET), "checkout", 1, 2, 3, 4, 5, 6)
    assert judge(calm).outcome is Outcome.UNKNOWN
    assert not judge(calm).exercised
