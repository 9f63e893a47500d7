"""Lets Hypothesis write plans, and nothing else: it neither prints nor times anything."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from hypothesis import HealthCheck, Phase, Verbosity, seed, settings
from hypothesis.database import DirectoryBasedExampleDatabase
from hypothesis.stateful import run_state_machine_as_test

from fuzzer.actions.base import Action
from fuzzer.search.machine import build_machine
from models.scenario import Scenario
from models.target import Target


def write_plans(
    target: Target,
    actions: Mapping[str, Action],
    evaluate: Callable[[Scenario], None],
    *,
    number: int,
    steps: int,
    plans: int,
    shrink_with: Path | None = None,
) -> None:
    """Write plans until there are enough, or ``evaluate`` raises.

    Args:
        evaluate: called with each complete plan; raises an ``InvariantViolated`` if it fails, and a
            ``KeyboardInterrupt`` to end it all, which is the one clean way to end Hypothesis from inside.
        number: writes the same plans again.
        steps: steps a plan at most.
        plans: how many are written at most.
        shrink_with: where Hypothesis keeps what failed, and shrinks it itself. Only where a plan does the
            same each time: 500 executions, as it needs, are too many for a real fleet.

    Raises:
        InvariantViolated: what ``evaluate`` raised for the smallest plan that fails.
    """
    native = [Phase.reuse, Phase.generate, Phase.shrink]
    interrupts = _Interrupts()

    def heed(plan: Scenario) -> None:
        interrupts.heed()
        evaluate(plan)

    machine = seed(number)(build_machine(target, actions, heed))
    before, sys.unraisablehook = sys.unraisablehook, interrupts.unraisable
    try:
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=plans,
                stateful_step_count=steps,
                phases=native if shrink_with else [Phase.generate],
                database=DirectoryBasedExampleDatabase(shrink_with) if shrink_with else None,
                deadline=None,
                derandomize=False,
                print_blob=False,
                verbosity=Verbosity.quiet,  # it would print its own reproduction, of a plan
                report_multiple_bugs=False,
                suppress_health_check=list(HealthCheck),
            ),
        )
    finally:
        sys.unraisablehook = before
        gc.collect()  # all that it remembered is one large cycle; else two of them are there for a while
    interrupts.heed()


class _Interrupts:
    """Remembers a Ctrl-C that came where nobody can raise: Hypothesis times each garbage collection."""

    def __init__(self) -> None:
        self._before = sys.unraisablehook
        self._lost = False

    def unraisable(self, what: sys.UnraisableHookArgs) -> None:
        """What Python calls instead of raising."""
        if issubclass(what.exc_type, KeyboardInterrupt):
            self._lost = True
        else:
            self._before(what)

    def heed(self) -> None:
        """Raise what was lost."""
        if self._lost:
            raise KeyboardInterrupt
