from invariants.availability import Availability
from invariants.error_rate import ErrorRate
from models.expected import Effect
from models.load import Endpoint, Load
from models.verdict import Outcome
from tests.support.fake_fleet import SHOP, target_of
from tests.support.histories import HistoryOf

TARGET = target_of(*SHOP, recovery_s_max=3.0)
PAGES = Load("pages", tuple(Endpoint(f"GET /{number}", "checkout") for number in range(10)))
TWO = Load("two", (Endpoint("GET /a", "checkout"), Endpoint("GET /b", "analytics")))


def judge(history):
    return ErrorRate().judge(history.until(30.0), TARGET)


def played(load=PAGES, step="pause analytics"):
    history = HistoryOf(TARGET).sent(-2, 0, load).fault(1.0, step, Effect.HUNG)
    return history.sent(0, 10, load).healed(11.0, steady=True)


def test_endpoints_that_fail_too_rarely_to_be_accused_are_accused_together():
    history = played().failed(2.0, 3.0)
    assert Availability().judge(history.until(30.0), TARGET).outcome is Outcome.HOLDS
    [violation] = judge(history).violations
    assert violation.signature == "error_rate:checkout"
    assert "10.0% of load pages failed" in violation.summary


def test_a_share_within_the_promise_holds():
    assert judge(played().failed(2.0, 2.09)).outcome is Outcome.HOLDS


def test_what_a_fault_excuses_does_not_count():
    assert judge(played(step="pause db").failed(1.0, 10)).outcome is not Outcome.VIOLATED


def test_an_endpoint_that_always_failed_so_often_is_no_news_even_without_its_good_neighbour():
    """GET /a fails half the time, as before; GET /b, which never failed, is excused now."""
    history = played(TWO)
    for tenth in range(-20, 100, 2):
        history.failed(tenth / 10, tenth / 10 + 0.04, endpoint="GET /a")
    verdict = judge(history)
    assert verdict.outcome is Outcome.UNKNOWN
    assert verdict.reason == "load two: no better before any fault"


def test_too_few_requests_tell_nothing():
    few = HistoryOf(TARGET).fault(0.0, "pause analytics", Effect.HUNG).sent(0, 0.95, PAGES)
    assert not judge(few.healed(2.0, steady=True)).exercised


def test_each_load_stands_for_itself():
    history = (
        played().sent(0, 10, TWO).failed(2.0, 3.0, endpoint="GET /a").failed(2.0, 3.0, endpoint="GET /b")
    )
    [violation] = judge(history).violations
    assert "load two" in violation.summary
