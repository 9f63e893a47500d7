from fractions import Fraction
from math import ceil, comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.statistics import BAD_LEAST, CHANCE_MOST, chance_of, exceeds, quantile

PROMISES = (0.001, 0.01, 0.05)


def exact_chance(bad, total, share):
    """In whole numbers, without any rounding."""
    p = Fraction(str(share))
    yes, no = p.numerator, p.denominator - p.numerator
    ways = sum(comb(total, k) * yes**k * no ** (total - k) for k in range(bad, total + 1))
    return Fraction(ways, p.denominator**total)


@pytest.mark.parametrize("share", [*PROMISES, 0.5, 0.97])
@pytest.mark.parametrize("total", [1, 20, 40, 137, 400])
def test_the_tail_of_the_binomial_is_exact(share, total):
    for bad in {0, 1, 2, 3, 5, total // 2, total - 1, total}:
        expected = float(exact_chance(bad, total, share))
        assert chance_of(bad, total, share) == pytest.approx(expected, rel=1e-9, abs=1e-300)


def test_a_long_run_is_told_in_time_and_still_right():
    ways = sum(comb(20_000, k) * 99 ** (20_000 - k) for k in range(270, 500))
    assert chance_of(270, 20_000, 0.01) == pytest.approx(float(Fraction(ways, 100**20_000)), rel=1e-8)
    assert chance_of(500_100, 50_000_000, 0.01) == pytest.approx(0.44, abs=0.01)


@pytest.mark.parametrize("share", PROMISES)
@pytest.mark.parametrize("total", [20, 40, 100, 1000])
def test_a_service_that_just_keeps_its_promise_is_accused_in_one_of_a_million_runs_at_most(share, total):
    least = next(bad for bad in range(total + 1) if exceeds(bad, total, share))
    assert exact_chance(least, total, share) < CHANCE_MOST
    assert least == BAD_LEAST or exact_chance(least - 1, total, share) >= CHANCE_MOST


def test_a_night_of_questions_accuses_no_such_service():
    """5000 scenarios, 20 questions each: less than one wrong finding in ten nights."""
    assert 5000 * 20 * CHANCE_MOST <= 0.1 + 1e-12


@pytest.mark.parametrize(
    ("bad", "total", "share"), [(5, 100, 0.001), (4, 40, 0.001), (7, 40, 0.01), (12, 40, 0.05)]
)
def test_what_is_broken_shows_in_few_requests(bad, total, share):
    assert exceeds(bad, total, share)
    assert not exceeds(bad - 1, total, share)


@pytest.mark.parametrize("share", [0.0, *PROMISES])
def test_two_stray_failures_accuse_nobody(share):
    assert not any(exceeds(2, total, share) for total in range(2, 2000))


def test_who_promises_no_failure_at_all_is_accused_by_three():
    assert exceeds(3, 1_000_000, 0.0)


def test_a_promise_that_allows_everything_is_never_broken():
    assert not exceeds(100, 100, 1.0)


@given(st.integers(0, 60), st.integers(0, 300), st.integers(0, 300), st.sampled_from([0.0, *PROMISES]))
def test_more_good_requests_never_make_it_worse(bad, good, more, share):
    assert exceeds(bad, bad + good, share) or not exceeds(bad, bad + good + more, share)


@given(st.integers(0, 60), st.integers(0, 300), st.sampled_from([0.0, *PROMISES]))
def test_more_bad_requests_never_make_it_better(bad, good, share):
    assert not exceeds(bad, bad + good, share) or exceeds(bad + 1, bad + 1 + good, share)


@given(st.lists(st.integers(0, 50), min_size=1, max_size=200), st.integers(0, 100))
def test_a_quantile_is_the_smallest_value_that_so_many_do_not_exceed(values, percent):
    found = quantile(values, percent / 100)
    wanted = max(1, ceil(Fraction(percent, 100) * len(values)))
    assert found in values
    assert sum(value <= found for value in values) >= wanted
    assert sum(value < found for value in values) < wanted


def test_a_rank_is_not_off_by_the_rounding_of_its_share():
    values = range(1, 101)
    assert [quantile(values, percent / 100) for percent in values] == list(values)


def test_nothing_has_no_quantile():
    with pytest.raises(ValueError, match="no values"):
        quantile([], 0.5)
