from invariants.steady_state import SteadyState
from models.expected import Effect
from models.verdict import Outcome
from tests.support.fake_fleet import SHOP, target_of
from tests.support.histories import HistoryOf

TARGET = target_of(*SHOP, recovery_s_max=5.0)


def paused():
    return HistoryOf(TARGET).fault(1.0, "pause analytics", Effect.HUNG)


def judge(history, until_s=12.0):
    return SteadyState().judge(history.until(until_s), TARGET)


def test_unknown_until_the_fleet_had_its_time():
    assert judge(paused()).outcome is Outcome.UNKNOWN


def test_steady_again_holds():
    assert judge(paused().healed(3.0, steady=True)).outcome is Outcome.HOLDS


def test_a_service_that_stays_slow():
    verdict = judge(paused().slow("checkout", 1.5, 900.0).healed(3.0, steady=False))
    assert verdict.outcome is Outcome.VIOLATED
    assert verdict.violations[0].signature == "steady_state:checkout"
    assert "900 ms" in verdict.violations[0].summary


def test_a_service_that_flaps():
    flapping = paused().healed(3.0, steady=False)
    for at_s in (4.0, 6.0, 8.0, 10.0):
        flapping.unhealthy("checkout", at_s, at_s + 0.3)
    assert judge(flapping).outcome is Outcome.VIOLATED


def test_what_is_excused_does_not_flap():
    flapping = HistoryOf(TARGET).fault(1.0, "kill db", Effect.DOWN).healed(3.0, steady=False)
    for at_s in (4.0, 5.0, 6.0, 7.0):
        flapping.unhealthy("checkout", at_s, at_s + 0.3)
    assert judge(flapping).outcome is Outcome.UNKNOWN


def test_not_steady_and_nothing_tells_why():
    assert judge(paused().healed(3.0, steady=False)).outcome is Outcome.UNKNOWN


def test_a_blind_end_tells_nothing():
    slow = paused().slow("checkout", 1.5, 900.0).healed(3.0, steady=False).blind(10, 11)
    assert judge(slow).outcome is Outcome.UNKNOWN
