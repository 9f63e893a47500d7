from math import inf

from models.expected import TRANSIENT_S, Effect, Expected, Standing, united
from tests.support.fake_fleet import SHOP, target_of

START = Expected(target_of(*SHOP).topology, recovery_s=30.0)


def test_a_fault_excuses_its_blast_radius_and_nobody_else():
    hurt = START.harmed(["db"], Effect.DOWN)
    assert hurt.standing("db") is Standing.MAY_BE_DOWN
    assert hurt.standing("checkout") is Standing.MAY_DEGRADE
    assert hurt.standing("gateway") is Standing.MAY_DEGRADE
    assert hurt.standing("analytics") is Standing.UP


def test_lasting_harm_excuses_until_the_recovery_limit_after_its_end():
    hurt = START.harmed(["db"], Effect.HUNG)
    assert hurt.excuses("checkout") == ((0.0, inf),)
    healed = hurt.passed(5).relieved(["db"])
    assert healed.excuses("checkout") == ((0.0, 35.0),)
    assert healed.standing("checkout", 34.9) is Standing.MAY_DEGRADE
    assert healed.standing("checkout", 35.1) is Standing.UP


def test_a_crash_is_over_at_once_but_counts_as_active_for_a_moment():
    hurt = START.harmed(["db"], Effect.RETURNING)
    assert hurt.lasting() == ()
    assert hurt.active() == ("db",)
    assert hurt.passed(TRANSIENT_S).active() == ()


def test_recovery_from_a_passing_harm_counts_from_when_it_was_done():
    slow = START.harmed(["db"], Effect.RETURNING).passed(10)
    assert slow.excuses("db") == ((0.0, inf),)
    assert slow.relieved(["db"], Effect.RETURNING).excuses("db") == ((0.0, 40.0),)
    assert slow.all_relieved().excuses("db") == ((0.0, inf),)  # healing does not end it, its step does


def test_healing_ends_only_what_lasts_and_only_the_named_effect():
    hurt = START.harmed(["db"], Effect.DOWN).harmed(["analytics"], Effect.HUNG)
    assert hurt.relieved(["db", "analytics"], Effect.HUNG).lasting() == ("db",)
    assert hurt.all_relieved().lasting() == ()


def test_harm_is_blamed_from_its_beginning_to_the_end_of_its_excuse():
    hurt = START.passed(2).harmed(["db"], Effect.DOWN).passed(1).all_relieved()
    assert hurt.blamed(1.9) == ()
    assert hurt.blamed(2.0) == ("db",)
    assert hurt.blamed(33.0) == ("db",)
    assert hurt.blamed(33.1) == ()


def test_excuses_that_overlap_are_one():
    assert united([(4.0, 5.0), (0.0, 2.0), (1.0, 3.0), (3.0, 3.5)]) == [(0.0, 3.5), (4.0, 5.0)]
