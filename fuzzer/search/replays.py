"""Plays scenarios again on a fleet that need not be deterministic, and remembers what they showed.

A scenario shows a violation when the same signature shows at least once in ``k`` replays, and holds
when it shows in none of them. ``k`` follows from how often the violation reproduced so far, and from
the chance of missing it that the question bears: one in four while shrinking, where a missed cut costs
a step that the proof finds afterwards; one in twenty in the proof.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from fuzzer.events import Played
from models.scenario import Scenario
from models.verdict import Outcome

SHRINKING_MISS = 0.25
PROOF_MISS = 0.05
REPLAYS_MOST = 12
UNKNOWN_MOST = 2


class OutOfTime(Exception):
    """No more executions are allowed."""


@dataclass
class _Record:
    watched: Played | None = None
    shown: int = 0
    held: int = 0
    unknown: int = 0


@dataclass
class Replays:
    """Counts what replays of scenarios showed, for one signature.

    Args:
        play: plays a scenario on a fresh fleet; with a signature, only until that shows.
        signature: the violation that counts.
        may_go_on: asked before each execution.
        known: how often the scenario is known to show it, of how many replays; sets the patience.
        untested_holds: whether a scenario that does not put the promise to the test counts as one in
            which it holds. It does for a cut ("without this step nothing breaks"), not for a guard.
        proving: whether what is played now is for the proof, for which more time may be left.
    """

    play: Callable[[Scenario, str | None], Played]
    signature: str
    may_go_on: Callable[[], bool]
    known: tuple[int, int] = (0, 0)
    untested_holds: bool = False
    proving: bool = False
    executions: int = 0
    last_shown: Played | None = None
    last_other: Played | None = None
    last_reason: str = ""
    _records: dict[Scenario, _Record] = field(default_factory=dict)

    def once(self, scenario: Scenario, *, watch: bool = False) -> Outcome:
        """Play once more: VIOLATED if the signature showed, HOLDS if not, UNKNOWN if nothing can be said.

        ``watch`` goes on after the signature showed, so that everything else shows, too.

        Raises:
            OutOfTime: no more executions are allowed.
        """
        if not self.may_go_on():
            raise OutOfTime
        self.executions += 1
        played = self.play(scenario, None if watch else self.signature)
        record = self._records.setdefault(scenario, _Record())
        if played.shows(self.signature):
            record.shown += 1
            record.watched = played if watch else record.watched
            self.last_shown = played
            return Outcome.VIOLATED
        if played.violations:
            self.last_other = played
        promise = self.signature.partition(":")[0]
        untested = played.untested(promise)
        if not played.keeps(promise) and not (untested and self.untested_holds):
            record.unknown += 1
            self.last_reason = played.reason or untested or "it was not played to its end"
            return Outcome.UNKNOWN
        record.held += 1
        return Outcome.HOLDS

    def confirm(self, scenario: Scenario, times: int) -> tuple[int, int]:
        """Replay some times: how often it showed, of how many that said anything. Sets the rate."""
        for _ in range(times):
            outcome = self.once(scenario, watch=True)
            shown, of = self.known
            self.known = (
                shown + (outcome is Outcome.VIOLATED),
                of + (outcome is not Outcome.UNKNOWN),
            )
        return self.counts(scenario)

    def watched(self, scenario: Scenario) -> Played | None:
        """A replay of the scenario that showed the signature and was watched to its end."""
        return self._records.get(scenario, _Record()).watched

    def counts(self, scenario: Scenario) -> tuple[int, int]:
        """How often a scenario showed the signature, of how many replays that said anything."""
        record = self._records.get(scenario, _Record())
        return record.shown, record.shown + record.held

    def patience(self, miss: float) -> int:
        """How many replays in which it does not show make a scenario hold, but for this chance.

        The rate itself is only known from a few replays: three of three may well be a rate of 0.7. So the
        chance is that of a Beta-Bernoulli process, which starts from knowing nothing.
        """
        shown, of = self.known
        chance, replays = 1.0, 0
        while chance > miss and replays < REPLAYS_MOST:
            chance *= (of - shown + 1 + replays) / (of + 2 + replays)
            replays += 1
        return replays

    def shows(self, scenario: Scenario, miss: float = PROOF_MISS) -> bool:
        """Whether the signature shows in as many replays as that takes; known results count."""
        record = self._records.setdefault(scenario, _Record())
        patience = self.patience(miss)
        while not record.shown and record.held < patience and record.unknown <= UNKNOWN_MOST:
            self.once(scenario)
        return record.shown > 0

    def holds(self, scenario: Scenario) -> bool | None:
        """Whether a scenario was shown to hold; None when replays were inconclusive."""
        if self.shows(scenario):
            return False
        return True if self.counts(scenario)[1] >= self.patience(PROOF_MISS) else None
