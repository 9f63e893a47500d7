"""Where services stand: apart from one another, whatever the target is like."""

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from fuzzer.reports.page.layout import BOX_H, BOX_W, laid_out
from tests.support.logged import edge

NAMES = tuple(f"service-{number}" for number in range(30))


def overlapping(places):
    return [
        (a, b)
        for (a, (ax, ay)), (b, (bx, by)) in combinations(places.items(), 2)
        if abs(ax - bx) < BOX_W and abs(ay - by) < BOX_H
    ]


@given(st.lists(st.tuples(*[st.sampled_from(NAMES)] * 2), max_size=60), st.integers(1, 30))
def test_no_two_boxes_overlap_and_nobody_is_forgotten(pairs, count):
    names = NAMES[:count]
    edges = [edge(f"{a} -> {b}") for a, b in dict.fromkeys(pairs) if {a, b} <= set(names)]
    places, _ = laid_out(names, edges)
    assert list(places) == list(names)
    assert not overlapping(places)


def test_callers_stand_to_the_left_of_what_they_need():
    places, _ = laid_out(("c", "b", "a"), [edge("a -> b"), edge("b -> c"), edge("a -> c")])
    assert places["a"][0] < places["b"][0] < places["c"][0]


def test_a_long_edge_passes_no_box_in_between():
    places, ways = laid_out(("a", "b", "c"), [edge("a -> b"), edge("b -> c"), edge("a -> c")])
    [(x, y)] = ways["a", "c"]
    assert x == places["b"][0]
    assert abs(y - places["b"][1]) >= BOX_H


def test_in_a_circle_what_is_needed_hard_decides():
    places, _ = laid_out(("a", "b"), [edge("b ~> a"), edge("a -> b")])
    assert places["a"][0] < places["b"][0]


def test_services_without_edges_fill_rows_and_not_one_tall_column():
    places, _ = laid_out(NAMES, [])
    assert max(y for _, y in places.values()) < 30 * BOX_H / 2


def test_nothing_is_laid_out_of_nothing():
    assert laid_out((), []) == ({}, {})
