from invariants.amplification import Amplification
from models.expected import Effect
from models.load import Endpoint, Load
from models.verdict import Outcome
from tests.support.fake_fleet import SHOP, target_of
from tests.support.histories import ORDERS, HistoryOf

TARGET = target_of(*SHOP, recovery_s_max=5.0, amplification_max=5.0)
HOME = Load("home", (Endpoint("GET /", "gateway"),))


def judge(history, target=TARGET):
    return Amplification().judge(history.until(60.0), target)


def played(during_s=(2.0, 6.0), load=ORDERS):
    """40 requests before, 20 a second since."""
    history = HistoryOf(TARGET).sent(-2, 0, load).fault(1.0, "kill db", Effect.DOWN)
    return history.sent(*during_s, load).healed(30.0, steady=True).sent(30, 32, load)


def counted(history, each, *, until_s=6.0, background_per_s=0.0):
    """One call a request before; ``each`` of them since; and some that have nothing to do with clients."""
    seen, total = [], 0.0
    for tick in range(int((until_s + 2.1) * 5) + 1):
        at_s = tick / 5 - 2.1
        seen.append((at_s, int(total)))
        total += background_per_s / 5
        if -2.1 <= at_s < -0.1:
            total += 4
        elif any(run.began_s <= at_s < (run.ended_s or 0) for run in history._loads[1:2]):
            total += 4 * each
    return history.called("checkout", "db", *seen)


def test_as_many_calls_as_before_hold():
    assert judge(counted(played(), 1)).outcome is Outcome.HOLDS


def test_three_tries_are_allowed():
    assert judge(counted(played(), 3)).outcome is Outcome.HOLDS


def test_a_storm_of_retries():
    [violation] = judge(counted(played(), 51)).violations
    assert violation.signature == "amplification:checkout"
    assert "sent 48" in violation.summary  # what was sent before the first look does not count
    assert "path: checkout -> db (hard)" in violation.evidence


def test_no_calls_at_all_hold():
    assert judge(counted(played(), 0)).outcome is Outcome.HOLDS


def test_who_never_called_before_may_call_once_a_request():
    quiet = played().called("checkout", "db", (-2.1, 0), (2.0, 0), (6.0, 300))
    assert judge(quiet).outcome is Outcome.HOLDS
    loud = played().called("checkout", "db", (-2.1, 0), (2.0, 0), (6.0, 500))
    assert judge(loud).outcome is Outcome.VIOLATED


def test_health_checks_that_ask_the_database_are_nobodys_retries():
    """Ten a second, through 28 s of which only two are under load."""
    history = counted(played((2.0, 4.0)), 1, until_s=30.0, background_per_s=10.0)
    assert judge(history).outcome is Outcome.HOLDS


def test_a_load_that_waits_long_for_its_answers_gives_background_calls_more_time():
    history = HistoryOf(TARGET).sent(-2, 0).fault(1.0, "pause db", Effect.HUNG)
    history.sent(2, 3).sent(3, 12, rate_rps=0.01).healed(30.0, steady=True)
    calls = [(at_s / 5, int((at_s / 5 + 2.1) * 100)) for at_s in range(-10, 61)]
    assert judge(history.called("checkout", "db", (-2.1, 0), *calls)).outcome is Outcome.HOLDS


def test_four_calls_a_request_are_four_calls_a_request_at_ten_times_the_rate_too():
    history = HistoryOf(TARGET).sent(-2, 0).fault(1.0, "kill db", Effect.DOWN)
    history.sent(2, 4, rate_rps=200).healed(30.0, steady=True)
    calls = ((-2.1, 0), (-0.1, 160), (2.0, 160), (4.0, 160 + 400 * 8))
    assert judge(history.called("checkout", "db", *calls)).outcome is Outcome.HOLDS


def test_a_load_that_never_caused_calls_does_not_make_another_one_look_worse():
    """Before: 100 requests that cause none, and 20 that cause ten each. Since: only the latter."""
    browse = Load("browse", (Endpoint("GET /items", "checkout"),))
    history = HistoryOf(TARGET).sent(-2, 0, browse, rate_rps=50).sent(-2, 0, ORDERS, rate_rps=10)
    history.fault(1.0, "kill analytics", Effect.DOWN).sent(2, 4, ORDERS, rate_rps=50)
    history.healed(30.0, steady=True)
    calls = ((-2.1, 0), (-0.1, 200), (2.0, 200), (4.0, 1200))
    assert judge(history.called("checkout", "db", *calls)).outcome is Outcome.HOLDS


def test_clients_that_reach_the_caller_softly_are_clients_too():
    target = target_of("gateway ~> checkout", "checkout -> db", amplification_max=5.0)
    history = HistoryOf(target).sent(-2, 0, HOME).sent(-2, 0, ORDERS)
    history.fault(0.5, "pause db", Effect.HUNG).sent(1, 3, HOME, rate_rps=200).sent(1, 2.1, ORDERS)
    history.healed(30.0, steady=True)
    calls = ((-2.1, 0), (-0.1, 80), (1.0, 80), (3.0, 80 + 422))
    assert judge(history.called("checkout", "db", *calls), target).outcome is Outcome.HOLDS


def test_what_was_counted_while_nobody_could_look_is_not_put_on_the_next_load():
    unseen = HistoryOf(TARGET).sent(-2, 0).fault(0.5, "pause checkout", Effect.HUNG).sent(20, 24)
    unseen.healed(30.0, steady=True)
    calls = ((-2.1, 0), (-0.1, 40), (21.0, 4000), (22.0, 4020), (24.0, 4060))
    assert judge(unseen.called("checkout", "db", *calls)).outcome is Outcome.HOLDS


def test_a_baseline_that_was_not_looked_at_is_none():
    late = played().called("checkout", "db", (-0.1, 0), (2.0, 4), (6.0, 4000))
    verdict = judge(late)
    assert verdict.outcome is Outcome.UNKNOWN
    assert not verdict.exercised


def test_a_load_without_a_baseline_compares_nothing():
    history = HistoryOf(TARGET).sent(-2, 0, HOME).fault(1.0, "kill db", Effect.DOWN)
    history.sent(2, 6, ORDERS).healed(30.0, steady=True)
    assert not judge(counted(history, 51)).exercised


def test_who_is_not_asked_by_clients_is_not_judged():
    history = played().called("gateway", "checkout", (-2.1, 0), (-0.1, 1), (2.0, 2), (6.0, 9000))
    assert not judge(history).exercised


def test_without_counters_nothing_is_said():
    assert not judge(played()).exercised


def test_calls_once_all_is_steady_are_for_the_load_after_it():
    after = counted(played(), 1).called("checkout", "db", (30.5, 200), (31.5, 90_000))
    assert judge(after).outcome is Outcome.HOLDS
