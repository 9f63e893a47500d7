import pytest

from fuzzer.judge import outcome, unseen
from models.target import Restart
from models.verdict import Outcome, Verdict, Violation
from tests.support.fake_fleet import SHOP, target_of
from tests.support.histories import HistoryOf

TARGET = target_of(*SHOP, recovery_s_max=5.0, restart=Restart.NO)
KEPT = Verdict.of("isolation", [])
BROKEN = Verdict.of("recovery", [Violation("recovery", "web", 1.0, "web is overdue")])


@pytest.mark.parametrize(("until_s", "told"), [(4.9, False), (5.1, True)])
def test_a_scenario_of_which_most_was_not_seen_tells_nothing(until_s, told):
    history = HistoryOf(TARGET).blind(1.0, 1.5).blind(2.0, 2.0 + until_s - 0.5).until(10.0)
    assert ("not scheduled" in unseen(history)) is told


def test_what_lies_before_the_first_step_does_not_count():
    assert not unseen(HistoryOf(TARGET).blind(-20.0, 0.0).until(10.0))


def test_doubt_takes_back_what_was_kept_and_nothing_that_was_broken():
    assert outcome([KEPT], "nobody could tell") == (Outcome.UNKNOWN, "nobody could tell")
    assert outcome([KEPT, BROKEN], "nobody could tell") == (Outcome.VIOLATED, "")
    assert outcome([KEPT], "") == (Outcome.HOLDS, "")
