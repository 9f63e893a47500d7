"""Whose assumptions a violation rests on."""

from fuzzer.search.involved import assumptions, involved
from models.scenario import Scenario
from models.verdict import Violation
from tests.support.fake_fleet import SHOP, FakeFleet, target_of

TARGET = target_of(*SHOP)
BROKEN = Violation("containment", "gateway", 1.0, "gateway was unhealthy")


def test_whoever_lies_between_has_a_part_in_it():
    assert involved(Scenario.parse("kill db"), BROKEN, TARGET) == ("gateway", "checkout", "db")


def test_without_a_path_there_are_only_the_two():
    assert involved(Scenario.parse("kill gateway; wait 1s"), BROKEN, TARGET) == ("gateway",)
    other = Violation("isolation", "db", 1.0, "db exited")
    assert involved(Scenario.parse("kill analytics"), other, TARGET) == ("db", "analytics")


def test_a_load_and_a_heal_name_no_service():
    steps = Scenario.parse("load checkout 20rps 2s; kill db; heal all")
    assert involved(steps, BROKEN, TARGET) == ("gateway", "checkout", "db")


class Model(FakeFleet):
    def rests_on(self, services):
        return tuple(f"{name} is modelled" for name in services)


def test_a_real_fleet_rests_on_nothing():
    steps = Scenario.parse("kill gateway")
    assert assumptions(FakeFleet(TARGET), steps, BROKEN, TARGET) == ()
    assert assumptions(Model(TARGET), steps, BROKEN, TARGET) == ("gateway is modelled",)


def test_a_link_has_a_part_in_it_and_so_has_who_lies_between():
    harmed = "blackhole checkout -> db"
    assert involved(Scenario.parse(harmed), BROKEN, TARGET) == ("gateway", "checkout", "db", "checkout -> db")
    everybody = involved(Scenario.parse("blackhole * -> db; heal * -> db"), BROKEN, TARGET)
    assert everybody == ("gateway", "checkout", "db", "* -> db")


def test_a_link_to_which_no_path_leads_is_named_with_its_ends():
    other = Violation("containment", "analytics", 1.0, "analytics was unhealthy")
    found = involved(Scenario.parse("reset checkout -> db"), other, TARGET)
    assert found == ("checkout", "db", "analytics", "checkout -> db")
