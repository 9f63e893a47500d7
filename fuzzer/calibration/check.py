"""Where the twin and reality disagree: recorded scenarios, played again in the twin.

The verdict agrees if both held or both broke a promise. The signature agrees if, beyond that, the gravest
violation that was seen in reality is among those of the twin: then it can be shrunk there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from fuzzer.calibration.record import PlayedLine
from fuzzer.events import Played
from models.errors import ScenarioError
from models.scenario import Scenario
from models.verdict import Outcome


class Plays(Protocol):
    """Whoever plays scenarios in the twin."""

    def play(self, scenario: Scenario, purpose: str = "replay") -> Played:
        """Play one."""
        ...


@dataclass(frozen=True)
class Compared:
    """One recorded scenario, and what the twin made of it."""

    line: PlayedLine
    twin: Played

    @property
    def same_verdict(self) -> bool:
        """Whether both held, or both broke something."""
        return self.twin.outcome is self.line.outcome

    @property
    def same_signature(self) -> bool:
        """Whether the twin also shows the gravest violation."""
        return self.same_verdict and all(self.twin.shows(one) for one in self.line.signatures[:1])

    @property
    def reality(self) -> str:
        """What was seen, for people."""
        return told(self.line.outcome, self.line.signatures)

    @property
    def foretold(self) -> str:
        """What the twin showed, for people."""
        return told(self.twin.outcome, [v.signature for v in self.twin.violations], self.twin.reason)


def compare(lines: Iterable[PlayedLine], twin: Plays) -> Iterator[Compared]:
    """Play each again, whatever it told; one that makes no sense any more is left out."""
    for line in lines:
        if line.outcome is Outcome.UNKNOWN:
            continue
        try:
            yield Compared(line, twin.play(line.steps, "check"))
        except ScenarioError:
            continue  # a service or a load has another name now


def told(outcome: Outcome, signatures: Iterable[str], reason: str = "") -> str:
    """An outcome in a few words."""
    shown = list(signatures)
    if not shown:
        return f"{outcome}: {reason}" if reason else str(outcome)
    more = f" and {len(shown) - 1} more" if len(shown) > 1 else ""
    return f"{shown[0]}{more}"
