import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.topology import Dependency, Source, Strength, Topology

NAMES = ("gateway", "checkout", "db", "analytics")


def edge(caller: str, dependency: str, strength: Strength = Strength.HARD) -> Dependency:
    return Dependency(caller, dependency, strength)


SHOP = Topology(
    NAMES, (edge("gateway", "checkout"), edge("checkout", "db"), edge("checkout", "analytics", Strength.SOFT))
)


def test_harm_spreads_to_hard_callers_transitively():
    assert SHOP.blast_radius(["db"]) == {"db", "checkout", "gateway"}


def test_harm_does_not_cross_a_soft_dependency():
    assert SHOP.blast_radius(["analytics"]) == {"analytics"}


def test_a_cycle_is_inside_as_a_whole():
    cycle = Topology(("a", "b", "c"), (edge("a", "b"), edge("b", "a"), edge("c", "a")))
    assert cycle.blast_radius(["b"]) == {"a", "b", "c"}


def test_an_unknown_service_is_refused():
    with pytest.raises(ValueError, match="ghost"):
        Topology(("a",), (edge("a", "ghost"),))


def test_a_path_names_each_edge_and_is_empty_when_one_is_missing():
    assert [str(e) for e in SHOP.path("gateway", "analytics")] == [
        "gateway -> checkout (hard)",
        "checkout -> analytics (soft)",
    ]
    assert SHOP.path("db", "gateway") == ()


def test_an_inferred_edge_says_so():
    inferred = Dependency("a", "b", source=Source.ENVIRONMENT)
    assert inferred.inferred
    assert "inferred" in str(inferred)


def test_dependencies_start_first_and_soft_ones_delay_nobody():
    assert SHOP.start_layers() == (("db", "analytics"), ("checkout",), ("gateway",))


@st.composite
def topologies(draw):
    size = draw(st.integers(1, 6))
    names = tuple(f"s{i}" for i in range(size))
    pairs = draw(st.sets(st.tuples(st.sampled_from(names), st.sampled_from(names)), max_size=12))
    strengths = st.sampled_from(Strength)
    return Topology(names, tuple(edge(a, b, draw(strengths)) for a, b in sorted(pairs) if a != b))


@given(topologies(), st.data())
def test_a_blast_radius_is_closed_and_the_union_of_its_parts(topology, data):
    targets = data.draw(st.sets(st.sampled_from(topology.services)))
    radius = topology.blast_radius(targets)
    assert topology.blast_radius(radius) == radius
    assert radius == frozenset().union(*(topology.blast_radius([name]) for name in targets))


@given(topologies())
def test_start_layers_hold_every_service_once(topology):
    names = [name for layer in topology.start_layers() for name in layer]
    assert sorted(names) == sorted(topology.services)
