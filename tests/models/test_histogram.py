import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.histogram import Histogram
from models.statistics import quantile

LATENCIES_MS = st.floats(1e-3, 1e7)
SEVERAL = st.lists(LATENCIES_MS, max_size=60)
SHARES = st.sampled_from([0.0, 0.01, 0.07, 0.5, 0.9, 0.95, 0.99, 0.999, 1.0])


@given(st.lists(LATENCIES_MS, min_size=1, max_size=100), SHARES)
def test_a_quantile_is_within_a_twentieth_of_a_percent(values, share):
    assert Histogram(values).quantile(share) == pytest.approx(quantile(values, share), rel=0.0005)


@given(SEVERAL, SEVERAL)
def test_merging_is_counting_everything(some, others):
    merged = Histogram(some).merged(Histogram(others))
    assert merged == Histogram(some + others)
    assert merged.count == len(some) + len(others)
    assert merged == Histogram(others).merged(Histogram(some))


@given(SEVERAL, SEVERAL, SEVERAL)
def test_it_does_not_matter_which_are_merged_first(a, b, c):
    one, two, three = Histogram(a), Histogram(b), Histogram(c)
    assert one.merged(two).merged(three) == one.merged(two.merged(three))


@given(SEVERAL, st.randoms())
def test_the_order_of_values_does_not_matter(values, random):
    shuffled = values[:]
    random.shuffle(shuffled)
    assert Histogram(shuffled) == Histogram(values)


def test_merging_leaves_both_as_they_were():
    one, other = Histogram([1.0]), Histogram([2.0])
    one.merged(other)
    assert (one, other) == (Histogram([1.0]), Histogram([2.0]))


def test_many_equal_values_are_one_bucket():
    many = Histogram()
    many.add(20.0, count=1_000_000)
    many.add(900.0)
    assert many.count == 1_000_001
    assert many.quantile(0.999) == pytest.approx(20.0, rel=0.0005)
    assert many.quantile(1.0) == pytest.approx(900.0, rel=0.0005)


@pytest.mark.parametrize("value", [0.0, -3.0])
def test_no_time_at_all_is_the_least(value):
    assert Histogram([value, 5.0]).quantile(0.5) == 0.0


def test_nothing_has_no_quantile():
    with pytest.raises(ValueError, match="no values"):
        Histogram().quantile(0.5)


def test_different_values_are_different():
    assert Histogram([1.0]) != Histogram([1.01])
    assert Histogram([1.0]) != Histogram([1.0, 1.0])
