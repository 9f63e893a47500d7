"""Draws the coverage map of a search, from histories: what was really played, not what was planned."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import permutations

from fuzzer.actions.base import Action
from fuzzer.actions.catalogue import ACTIONS
from fuzzer.events import Played
from fuzzer.scenarios import during
from models.coverage import Cell, Cells, Coverage, Dimension, LoadPhase
from models.errors import RequestError
from models.expected import Expected
from models.history import History, PlayedStep, StepState
from models.load import LoadRun, Phase
from models.target import Target
from models.verdict import Outcome


class CoverageMap:
    """What a search exercised so far.

    Args:
        target: says which services may be harmed, how many at once, and which loads there are.
        actions: what the runtime can do.
    """

    def __init__(self, target: Target, actions: Mapping[str, Action]) -> None:
        self._target = target
        self._undefined = undefined(target)
        self._every = _every(target, actions)
        self._exercised: dict[Dimension, Counter[Cell]] = {name: Counter() for name in Dimension}
        self._in_vain: dict[Dimension, Counter[Cell]] = {name: Counter() for name in Dimension}

    def add(self, played: Played) -> None:
        """Count one play. One that told nothing exercised nothing, but its vain tries count."""
        if played.history is None:
            return
        told = played.outcome is not Outcome.UNKNOWN
        for state, dimension, cell in _faults(played.history, self._target):
            if cell not in self._every[dimension]:
                continue
            if state is StepState.INVALID:
                self._in_vain[dimension][cell] += 1
            elif told and state is StepState.DONE:
                self._exercised[dimension][cell] += 1

    def so_far(self) -> Coverage:
        """The map as a value."""
        return Coverage(
            {
                name: Cells(
                    tuple(self._every[name]),
                    dict(self._exercised[name]),
                    dict(self._in_vain[name]),
                    self._undefined.get(name, ""),
                )
                for name in Dimension
            }
        )


def undefined(target: Target) -> dict[Dimension, str]:
    """Dimensions that have no cell on this target, each with the reason."""
    reasons = {}
    if target.safety.max_faults < 2:
        reasons[Dimension.PAIRS] = (
            f"x-knockon.safety.max_faults is {target.safety.max_faults}, "
            "so no two services are ever harmed at once"
        )
    elif len(target.faultable) < 2:
        reasons[Dimension.PAIRS] = "fewer than two services may be harmed"
    if not target.loads:
        reasons[Dimension.PHASES] = "x-knockon.loads names no load"
    elif not ACTIONS["load"].candidates(target, _start(target)):
        reasons[Dimension.PHASES] = "no load can be sent: their services publish no port"
    return reasons


def refuse_undefined(target: Target, least: Mapping[Dimension, float]) -> None:
    """Refuse to ask for a share of nothing.

    Raises:
        RequestError: this target has nothing to exercise in a dimension that is asked for.
    """
    for name, reason in undefined(target).items():
        if name in least:
            raise RequestError(
                f"--min-coverage {name}={least[name]:g}: {target.name} has no {name} to exercise: {reason}; "
                f"leave it out, or change the target"
            )


def _every(target: Target, actions: Mapping[str, Action]) -> dict[Dimension, dict[Cell, None]]:
    """All cells, in order; a dict, since sets have none."""
    faults = [action for action in actions.values() if action.harmful]
    known = {fault.name: _places(fault, target) for fault in faults}
    services = dict.fromkeys(name for names in known.values() for name in names)
    every: dict[Dimension, list[Cell]] = {
        Dimension.ACTIONS: [
            (service, fault) for service in services for fault, names in known.items() if service in names
        ],
        Dimension.PAIRS: list(permutations(target.faultable, 2)),
        Dimension.PHASES: [(fault, phase) for fault, names in known.items() if names for phase in LoadPhase],
    }
    empty = undefined(target)
    return {name: dict.fromkeys(() if name in empty else cells) for name, cells in every.items()}


def _places(fault: Action, target: Target) -> tuple[str, ...]:
    """Services and single connections that a fault can be done to."""
    return tuple(dict.fromkeys(p for name in fault.known_targets(target) for p in target.places(name)))


def _faults(history: History, target: Target) -> Iterator[tuple[StepState, Dimension, Cell]]:
    """The cells of each fault that was played, and what became of it.

    In force is what counts against ``max_faults``: a harm that lasts until it is healed, a passing one
    for as long as ``Harm.active_at`` says. Services that one step harms at once are no pair, in neither
    order: none of them met a fleet in which the other was harmed already.
    """
    expected = _start(target)
    loads: list[tuple[LoadRun, float]] = []
    for played in history.steps:
        step, action = played.step, ACTIONS[played.step.action]
        before = expected.at(played.began_s)
        expected = during(step, before, played.ended_s)
        sending = action.sends(step, target)
        if sending:
            loads += [(run, sending.duration_s) for run in _runs(played, sending.load.name, history)]
        if not action.harmful:
            continue
        for name in (place for one in step.targets for place in target.places(one)):
            yield played.state, Dimension.ACTIONS, (name, action.name)
            for earlier in before.active():
                if earlier not in step.targets:
                    yield played.state, Dimension.PAIRS, (earlier, name)
        for phase in _phases(played.began_s, loads):
            yield played.state, Dimension.PHASES, (action.name, phase)


def _runs(played: PlayedStep, load: str, history: History) -> Iterator[LoadRun]:
    """The run that a step began; none if its engine did not start."""
    for run in history.loads:
        is_during = run.load.name == load and run.phase is Phase.DURING
        if is_during and played.began_s <= run.began_s <= played.ended_s:
            yield run


def _phases(at_s: float, loads: list[tuple[LoadRun, float]]) -> set[LoadPhase]:
    """How far each load was that ran at a moment.

    A load is as long as was asked for: it ends later than that where answers hang, and its last request
    is no later for it.
    """
    shares = [
        (at_s - run.began_s) / duration_s
        for run, duration_s in loads
        if run.began_s <= at_s and (run.ended_s is None or at_s < run.ended_s)
    ]
    return {LoadPhase.at(share) for share in shares if share < 1} or {LoadPhase.WITHOUT}


def _start(target: Target) -> Expected:
    return Expected(target.topology, target.limits.recovery_s_max)
