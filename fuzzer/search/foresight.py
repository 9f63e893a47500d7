"""Asks a simulated twin which of several scenarios to play on a fleet where each costs seconds.

First those in which the twin finds trouble that is new, then those of which it cannot say, then the rest,
as novel as they are. Where the twin was wrong about somebody, it is not asked about the same again.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from fuzzer.events import Played
from fuzzer.player import Player
from models.errors import KnockonError
from models.scenario import Scenario
from models.verdict import Outcome


class Foresight:
    """What the twin expects.

    Args:
        twin: plays in no time; None, and the most novel one is chosen.
    """

    def __init__(self, twin: Player | None) -> None:
        self._twin = twin
        self._expected: dict[Scenario, tuple[str, ...]] = {}
        self._wrong: set[str] = set()

    def choose(self, candidates: Sequence[Scenario], known: Collection[str]) -> Scenario | None:
        """The one to play, of candidates of which the first is the most novel; None of none."""
        if self._twin is None or not candidates:
            return next(iter(candidates), None)
        ranks = [self._rank(candidate, known) for candidate in candidates]
        return candidates[ranks.index(min(ranks))]

    def compare(self, played: Played) -> None:
        """Learn from what was really seen where the twin was wrong."""
        if played.outcome is Outcome.HOLDS:
            self._wrong.update(self._expected.get(played.scenario, ()))
        self._expected.clear()

    def _rank(self, scenario: Scenario, known: Collection[str]) -> int:
        assert self._twin
        try:
            played = self._twin.play(scenario, "foresee")
        except KnockonError:
            return 2
        self._expected[scenario] = tuple(violation.signature for violation in played.violations)
        if any(one not in known and one not in self._wrong for one in self._expected[scenario]):
            return 0
        return 1 if played.outcome is Outcome.UNKNOWN else 2
