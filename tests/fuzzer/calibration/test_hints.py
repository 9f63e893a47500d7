"""What becomes of samples: how soon a simulated service does what the real one did."""

from dataclasses import replace

import pytest

from fuzzer.calibration.facts import Measured, Reacted, StartedUnclean, StartedWithout, Took
from fuzzer.calibration.hints import NOTICED_S, hints_of
from fuzzer.calibration.knowledge import KnownFleet
from models.behaviour import Away, CallHints, Hints, Response, Until

ERRS = Reacted("checkout", "db", Away.GONE, Response.ERRORS, delay_s=0.05, until=Until.BACK)
EXITS = Reacted("checkout", "db", Away.GONE, Response.EXITS, delay_s=0.75)


def hints(target, *facts):
    return hints_of(KnownFleet().with_facts(facts), target)["checkout"]


def reaction(target, *facts):
    [one] = hints(target, *facts).reactions
    return one


def test_a_reaction_at_once_needs_no_patience(target):
    assert reaction(target, ERRS, Took("checkout", Measured.NOTICE, 0.05)).after_s == 0


def test_who_exits_after_a_while_waited_since_he_noticed(target):
    """Gone for a second less than that, and he goes on: what he noticed at must not count twice."""
    assert hints(target, EXITS).notice_s == NOTICED_S
    assert reaction(target, EXITS).after_s == pytest.approx(0.75 - NOTICED_S)


def test_a_hang_is_noticed_only_when_the_wait_for_an_answer_is_over(target):
    hangs = replace(ERRS, away=Away.HUNG, delay_s=2.0)
    assert reaction(target, hangs).after_s == pytest.approx(2.0 - 0.15 - 0.5)
    patient = replace(target.services["checkout"], model=Hints(calls={"db": CallHints(timeout_s=1.5)}))
    told = replace(target, services={**target.services, "checkout": patient})
    assert reaction(told, hangs).after_s == 0


def test_what_the_file_says_about_noticing_is_what_patience_begins_after(target):
    said = replace(target.services["checkout"], model=Hints(notice_s=0.5))
    told = replace(target, services={**target.services, "checkout": said})
    assert reaction(told, EXITS).after_s == pytest.approx(0.25)


def test_how_late_and_until_when_is_taken_from_those_samples_that_agree(target):
    slows = replace(ERRS, then=Response.SLOWS, delay_ms=900.0, until=Until.RESTART)
    one = reaction(target, ERRS, slows, replace(slows, delay_ms=700.0))
    assert (one.then, one.delay_ms, one.until) == (Response.SLOWS, 800.0, Until.RESTART)


def test_where_nobody_saw_it_end_it_ends_with_the_return(target):
    assert reaction(target, replace(ERRS, until=None)).until is Until.BACK


def test_of_whom_it_never_had_to_start_without_the_others_tell(target):
    """checkout starts after db, whose health nobody waits for; analytics it can do without."""
    waits, exits = (StartedWithout("checkout", "analytics", gone) for gone in (False, True))
    assert hints(target, waits).needs_at_start == []
    assert hints(target, exits).needs_at_start == ["analytics", "db"]
    assert hints(target, EXITS).needs_at_start is None


def test_an_exit_by_a_signal_is_a_code_as_a_shell_tells_it(target):
    unclean = hints(target, StartedUnclean("checkout", -11)).unclean
    assert unclean
    assert unclean.exit_code == 245


def test_services_that_are_not_there_any_more_are_left_out(target):
    facts = [
        replace(ERRS, to="ghost"),
        StartedWithout("checkout", "ghost", True),
        replace(ERRS, service="ghost"),
    ]
    known = hints_of(KnownFleet().with_facts(facts), target)
    assert known["checkout"].reactions == []
    assert "ghost" not in known


def test_who_errs_for_ever_after_a_restart_of_its_dependency_never_connects_again(target):
    known = hints(target, replace(ERRS, until=Until.RESTART))
    assert known.calls == {"db": CallHints(reconnects=False)}
    assert known.reactions[0].until is Until.BACK
    hung = hints(target, replace(ERRS, away=Away.HUNG, until=Until.RESTART))
    assert (hung.calls, hung.reactions[0].until) == ({}, Until.RESTART)
