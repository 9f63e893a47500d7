"""What happens in a run, as values. The engine emits events; reports listen and print.

Nothing below a listener knows how it is shown, and a listener never changes what it is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from fuzzer.halts import Halt
from models.coverage import Coverage
from models.histogram import Histogram
from models.history import History
from models.scenario import Scenario
from models.step import Step
from models.target import Target
from models.verdict import Outcome, Verdict, Violation


@dataclass(frozen=True)
class Played:
    """One scenario was played and judged.

    Attributes:
        violations: the gravest first.
        reason: why nothing can be said, when the outcome is UNKNOWN.
        complete: whether it was played as written, to its end: only then does a promise that was not
            broken count as kept.
        seconds: from the gate to the verdict.
    """

    scenario: Scenario
    outcome: Outcome
    verdicts: tuple[Verdict, ...] = ()
    violations: tuple[Violation, ...] = ()
    reason: str = ""
    complete: bool = True
    seconds: float = 0.0
    history: History | None = None

    def shows(self, signature: str) -> bool:
        """Whether a violation of this signature is among those found."""
        return any(violation.signature == signature for violation in self.violations)

    def keeps(self, invariant: str) -> bool:
        """Whether the scenario was played to its end and this promise was kept."""
        held = (v.outcome is Outcome.HOLDS for v in self.verdicts if v.invariant == invariant)
        return self.complete and any(held)

    def untested(self, invariant: str) -> str:
        """Why the scenario, played to its end, did not put this promise to the test; "" if it did."""
        reasons = (v.reason for v in self.verdicts if v.invariant == invariant and not v.exercised)
        return next(reasons, "") if self.complete and self.outcome is not Outcome.UNKNOWN else ""


@dataclass(frozen=True)
class Finding:
    """A violation, made as small as it gets.

    Attributes:
        original: the scenario that first showed it.
        minimal: the smallest that still does.
        reproduced: how often the minimal scenario showed it, of ``replays``.
        necessary: whether it holds without each remaining step, and without any fault; None if the
            time was over before that was known.
        shrinking: scenarios played to shrink it, of ``executions`` with confirmation and proof.
        rests_on: what is only assumed of the services that have a part in it, where they were modelled.
    """

    target: Target
    runtime: str
    original: Scenario
    minimal: Scenario
    violation: Violation
    also: tuple[Violation, ...] = ()
    reproduced: int = 1
    replays: int = 1
    necessary: bool | None = None
    shrinking: int = 0
    executions: int = 0
    seconds: float = 0.0
    saved: Path | None = None
    rests_on: tuple[str, ...] = ()


@dataclass(frozen=True)
class Noted:
    """Something that a person may want to know, and that changes nothing."""

    text: str


@dataclass(frozen=True)
class RunBegan:
    """The fleet is up and the search begins.

    Attributes:
        budget_s: None without a limit.
        modelled: whether there is no fleet, only a model of one.
    """

    target: Target
    runtime: str
    budget_s: float | None
    modelled: bool = False


@dataclass(frozen=True)
class ScenarioBegan:
    """A scenario passed its gate. ``purpose``: search, shrink, replay, pin or guard."""

    scenario: Scenario
    purpose: str


@dataclass(frozen=True)
class EngineAwaited:
    """The engine went away; before anything else it is waited for. ``why`` is a sentence."""

    why: str
    limit_s: float


@dataclass(frozen=True)
class StepBegan:
    """A step is being played."""

    step: Step


@dataclass(frozen=True)
class ScenarioEnded:
    """A scenario was judged."""

    played: Played
    purpose: str


@dataclass(frozen=True)
class FindingBegan:
    """A violation was seen for the first time, and saved; it is being confirmed and shrunk."""

    played: Played
    saved: Path | None


@dataclass(frozen=True)
class FindingMade:
    """A finding is as small as it gets."""

    finding: Finding


@dataclass(frozen=True)
class Summary:
    """What a run tried and what held.

    Attributes:
        scenarios: distinct scenarios of the search that told something.
        executions: all scenarios played, with confirmation and shrinking.
        steps: how often each action took effect, by name.
        touched: how often each service was a fault's target.
        requests: how many requests loads sent, and how many were answered well.
        latency: ms, of those.
        inconclusive: reasons of scenarios that told nothing.
        ended: why the search ended.
        gave_up: whether it ended because scenarios told nothing.
        seed: writes the same scenarios again.
        coverage: what was exercised, and what never was.
        halt: what ended the run from outside of it; None if it came to its own end.
    """

    scenarios: int
    executions: int
    steps: Mapping[str, int]
    touched: Mapping[str, int]
    requests: tuple[int, int]
    latency: Histogram
    held: Mapping[str, int]
    inconclusive: tuple[str, ...]
    findings: tuple[Finding, ...]
    seconds: float
    ended: str
    gave_up: bool
    seed: int
    coverage: Coverage = field(default_factory=Coverage)
    halt: Halt | None = None


@dataclass(frozen=True)
class RunEnded:
    """The search is over."""

    summary: Summary


Event: TypeAlias = (
    Noted
    | RunBegan
    | ScenarioBegan
    | EngineAwaited
    | StepBegan
    | ScenarioEnded
    | FindingBegan
    | FindingMade
    | RunEnded
)
Listener: TypeAlias = Callable[[Event], None]


class Events:
    """Passes each event to every listener."""

    def __init__(self, *listeners: Listener) -> None:
        self._listeners = list(listeners)

    def add(self, listener: Listener) -> None:
        """Somebody else listens from now on."""
        self._listeners.append(listener)

    def emit(self, event: Event) -> None:
        """Tell everybody."""
        for listener in self._listeners:
            listener(event)
