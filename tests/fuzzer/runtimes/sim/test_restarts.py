"""Restart policies act as Docker's do."""

from __future__ import annotations

import pytest

from fuzzer.runtimes.sim.restarts import ENGINE_S, Restarts
from models.target import Restart, RestartPolicy

ALWAYS = RestartPolicy(Restart.ALWAYS)


def backoffs(restarts: Restarts, ran_s: list[float]) -> list[float]:
    return [round(restarts.after_s(1, each) - ENGINE_S, 6) for each in ran_s]


def test_each_death_in_a_row_waits_twice_as_long_up_to_a_minute():
    waits = backoffs(Restarts(ALWAYS), [1.0] * 12)
    assert waits == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 51.2, 60.0, 60.0]


def test_a_process_that_ran_for_ten_seconds_begins_anew():
    assert backoffs(Restarts(ALWAYS), [1.0, 1.0, 10.0, 9.9]) == [0.1, 0.2, 0.1, 0.2]


def test_deaths_without_end_are_no_problem():
    restarts = Restarts(ALWAYS)
    assert backoffs(restarts, [0.0] * 3000)[-1] == 60.0


@pytest.mark.parametrize(
    ("policy", "code", "back"),
    [
        (Restart.NO, 1, False),
        (Restart.ON_FAILURE, 0, False),
        (Restart.ON_FAILURE, 1, True),
        (Restart.ALWAYS, 0, True),
        (Restart.UNLESS_STOPPED, 137, True),
    ],
)
def test_a_policy_acts_on_the_exit_code(policy, code, back):
    assert (Restarts(RestartPolicy(policy)).after_s(code, 1.0) is not None) is back


def test_retries_end_until_an_operator_starts_it():
    restarts = Restarts(RestartPolicy(Restart.ON_FAILURE, 2))
    assert [restarts.after_s(1, 60.0) is not None for _ in range(3)] == [True, True, False]
    assert restarts.count == 2
    restarts.begin_anew()
    assert restarts.after_s(1, 1.0) == pytest.approx(0.1 + ENGINE_S)
