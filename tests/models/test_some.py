"""A part of a group is a word in a scenario, and known beforehand but for who is primary."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.compose_words import sayable
from models.errors import ScenarioError
from models.expected import Effect, Expected, Standing
from models.members import members_of
from models.scenario import Scenario
from models.some import Share, Some, replica_of, service_of
from models.step import Step
from tests.support.grouped_fleet import grouped

FIVE = grouped(5, ("a", "b", "c", "d", "e"), protect=("c",))


def untouched(target):
    return Expected(target.topology, target.limits.recovery_s_max)


@pytest.mark.parametrize("share", Share)
def test_each_part_reads_back_as_it_was_written(share):
    text = f"kill {share}:store; wait 1s"
    assert str(Scenario.parse(text)) == text
    assert Some.parse(Scenario.parse(text)[0].targets[0]) == Some(share, "store")


@pytest.mark.parametrize("name", ["store:one", "half:store", "one:", "a#b", "a", "a -> one:b"])
def test_nothing_else_is_a_part(name):
    assert Some.parse(name) is None


@pytest.mark.parametrize("name", ["one:store", "a:b", "web#2", "web#"])
def test_no_service_can_have_such_a_name(name):
    assert not sayable(name)


def test_a_comment_begins_after_a_space_and_a_replica_does_not():
    scenario = Scenario.parse("kill web#2   # the second\n#nothing\npause web#1;# over; crash web")
    assert str(scenario) == "kill web#2; pause web#1"


@given(st.from_regex(r"[a-z][a-z0-9-]{0,9}", fullmatch=True), st.integers(1, 99))
def test_a_replica_has_a_service_and_a_number(service, number):
    assert service_of(f"{service}#{number}") == service_of(service) == service
    assert replica_of(f"{service}#{number}") == number
    assert replica_of(service) is None
    assert service_of("a -> b#2") == "a -> b#2"


@pytest.mark.parametrize(
    ("size", "counts"), [(1, (1, 0, 1, 1)), (2, (1, 0, 2, 2)), (3, (1, 1, 2, 3)), (5, (1, 2, 3, 5))]
)
def test_a_minority_is_what_a_quorum_can_lose(size, counts):
    shares = (Share.ONE, Share.MINORITY, Share.MAJORITY, Share.ALL)
    assert tuple(share.of(size) for share in shares) == counts


def test_members_come_in_order_those_first_that_are_whole_and_only_what_faults_may_touch():
    start = untouched(FIVE)
    harmed = start.harmed(["a"], Effect.HUNG)
    assert members_of(Some(Share.MINORITY, "store"), FIVE, start) == ("a", "b")
    assert members_of(Some(Share.MINORITY, "store"), FIVE, harmed) == ("b", "d")
    assert members_of(Some(Share.MAJORITY, "store"), FIVE, start) == ("a", "b", "d")
    with pytest.raises(ScenarioError, match="faults may touch a, b, d, e"):
        members_of(Some(Share.ALL, "store"), FIVE, start)
    with pytest.raises(ScenarioError, match="no group 'stores' here; expected one of: store"):
        members_of(Some(Share.ONE, "stores"), FIVE, start)


def test_whoever_is_primary_may_be_any_member_until_it_is_healed():
    target = grouped(2)
    killed = untouched(target).harmed(["primaries:store"], Effect.DOWN)
    assert killed.lasting() == ("n1", "n2", "n3")
    assert killed.active() == ("primaries:store",)
    assert killed.standing("n3") is Standing.MAY_BE_DOWN
    assert killed.passed(5).standing("shop") is Standing.UP, "one of three is a minority"
    assert killed.relieved(["n1"]).lasting()
    assert not killed.relieved(["n1", "n2", "n3"]).lasting()
    assert not killed.all_relieved().lasting()
    twice = killed.harmed(["primaries:store"], Effect.DOWN)
    assert len(twice.active()) == 2
    assert killed.harmed(["n1"], Effect.DOWN).passed(5).standing("shop") is Standing.MAY_DEGRADE
    assert target.topology.matters("primaries:store", {"shop", "n2"})


def test_a_step_that_means_no_group_is_what_it_was():
    assert Step.parse("kill a b").targets == ("a", "b")
