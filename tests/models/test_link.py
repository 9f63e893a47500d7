import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import ScenarioError
from models.expected import Effect, Expected, Standing
from models.link import Link, is_link
from models.step import Step
from models.topology import Dependency, Group, Strength, Topology

NAMES = st.sampled_from(["a", "b", "checkout-service", "db.1"])
SIDES = st.lists(NAMES, min_size=1, max_size=3, unique=True).map(tuple) | st.just(("*",))
LINKS = st.builds(Link, SIDES, SIDES, st.booleans())


@given(LINKS)
def test_its_text_reads_back(link):
    assert Link.parse(str(link)) == link
    assert is_link(str(link))


@given(LINKS, NAMES, NAMES)
def test_both_ways_is_either_way(link, caller, dependency):
    there, back = (
        Link(link.callers, link.dependencies).covers(*edge)
        for edge in ((caller, dependency), (dependency, caller))
    )
    assert link.covers(caller, dependency) is (there or (link.both and back))


@pytest.mark.parametrize(
    ("text", "covered"),
    [
        ("a -> b", [("a", "b")]),
        ("a <-> b", [("a", "b"), ("b", "a")]),
        ("* -> b", [("a", "b"), ("c", "b")]),
        ("b -> *", [("b", "a")]),
        ("* <-> b", [("a", "b"), ("b", "a"), ("c", "b")]),
        ("a,b <-> *", [("c", "b")]),  # those two still reach each other
        ("a,c -> b", [("a", "b"), ("c", "b")]),
    ],
)
def test_what_a_link_covers(text, covered):
    edges = [("a", "b"), ("b", "a"), ("c", "b")]
    link = Link.parse(text)
    assert [edge for edge in edges if link.covers(*edge)] == covered


def test_a_step_holds_links_and_says_them_again():
    step = Step.parse("latency a -> b * <-> c 200ms jitter_ms=5")
    assert step.targets == ("a -> b", "* <-> c")
    assert str(step) == "latency a -> b * <-> c 200ms jitter_ms=5"
    assert Step.from_json(step.to_json()) == step


@pytest.mark.parametrize("text", ["latency a ->", "latency -> b", "latency a -> -> b", "latency a->b"])
def test_half_a_link_is_none(text):
    with pytest.raises(ScenarioError, match="a link such as a -> b"):
        Step.parse(text)


CLUSTER = Topology(
    ("gateway", "register", "n1", "n2", "n3"),
    (
        Dependency("gateway", "register"),
        *(Dependency("register", member) for member in ("n1", "n2", "n3")),
        Dependency("n1", "n2"),
        Dependency("gateway", "n3", Strength.SOFT),
    ),
    (Group("store", ("n1", "n2", "n3"), tolerates=1, failover_s=2.0),),
)
CALM = Expected(CLUSTER, recovery_s=30.0)


def test_one_member_is_harmed_alone():
    assert CLUSTER.radius_of("n2") == {"n2"}
    hurt = CALM.harmed(["n2"], Effect.DOWN).passed(5)
    assert hurt.standing("n2") is Standing.MAY_BE_DOWN
    assert {hurt.standing(n) for n in ("n1", "n3", "register", "gateway")} == {Standing.UP}


def test_the_others_take_over_in_their_time():
    hurt = CALM.harmed(["n2"], Effect.DOWN)
    assert hurt.standing("gateway", 1.9) is Standing.MAY_DEGRADE
    back = hurt.at(10.0).relieved(["n2"])
    assert back.standing("gateway", 11.0) is Standing.MAY_DEGRADE
    assert back.standing("gateway", 13.0) is Standing.UP


def test_a_majority_takes_everybody_along_until_one_is_back():
    hurt = CALM.harmed(["n1"], Effect.DOWN).at(10.0).harmed(["n2"], Effect.DOWN)
    assert {hurt.standing(n, 50.0) for n in ("n3", "register", "gateway")} == {Standing.MAY_DEGRADE}
    assert hurt.standing("register", 9.0) is Standing.UP
    healed = hurt.at(60.0).relieved(["n1"])
    assert healed.standing("register", 89.0) is Standing.MAY_DEGRADE
    assert healed.standing("register", 91.0) is Standing.UP


def test_who_is_cut_off_counts_like_who_is_down():
    assert CLUSTER.members_hit("* <-> n1") == ("n1",)
    alone = CALM.harmed(["* <-> n1"], Effect.SILENT)
    assert alone.standing("n1", 5.0) is Standing.MAY_DEGRADE
    assert alone.standing("register", 5.0) is Standing.UP
    both = alone.harmed(["n2"], Effect.DOWN)
    assert both.standing("register", 5.0) is Standing.MAY_DEGRADE


@pytest.mark.parametrize(
    ("link", "degraded"),
    [
        ("* <-> register", {"register", "gateway"}),  # it reaches no member at all
        ("register -> n1", {"n1"}),  # it still reaches two
        ("register -> n1,n2", set(CLUSTER.services)),  # two of three may as well be away
        ("n1 -> n2", set(CLUSTER.services)),  # who of the two is to blame cannot be told
    ],
)
def test_who_is_cut_off_from_a_group_is_excused(link, degraded):
    cut = CALM.harmed([link], Effect.SILENT)
    assert {n for n in CLUSTER.services if cut.standing(n, 10.0) is not Standing.UP} == degraded


def test_what_clients_may_feel():
    needed = CLUSTER.needs("register")
    assert needed == {"register", "n1", "n2", "n3"}
    assert CALM.harmed(["n1"], Effect.DOWN).felt(needed) == [(0.0, 2.0)]
    (span,) = CALM.harmed(["n1", "n2"], Effect.DOWN).felt(needed)
    assert span == (0.0, float("inf"))
    assert CALM.harmed(["gateway -> register"], Effect.CUT).felt(needed) == []


def test_a_link_reaches_its_callers_and_not_its_dependency():
    shop = Topology(
        ("gateway", "checkout", "db", "analytics"),
        (
            Dependency("gateway", "checkout"),
            Dependency("checkout", "db"),
            Dependency("checkout", "analytics", Strength.SOFT),
        ),
    )
    assert shop.radius_of("checkout -> db") == {"checkout", "gateway"}
    assert shop.radius_of("checkout -> analytics") == frozenset()
    assert shop.radius_of("* <-> checkout") == {"checkout", "gateway"}
    assert [str(e) for e in shop.path("gateway", "checkout -> db")] == [
        "gateway -> checkout (hard)",
        "checkout -> db (hard)",
    ]
    assert shop.path("db", "gateway -> checkout") == ()
