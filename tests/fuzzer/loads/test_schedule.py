"""When requests are due: a user would see another rate than the one that was ordered."""

from collections import Counter
from itertools import islice, pairwise

import pytest

from fuzzer.loads.schedule import due_count, due_times, turns
from models.load import Shape


@pytest.mark.parametrize("shape", Shape)
@pytest.mark.parametrize(
    ("rate_rps", "duration_s", "count"), [(50, 3, 150), (0.1, 2, 1), (3, 0.7, 2), (10, 0.3, 3)]
)
def test_every_shape_has_the_same_number_of_requests_in_order_and_in_time(shape, rate_rps, duration_s, count):
    due = list(due_times(shape, rate_rps, duration_s))
    assert len(due) == due_count(rate_rps, duration_s) == count
    assert due == sorted(due)
    assert due[0] == 0
    assert due[-1] < duration_s


def test_steady_is_evenly_spread():
    assert {round(b - a, 9) for a, b in pairwise(due_times(Shape.STEADY, 40, 5))} == {0.025}


def test_a_ramp_grows_evenly_to_twice_the_rate():
    due = list(due_times(Shape.RAMP, 100, 10))
    in_second = Counter(int(at_s) for at_s in due)
    assert [in_second[second] for second in range(10)] == pytest.approx(
        [20 * second + 10 for second in range(10)], abs=1
    )


def test_a_burst_is_all_of_a_second_at_its_beginning():
    assert Counter(due_times(Shape.BURST, 30, 3)) == {0.0: 30, 1.0: 30, 2.0: 30}


def test_a_slow_burst_keeps_its_rate():
    assert list(due_times(Shape.BURST, 0.5, 6)) == [0.0, 2.0, 4.0]


def test_turns_are_in_proportion_to_weights():
    assert Counter(islice(turns([1, 3, 0.5]), 900)) == {0: 200, 1: 600, 2: 100}


def test_turns_are_mixed():
    """No endpoint is starved for longer than its weight explains, at any point."""
    taken = list(islice(turns([5, 1, 1]), 70))
    for begin in range(63):
        assert set(taken[begin : begin + 7]) == {0, 1, 2}


def test_one_endpoint_has_every_turn():
    assert list(islice(turns([0.2]), 3)) == [0, 0, 0]
