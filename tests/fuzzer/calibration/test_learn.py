"""What a history teaches, and what it does not."""

from dataclasses import replace

import pytest

from fuzzer.calibration.facts import Measured, Reacted, StartedUnclean, StartedWithout, Took
from fuzzer.calibration.knowledge import KnownFleet
from fuzzer.calibration.learn import learn, learn_all
from fuzzer.events import Played
from models.behaviour import Away, Response, Until
from models.expected import Effect
from models.verdict import Outcome
from tests.fuzzer.calibration.conftest import told_by_http
from tests.support.fake_fleet import SHOP, target_of
from tests.support.histories import HistoryOf

HEALTH_MS = 2.0


def reactions(facts, service=None):
    return [one for one in facts if isinstance(one, Reacted) and service in (None, one.service)]


def took(facts, what, service=None):
    return [f.value for f in facts if isinstance(f, Took) and f.what is what and service in (None, f.service)]


def db_killed(target, until_s=4.0, *, code=137):
    return (
        HistoryOf(target)
        .fault(1.0, "kill db", Effect.DOWN, permit=True)
        .exited("db", 1.0, code, returns=False)
        .started("db", until_s)
        .healed(until_s, steady=True)
    )


def test_who_errs_while_it_needs_somebody_errs_until_he_is_back(target):
    history = db_killed(target).unhealthy("checkout", 1.15, 4.25).until(8)
    [seen] = reactions(learn(history, target), "checkout")
    assert (seen.to, seen.away, seen.then, seen.until) == ("db", Away.GONE, Response.ERRORS, Until.BACK)
    assert seen.delay_s == pytest.approx(0.2)
    assert took(learn(history, target), Measured.NOTICE, "checkout") == [pytest.approx(0.2)]


def test_who_errs_because_its_own_dependency_errs_teaches_nothing_about_the_one_behind(target):
    history = db_killed(target).unhealthy("checkout", 1.15, 4.25).unhealthy("gateway", 1.35, 4.35).until(8)
    [seen] = reactions(learn(history, target), "gateway")
    assert (seen.to, seen.away) == ("checkout", Away.SICK)


def test_in_a_chain_of_exits_each_follows_the_one_that_it_needs(target):
    history = db_killed(target).exited("checkout", 1.7).exited("gateway", 2.4).until(8)
    facts = learn(history, target)
    assert [(r.service, r.to, r.then) for r in reactions(facts) if r.then is Response.EXITS] == [
        ("gateway", "checkout", Response.EXITS),
        ("checkout", "db", Response.EXITS),
    ]
    assert [r.delay_s for r in reactions(facts, "gateway")] == [pytest.approx(0.7)]


def test_who_is_tied_to_nobody_and_falls_all_the_same_has_a_dependency_that_nobody_declared(target):
    history = db_killed(target).unhealthy("analytics", 1.25, 4.15).until(8)
    [seen] = reactions(learn(history, target), "analytics")
    assert (seen.to, seen.then, seen.declared) == ("db", Response.ERRORS, False)


def test_who_goes_on_for_long_enough_does_without(target):
    assert [
        (r.service, r.then) for r in reactions(learn(db_killed(target).until(8), target)) if r.declared
    ] == [("checkout", Response.SERVES)]
    assert reactions(learn(db_killed(target, until_s=2.0).until(8), target)) == []


def test_a_hang_is_not_an_end(target):
    history = (
        HistoryOf(target)
        .fault(1.0, "pause analytics", Effect.HUNG)
        .frozen("analytics", 1.0, 5.0)
        .healed(5.0, steady=True)
        .unhealthy("checkout", 2.35, 5.15)
        .until(9)
    )
    [seen] = reactions(learn(history, target), "checkout")
    assert (seen.to, seen.away, seen.then) == ("analytics", Away.HUNG, Response.ERRORS)
    assert seen.delay_s == pytest.approx(1.4)


def test_what_stays_after_everybody_is_back_lasts_until_a_restart(target):
    forever = db_killed(target).unhealthy("checkout", 1.15, 99).until(20)
    assert [r.until for r in reactions(learn(forever, target), "checkout")] == [Until.RESTART]
    slow = db_killed(target).slow("checkout", 1.5, 900.0).until(20)
    [seen] = reactions(learn(slow, target), "checkout")
    assert (seen.then, seen.until) == (Response.SLOWS, Until.RESTART)
    assert seen.delay_ms == pytest.approx(898)


def test_a_record_that_ends_too_early_does_not_tell_what_ends_it(target):
    history = db_killed(target).unhealthy("checkout", 1.15, 99).until(5)
    assert [r.until for r in reactions(learn(history, target), "checkout")] == [None]


def test_with_two_services_harmed_nobody_knows_whose_fault_it_is(target):
    history = (
        HistoryOf(target)
        .fault(1.0, "kill db analytics", Effect.DOWN, permit=True)
        .exited("db", 1.0, 137, returns=False)
        .exited("analytics", 1.0, 137, returns=False)
        .unhealthy("checkout", 1.2, 9)
        .until(8)
    )
    assert reactions(learn(history, target)) == []


def test_what_came_before_a_second_service_was_harmed_still_counts(target):
    history = (
        db_killed(target)
        .unhealthy("checkout", 1.15, 4.25)
        .fault(3.0, "kill analytics", Effect.DOWN, permit=True)
        .exited("analytics", 3.0, 137, returns=False)
        .until(8)
    )
    seen = reactions(learn(history, target))
    assert [(r.service, r.to) for r in seen if r.declared] == [("checkout", "db")]


def test_nothing_is_learnt_where_somebody_interfered_or_nobody_looked(target):
    history = db_killed(target).unhealthy("checkout", 1.15, 4.25).until(8)
    assert learn(replace(history, interference=("a stranger stopped db",)), target) == ()
    assert learn(db_killed(target).blind(2.0, 3.0).until(8), target) == ()


def test_times_are_taken_where_nothing_else_is_wrong(target):
    history = (
        HistoryOf(target)
        .fault(1.0, "restart db", Effect.RETURNING, permit=True)
        .exited("db", 1.04, 0)
        .started("db", 1.06)
        .unhealthy("db", 1.0, 1.55)
        .healed(2.0, steady=True)
        .until(6)
    )
    facts = learn(history, target)
    assert took(facts, Measured.STOP) == [pytest.approx(0.04)]
    assert took(facts, Measured.START) == [pytest.approx(0.54, abs=0.01)]
    assert took(facts, Measured.RECOVERY) == [pytest.approx(0.56, abs=0.01)]
    assert took(facts, Measured.HEALTH, "db") == [HEALTH_MS]


def test_a_start_that_waits_for_somebody_tells_no_time(target):
    history = (
        db_killed(target).exited("checkout", 1.5, 1).started("checkout", 1.7).unhealthy("checkout", 1.5, 4.5)
    )
    facts = learn(history.until(9), target)
    assert took(facts, Measured.UNCLEAN_START, "checkout") == []
    assert took(facts, Measured.UNCLEAN_START, "db") == [pytest.approx(0.0, abs=0.11)]


def test_who_exits_at_its_start_without_somebody_needs_him(target):
    dies = db_killed(target).exited("checkout", 1.5, 1).started("checkout", 1.7).exited("checkout", 1.8, 1)
    assert StartedWithout("checkout", "db", exited=True) in learn(dies.until(9), target)
    waits = db_killed(target).exited("checkout", 1.5, 1).started("checkout", 1.7)
    assert StartedWithout("checkout", "db", exited=False) in learn(waits.until(9), target)


def test_who_does_not_survive_its_own_recovery_is_remembered_for_it(target):
    history = db_killed(target).exited("db", 4.1, 0, returns=False).until(9)
    assert StartedUnclean("db", 0) in learn(history, target)
    caller_errs = db_killed(target).unhealthy("checkout", 1.05, 99).exited("db", 4.1, 0, returns=False)
    assert StartedUnclean("db", 0) in learn(caller_errs.until(9), target)
    assert StartedUnclean("db", None) in learn(db_killed(target).until(9), target)


def test_of_services_that_need_one_another_nobody_knows_who_fell_ill_first():
    target = told_by_http(target_of(*SHOP, "db -> gateway"))
    history = db_killed(target).unhealthy("checkout", 1.15, 4.25).unhealthy("gateway", 1.35, 4.35).until(8)
    assert reactions(learn(history, target), "gateway") == []


def analytics_killed(target):
    return (
        HistoryOf(target)
        .fault(1.0, "kill analytics", Effect.DOWN, permit=True)
        .exited("analytics", 1.0, 137, returns=False)
        .started("analytics", 5.0)
        .healed(5.0, steady=True)
    )


def test_of_several_that_fell_the_one_is_to_blame_that_is_known_to_matter(target):
    """db and checkout both exit 0.7 s after analytics: because of it, or the one because of the other?"""
    history = analytics_killed(target).exited("db", 1.7).exited("checkout", 1.71).until(9)
    assert [r.to for r in reactions(learn(history, target), "checkout")] == []
    patient = Reacted("checkout", "db", Away.GONE, Response.EXITS, delay_s=0.7)
    [seen] = reactions(learn(history, target, KnownFleet().with_facts([patient])), "checkout")
    assert seen.to == "analytics"


def test_what_comes_later_explains_what_came_before(target):
    both = analytics_killed(target).exited("db", 1.7).exited("checkout", 1.71).until(9)
    alone = db_killed(target).exited("checkout", 1.7).until(9)
    played = [Played(one.scenario, Outcome.VIOLATED, history=one) for one in (both, alone)]
    known = learn_all(played, target).services["checkout"]
    assert {one.to for one in known.reactions} == {"analytics", "db"}


def test_a_stranger_follows_whoever_fell_just_before_him(target):
    """db needs nobody, and exits whenever checkout does; it was analytics that was killed."""
    history = analytics_killed(target).exited("checkout", 1.7).exited("db", 1.71).until(9)
    [seen] = [one for one in reactions(learn(history, target), "db") if one.then is Response.EXITS]
    assert (seen.to, seen.declared) == ("checkout", False)
    assert seen.delay_s == pytest.approx(0.01)


def test_a_stranger_who_falls_together_with_many_follows_the_one_that_was_harmed(target):
    history = db_killed(target).unhealthy("checkout", 1.05, 4.2).unhealthy("analytics", 1.05, 4.2).until(9)
    [seen] = reactions(learn(history, target), "analytics")
    assert (seen.to, seen.declared) == ("db", False)


def test_who_started_without_somebody_and_fell_later_with_another_could_start_without_him(target):
    history = (
        db_killed(target, until_s=9.0)
        .exited("checkout", 1.1, 0)
        .started("checkout", 1.2)
        .exited("analytics", 1.8, 1)
        .exited("checkout", 2.5, 1)
    )
    facts = learn(history.until(12), target)
    assert StartedWithout("checkout", "db", exited=False) in facts
    assert not [one for one in facts if isinstance(one, StartedWithout) and one.exited]


def test_who_falls_after_its_start_because_of_another_recovered_well(target):
    history = db_killed(target).exited("checkout", 4.3, 1).exited("db", 4.4, 1).until(9)
    assert not [one for one in learn(history, target) if isinstance(one, StartedUnclean)]


def test_a_lost_connection_teaches_nothing(target):
    history = (
        HistoryOf(target).fault(1.0, "blackhole checkout -> db", Effect.SILENT).exited("checkout", 2.0, 1)
    )
    assert learn(history.until(5), target) == ()
