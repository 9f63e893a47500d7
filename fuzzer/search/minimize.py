"""Makes a failing scenario as small as it gets on a real fleet, and proves that each step is needed."""

from __future__ import annotations

from dataclasses import dataclass

from fuzzer.actions.catalogue import ACTIONS
from fuzzer.events import Played
from fuzzer.scenarios import is_harmful
from fuzzer.search.probdd import probdd
from fuzzer.search.replays import SHRINKING_MISS, OutOfTime, Replays
from models.errors import ScenarioError
from models.history import StepState
from models.scenario import Scenario
from models.step import Step
from models.verdict import Violation

CONFIRMATIONS = 3

HARMLESS_PRIOR = 0.05
FAULT_PRIOR = 0.25
BLAMED_PRIOR = 0.6


@dataclass(frozen=True)
class Minimized:
    """What came out, as far as the time allowed.

    Attributes:
        scenario: the smallest that still fails.
        reproduced: how often it did, of ``replays``.
        necessary: whether each step was shown to be needed; None if that is not known.
        shrinking: executions spent between confirmation and proof.
    """

    scenario: Scenario
    reproduced: int
    replays: int
    necessary: bool | None
    shrinking: int


def minimize(played: Played, violation: Violation, replays: Replays) -> Minimized:
    """Cut after the violating step, confirm, shrink the steps, then their arguments, then prove.

    A failure that never shows again is returned as it was: seen, but not reproduced.
    """
    best = _reached(played)
    necessary: bool | None = None
    began = ended = 0
    try:
        shown, _ = replays.confirm(best, CONFIRMATIONS)
        if shown:
            began = ended = replays.executions
            best = _fewer_steps(best, violation, replays)
            best = _simpler_steps(best, replays)
            ended = replays.executions
            best, necessary = _prove(best, replays)
            watched = replays.watched(best) is not None
            replays.confirm(best, max(not watched, CONFIRMATIONS - replays.counts(best)[1]))
    except OutOfTime:
        ended = max(ended, replays.executions)
        best = replays.last_shown.scenario if replays.last_shown else best
    shown, of = replays.counts(best)
    return Minimized(best, shown, of, necessary, ended - began)


def _reached(played: Played) -> Scenario:
    """The steps up to the one after which the violation was seen."""
    if played.history is None:
        return played.scenario
    done = [step.step for step in played.history.steps if step.state is StepState.DONE]
    return Scenario.of(done) if done else played.scenario


def _fewer_steps(scenario: Scenario, violation: Violation, replays: Replays) -> Scenario:
    last_fault = max((i for i, step in enumerate(scenario) if ACTIONS[step.action].harmful), default=-1)
    prior = [_prior(step, violation, index == last_fault) for index, step in enumerate(scenario)]

    def still_fails(steps: list[Step]) -> bool:
        return bool(steps) and _shows(Scenario.of(steps), replays)

    return Scenario.of(probdd(scenario.steps, prior, still_fails))


def _shows(scenario: Scenario, replays: Replays) -> bool:
    """Whether a cut still shows it. One that may not be played (too many faults at once) does not.

    Nor is one tried that harms nobody: what breaks by load alone is told by the proof.
    """
    try:
        return is_harmful(scenario) and replays.shows(scenario, SHRINKING_MISS)
    except ScenarioError:
        return False


def _prior(step: Step, violation: Violation, last: bool) -> float:
    """How probably a step is needed.

    Waits, loads and heals rarely are; the last fault before the violation often is, and so are faults
    on services that whoever broke the promise is known to depend on.
    """
    if not ACTIONS[step.action].harmful:
        return HARMLESS_PRIOR
    paths = " ".join(line for line in violation.evidence if line.startswith("path:"))
    known = any(name in paths or name == violation.service for name in step.targets)
    return BLAMED_PRIOR if last or known else FAULT_PRIOR


def _simpler_steps(scenario: Scenario, replays: Replays) -> Scenario:
    """Simpler arguments, step by step, until none helps."""
    for index, step in enumerate(scenario):
        for simpler in ACTIONS[step.action].simpler(step):
            candidate = Scenario.of((*scenario.steps[:index], simpler, *scenario.steps[index + 1 :]))
            if _shows(candidate, replays):
                return _simpler_steps(candidate, replays)
    return scenario


def _prove(scenario: Scenario, replays: Replays) -> tuple[Scenario, bool | None]:
    """That it holds without each step, and with no fault at all; most of it is known already.

    A step that turns out not to be needed is left out, and the rest proved again.
    """
    fewer = [scenario.without(index) for index in range(len(scenario))] if len(scenario) > 1 else []
    harmless = [step for step in scenario if not ACTIONS[step.action].harmful]
    fewer.append(Scenario.of(harmless or [Step.of("wait", duration_s=1)]))
    proofs = []
    for candidate in dict.fromkeys(fewer):
        try:
            holds = replays.holds(candidate)
        except ScenarioError:
            continue  # without that step the rest may not be played at all
        if holds is False:
            return _prove(candidate, replays) if candidate != fewer[-1] else (scenario, False)
        proofs.append(holds)
    return scenario, None if None in proofs else True
