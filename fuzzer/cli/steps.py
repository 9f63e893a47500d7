"""Steps that commands put together from their options."""

from __future__ import annotations

from collections.abc import Sequence

from fuzzer.actions.catalogue import ACTIONS
from models.step import Step

FAULTS = tuple(name for name, action in ACTIONS.items() if action.harmful)


def faults(action: str, services: Sequence[str]) -> list[Step]:
    """A fault on all services at once where the action can do that, else one after the other."""
    together = ACTIONS[action].most_targets >= len(services)
    return [Step.of(action, *services)] if together else [Step.of(action, name) for name in services]


def wait(seconds: float) -> Step:
    """A wait."""
    return Step.of("wait", duration_s=number(seconds))


def number(value: float) -> int | float:
    """A number as a person would write it."""
    value = round(value, 3)
    return int(value) if value.is_integer() else value
