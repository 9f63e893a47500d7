from fuzzer.search.novelty import LOOKED_AT, Novelty
from models.scenario import Scenario
from tests.support.fake_fleet import SHOP, target_of

TARGET = target_of(*SHOP, published=("checkout",))


def worth(novelty, text):
    return novelty._worth(Scenario.parse(text))


def test_what_was_exercised_is_worth_nothing_more():
    novelty = Novelty(TARGET)
    assert worth(novelty, "crash db") > 0
    novelty.played(Scenario.parse("crash db"))
    assert worth(novelty, "crash db") == 0
    assert worth(novelty, "crash gateway") > 0


def test_two_faults_at_once_are_more_than_each_alone_and_order_matters():
    novelty = Novelty(TARGET)
    for text in ("pause db", "crash gateway"):
        novelty.played(Scenario.parse(text))
    assert worth(novelty, "pause db; crash gateway") > 0
    novelty.played(Scenario.parse("pause db; crash gateway"))
    assert worth(novelty, "pause db; wait 3s; crash gateway") == 0
    assert worth(novelty, "crash gateway; pause db") > 0


def test_a_fault_that_is_healed_at_once_is_not_the_same_as_one_that_lasts():
    novelty = Novelty(TARGET)
    novelty.played(Scenario.parse("pause db; unpause db"))
    assert worth(novelty, "pause db") > 0
    novelty.played(Scenario.parse("pause db; wait 3s; unpause db"))
    assert worth(novelty, "pause db") == 0


def test_a_bystander_that_another_fault_excuses_was_not_looked_at():
    novelty = Novelty(TARGET)
    for text in ("crash db", "crash db; pause analytics"):
        novelty.played(Scenario.parse(text))
    assert worth(novelty, "pause analytics") > 0  # checkout was excused by db, and may hang with analytics


def test_faults_one_after_the_other_are_no_pair():
    novelty = Novelty(TARGET)
    for text in ("crash db", "crash gateway"):
        novelty.played(Scenario.parse(text))
    assert worth(novelty, "crash db; wait 3s; crash gateway") == 0


def test_services_killed_at_the_same_moment_are_a_pair_in_both_orders():
    novelty = Novelty(TARGET)
    for text in ("kill db", "kill gateway", "kill db gateway"):
        novelty.played(Scenario.parse(text))
    assert worth(novelty, "kill db; kill gateway") == 0
    assert worth(novelty, "kill gateway; kill db") == 0


def test_quick_scenarios_are_preferred():
    novelty = Novelty(TARGET)
    assert worth(novelty, "crash db") > worth(novelty, "crash db; wait 3s; wait 3s")


def test_a_fault_while_clients_ask_is_more_than_the_fault():
    novelty = Novelty(TARGET)
    novelty.played(Scenario.parse("crash db"))
    assert worth(novelty, "load checkout 10rps 3s; crash db") > 0
    novelty.played(Scenario.parse("load checkout 10rps 3s; crash db"))
    assert worth(novelty, "load checkout 50rps 2s; crash db") == 0
    assert worth(novelty, "crash db; wait 3s; load checkout 10rps 3s") == 0  # nobody asked when it broke


def test_under_load_only_what_sends_a_load_is_played():
    novelty = Novelty(TARGET, under_load=True)
    [part] = picked(novelty, *["crash gateway; load checkout 10rps 2s; crash db"] * LOOKED_AT)
    assert "load checkout" in str(part)
    assert picked(Novelty(TARGET, under_load=True), *["crash gateway"] * 3 * LOOKED_AT) == []


def picked(novelty, *plans):
    return [best for text in plans for best in novelty.pick(Scenario.parse(text))[:1]]


def test_of_a_handful_the_best_part_is_played():
    novelty = Novelty(TARGET)
    dull, rich = "crash db; wait 3s", "wait 1s; crash gateway; crash db; wait 3s; heal all"
    assert [str(part) for part in picked(novelty, *[dull] * 5, rich, *[dull] * (LOOKED_AT - 6))] == [
        "crash gateway; crash db"
    ]


def test_nothing_is_played_twice_while_there_is_something_new():
    novelty = Novelty(TARGET)
    seen = []
    for _ in range(4):
        [part] = picked(novelty, *["crash db; wait 3s; pause analytics; wait 3s; stop gateway"] * LOOKED_AT)
        novelty.played(part)
        seen.append(part)
    assert len(set(seen)) == len(seen)


def test_a_part_neither_begins_with_a_wait_nor_goes_without_a_fault():
    novelty = Novelty(TARGET)
    [part] = picked(novelty, *["wait 1s; crash db; heal all; wait 1s"] * LOOKED_AT)
    assert str(part) == "crash db"


def test_two_loads_are_never_sent_at_once():
    novelty = Novelty(TARGET)
    together = Scenario.parse("load checkout 20rps 3s; burst checkout 20rps 3s; crash db")
    apart = Scenario.parse("load checkout 20rps 3s; wait 3s; burst checkout 20rps 3s; crash db")
    assert not novelty._may_be_played(together)
    assert novelty._may_be_played(apart)
