"""Folding planned steps into what is expected after them, with nominal times."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from fuzzer.actions.catalogue import ACTIONS
from models.expected import Expected
from models.step import Step


def after(step: Step, expected: Expected) -> Expected:
    """What is expected after one more step."""
    action = ACTIONS[step.action]
    begun = action.begin(step, expected)
    return action.end(step, begun.passed(action.nominal_s(step)))


def fold(steps: Iterable[Step], expected: Expected) -> Iterator[tuple[Step, Expected, Expected]]:
    """Each step, with what is expected before and after it."""
    for step in steps:
        before, expected = expected, after(step, expected)
        yield step, before, expected
