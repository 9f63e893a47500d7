from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuzzer.search.probdd import probdd


def run(size, needed, prior=0.25):
    tests = []

    def still_fails(kept):
        tests.append(tuple(kept))
        return needed <= set(kept)

    return probdd(list(range(size)), [prior] * size, still_fails), tests


@given(st.integers(1, 20).flatmap(lambda n: st.tuples(st.just(n), st.sets(st.integers(0, n - 1)))))
def test_exactly_what_is_needed_is_left_in_its_order(case):
    size, needed = case
    left, _ = run(size, needed)
    assert left == sorted(needed)


@given(
    st.integers(1, 10).flatmap(
        lambda n: st.tuples(
            st.sets(st.integers(0, n - 1), min_size=1),
            st.lists(st.floats(0.01, 0.99), min_size=n, max_size=n),
        )
    )
)
def test_whatever_the_prior_says(case):
    needed, prior = case
    assert probdd(list(range(len(prior))), prior, lambda kept: needed <= set(kept)) == sorted(needed)


@given(st.sets(st.sets(st.integers(0, 7), min_size=1).map(frozenset), min_size=1))
def test_with_several_causes_one_is_left_and_nothing_can_be_left_out_of_it(causes):
    fails = lambda kept: any(cause <= set(kept) for cause in causes)  # noqa: E731
    left = probdd(list(range(8)), [0.3] * 8, fails)
    assert fails(left)
    assert not any(fails([x for x in left if x != gone]) for gone in left)


def test_two_of_ten_take_few_tests():
    counts = [len(run(10, {a, b})[1]) for a in range(10) for b in range(a)]
    assert median(counts) <= 10


def test_a_good_prior_saves_tests():
    items, prior = list(range(10)), [0.6 if i in (3, 7) else 0.05 for i in range(10)]
    tests = []
    probdd(items, prior, lambda kept: tests.append(kept) or {3, 7} <= set(kept))
    assert len(tests) <= 4


def test_a_prior_for_each_item_is_required():
    with pytest.raises(ValueError, match="prior"):
        probdd([1, 2], [0.5], lambda kept: True)
    with pytest.raises(ValueError, match="prior"):
        probdd([1], [1.0], lambda kept: True)
