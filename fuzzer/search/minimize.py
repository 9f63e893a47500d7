"""Makes a failing scenario as small as it gets on a real fleet, and proves that each step is needed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fuzzer.actions.base_load import Loading
from fuzzer.actions.catalogue import ACTIONS
from fuzzer.events import Played
from fuzzer.player import Player
from fuzzer.scenarios import is_harmful
from fuzzer.search.probdd import probdd
from fuzzer.search.replays import SHRINKING_MISS, OutOfTime, Replays
from invariants.catalogue import TO_CLIENTS
from models.errors import KnockonError, ScenarioError
from models.history import StepState
from models.scenario import Scenario
from models.step import Step
from models.verdict import Violation

CONFIRMATIONS = 3

HARMLESS_PRIOR = 0.05
CLIENTS_PRIOR = 0.9
"""Of a load: a promise to clients cannot be broken without any."""

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
        settled: executions until it was confirmed, before the proof.
    """

    scenario: Scenario
    reproduced: int
    replays: int
    necessary: bool | None
    shrinking: int
    settled: int


def minimize(played: Played, violation: Violation, replays: Replays, twin: Player | None = None) -> Minimized:
    """Cut after the violating step, confirm, shrink the steps, then their arguments, then prove.

    Where a twin shows the same violation, it is asked first: what it needs is confirmed at once, and if
    the fleet shows it, too, nothing is left to shrink but what the proof finds. Where they disagree, the
    twin's opinion is only a prior.

    The proof has time of its own: what took long to make small is not left without one.

    A failure that never shows again is returned as it was: seen, but not reproduced.
    """
    best = _reached(played)
    necessary: bool | None = None
    began = 0
    foreseen = smallest_in(twin, best, violation) if twin else None
    try:
        if foreseen and _shows(foreseen, replays):
            best = foreseen
            replays.confirm(best, CONFIRMATIONS - replays.counts(best)[1])
        elif replays.confirm(best, CONFIRMATIONS)[0]:
            began = replays.executions
            best = _fewer_steps(best, violation, replays, foreseen)
            best = _simpler_steps(best, lambda candidate: _shows(candidate, replays))
    except OutOfTime:
        best = replays.last_shown.scenario if replays.last_shown else best
    ended = replays.executions
    replays.proving = True
    try:
        if replays.last_shown:
            best, necessary = _prove(best, replays)
            watched = replays.watched(best) is not None
            replays.confirm(best, max(not watched, CONFIRMATIONS - replays.counts(best)[1]))
    except OutOfTime:
        best = replays.last_shown.scenario if replays.last_shown else best
    shown, of = replays.counts(best)
    return Minimized(best, shown, of, necessary, ended - began, ended)


def _reached(played: Played) -> Scenario:
    """The steps up to the one after which the violation was seen, as they were asked for.

    Who was primary then need not be so in a replay.
    """
    if played.history is None:
        return played.scenario
    done = sum(step.state is StepState.DONE for step in played.history.steps)
    return played.scenario[:done] if done else played.scenario


def smallest_in(twin: Player, scenario: Scenario, violation: Violation) -> Scenario | None:
    """The smallest part that shows the same in a simulated twin; None if the twin does not show it at all."""

    def shows(candidate: Scenario) -> bool:
        try:
            played = twin.play(candidate, "foresee", stop_at=violation.signature)
        except KnockonError:
            return False
        return is_harmful(candidate) and played.shows(violation.signature)

    def still_shows(steps: list[Step]) -> bool:
        return bool(steps) and shows(Scenario.of(steps))

    if not shows(scenario):
        return None
    needed = probdd(scenario.steps, [0.5] * len(scenario), still_shows)
    return _simpler_steps(Scenario.of(needed), shows)


def _fewer_steps(
    scenario: Scenario, violation: Violation, replays: Replays, foreseen: Scenario | None
) -> Scenario:
    last_fault = max((i for i, step in enumerate(scenario) if ACTIONS[step.action].harmful), default=-1)
    prior = [_prior(step, violation, index == last_fault) for index, step in enumerate(scenario)]
    if foreseen:  # the twin is wrong about something, so it is not believed about the rest
        prior = [
            max(p, BLAMED_PRIOR) if step in foreseen.steps else p
            for p, step in zip(prior, scenario, strict=True)
        ]

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

    Waits and heals rarely are, loads only where clients were let down; the last fault before the violation
    often is, and so are faults on services that whoever broke the promise is known to depend on.
    """
    if isinstance(ACTIONS[step.action], Loading) and violation.invariant in TO_CLIENTS:
        return CLIENTS_PRIOR
    if not ACTIONS[step.action].harmful:
        return HARMLESS_PRIOR
    paths = " ".join(line for line in violation.evidence if line.startswith("path:"))
    known = any(name in paths or name == violation.service for name in step.targets)
    return BLAMED_PRIOR if last or known else FAULT_PRIOR


def _simpler_steps(scenario: Scenario, shows: Callable[[Scenario], bool]) -> Scenario:
    """Simpler arguments, step by step, until none helps."""
    for index, step in enumerate(scenario):
        for simpler in ACTIONS[step.action].simpler(step):
            candidate = Scenario.of((*scenario.steps[:index], simpler, *scenario.steps[index + 1 :]))
            if shows(candidate):
                return _simpler_steps(candidate, shows)
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
