"""Plays each scenario on a fleet of its own, where fleets cost nothing: what it shows depends on it alone."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

from fuzzer.events import Played
from fuzzer.halts import Halt
from fuzzer.runner import Runner
from fuzzer.traffic import MakeTraffic
from models.scenario import Scenario


class AnewPlayer:
    """Meets ``Player``.

    Args:
        make: a runner on a fleet that nothing has happened to, for one scenario.
    """

    def __init__(self, make: Callable[[], AbstractContextManager[Runner]]) -> None:
        self._make = make

    def play(
        self,
        scenario: Scenario,
        purpose: str = "replay",
        *,
        fresh: bool = False,
        stop_at: str | None = None,
        make_traffic: MakeTraffic | None = None,
    ) -> Played:
        """Play it; every fleet is fresh."""
        with self._make() as runner:
            return runner.play(scenario, purpose, stop_at=stop_at, make_traffic=make_traffic)

    def leave_steady(self) -> str:
        """Nothing is left of any fleet."""
        return ""

    def leave_lifted(self, halt: Halt) -> None:
        """Nothing is left of any fleet."""
