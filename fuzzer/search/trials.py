"""Plays scenarios for a search, each once; counts what they told, and says when it is enough."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from fuzzer.actions.base import Action
from fuzzer.events import Played
from fuzzer.player import Player
from fuzzer.search.coverage import CoverageMap
from fuzzer.search.latest import Latest
from fuzzer.search.tally import Tally
from invariants.base import Invariant
from models.errors import InvariantViolated
from models.scenario import Scenario
from models.target import Target
from models.verdict import Outcome, Violation

INCONCLUSIVE_IN_A_ROW_MOST = 3
RETRIES_OF_UNKNOWN = 1

REMEMBERED = 1000
"""Scenarios whose outcome is remembered; Hypothesis writes the same again while it shrinks, soon after."""


class SearchOver(KeyboardInterrupt):
    """Enough; the one clean way to end a Hypothesis run from inside."""


@dataclass(frozen=True)
class Enough:
    """When a search has done enough.

    Attributes:
        until_s: when its budget is spent, None without one.
        budget_s: how much that was.
        scenarios: how many are played at most.
    """

    until_s: float | None
    budget_s: float | None
    scenarios: int


class Trials:
    """What was played so far.

    Args:
        player: who plays.
        invariants: whose promises count.
        now: the time in which the budget is measured, seconds.
        enough: when it is over.

    Attributes:
        executions: all scenarios played, with confirmations.
        known: signatures that were found before, and are no news.
        gave_up: whether it is over because scenarios tell nothing.
    """

    def __init__(
        self,
        target: Target,
        actions: Mapping[str, Action],
        player: Player,
        invariants: Sequence[Invariant],
        now: Callable[[], float],
        enough: Enough,
    ) -> None:
        self.tally = Tally()
        self.coverage = CoverageMap(target, actions)
        self.executions = 0
        self.known: set[str] = set()
        self.gave_up = False
        self._player = player
        self._errors = {invariant.name: invariant.error for invariant in invariants}
        self._now = now
        self._enough = enough
        self._memo: Latest[Scenario, Played] = Latest(REMEMBERED)
        self._tried = 0
        self._inconclusive_in_a_row = 0

    def stop_if_over(self) -> None:
        """Raise ``SearchOver`` when it is enough."""
        if self._tried >= self._enough.scenarios:
            raise SearchOver(f"all {self._enough.scenarios} examples were tried")
        if self._enough.until_s is not None and self._now() >= self._enough.until_s:
            raise SearchOver(f"the budget of {self._enough.budget_s:g} s is spent")
        if self._inconclusive_in_a_row >= INCONCLUSIVE_IN_A_ROW_MOST:
            self.gave_up = True
            raise SearchOver(f"{INCONCLUSIVE_IN_A_ROW_MOST} scenarios in a row told nothing")

    def recall(self, scenario: Scenario) -> Played | None:
        """What a scenario told, if it was played."""
        return self._memo.get(scenario)

    def play(self, scenario: Scenario) -> Played:
        """What a scenario told, for the first time or again.

        An UNKNOWN is tried again on a renewed fleet before it counts. Only a history that shows something
        new is kept, and verdicts only beside a violation: they are large.
        """
        known = self._memo.get(scenario)
        if known is None:
            self._tried += 1
            known = self.play_anew(scenario)
            if not self.news(known):
                known = replace(known, history=None, verdicts=known.verdicts if known.violations else ())
            self._memo.put(scenario, known)
        return known

    def play_anew(self, scenario: Scenario) -> Played:
        """The same, with the history in any case; not remembered."""
        for attempt in range(1 + RETRIES_OF_UNKNOWN):
            self.executions += 1
            played = self._player.play(scenario, "search", fresh=attempt > 0)
            self.coverage.add(played)
            if played.outcome is not Outcome.UNKNOWN:
                break
        told = played.outcome is not Outcome.UNKNOWN
        self._inconclusive_in_a_row = 0 if told else self._inconclusive_in_a_row + 1
        self.tally.add(played)
        return played

    def replay(self, scenario: Scenario, stop_at: str | None) -> Played:
        """Play once more on a fresh fleet, until a signature shows."""
        self.executions += 1
        return self._player.play(scenario, "shrink", fresh=True, stop_at=stop_at)

    def news(self, played: Played | None) -> Violation | None:
        """The gravest violation, if it was not found before."""
        if played is None or played.outcome is not Outcome.VIOLATED:
            return None
        gravest = played.violations[0]
        return None if gravest.signature in self.known else gravest

    def error(self, violation: Violation) -> InvariantViolated:
        """What Hypothesis is told: a class for each promise, so that it does not merge them."""
        return self._errors[violation.invariant](violation.summary)
