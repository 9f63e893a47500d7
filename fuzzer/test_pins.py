"""What ``pytest fuzzer`` runs first: every pin beside the target, one test each.

open, still fails    expected failure
open, holds          passes, and says how to turn it into a guard
guard, holds         passes
guard, fails         fails
damaged, newer, or its fault no longer takes effect: an error, never a pass
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fuzzer.events import Played
from fuzzer.halts import Halt
from fuzzer.pins import PinStatus, check_pin, read_pin
from fuzzer.plugin import inconclusive, leave_halted, note, refused, violated
from fuzzer.reports.text import violation_lines
from fuzzer.search.replays import Replays
from models.errors import PinError, ScenarioError

if TYPE_CHECKING:
    from fuzzer.session import Session


def test_pin(knockon_session: Session, pytestconfig: pytest.Config, pin_file: Path) -> None:
    """A pinned scenario does what its status says."""
    session = knockon_session
    try:
        pin = read_pin(pin_file)
        check_pin(pin, session.target, pin_file)
    except PinError as error:
        refused(pytestconfig, str(error))
    promise = pin.signature.partition(":")[0]
    if promise not in {invariant.name for invariant in session.config.invariants}:
        pytest.skip(f"{promise} is not judged in this run")
    purpose = "guard" if pin.status is PinStatus.GUARD else "pin"
    replays = Replays(
        lambda scenario, stop_at: session.runner.play(scenario, purpose, fresh=True, stop_at=stop_at),
        pin.signature,
        lambda: True,
        known=(pin.reproduced, pin.replays),
    )
    try:
        holds = replays.holds(pin.steps)
    except ScenarioError as error:  # this runtime cannot do what another could
        refused(pytestconfig, f"{pin_file}: {error}")
    except Halt as halt:
        known = pin.signature if pin.status is PinStatus.OPEN else ""
        leave_halted(pytestconfig, halt, "\n".join(_new_lines(halt, known)))
    shown, of = replays.counts(pin.steps)
    other = replays.last_other
    if holds is not False and other and pin.status is PinStatus.GUARD:
        violated(pytestconfig, _broken(f"the guard {pin_file.name} breaks another promise", other))
    if holds is None:
        inconclusive(pytestconfig, f"{pin_file.name}: {replays.last_reason}")
    if holds is False and pin.status is PinStatus.OPEN:
        note(pytestconfig, f"{pin_file.name}: still open, shown {shown}/{of}: {pin.steps}")
        pytest.xfail(f"known, open: {pin.summary} (shown {shown}/{of})")
    if holds is False:
        assert replays.last_shown is not None
        violated(pytestconfig, _broken(f"the guard {pin_file.name} fails", replays.last_shown))
    if pin.status is PinStatus.OPEN:
        note(
            pytestconfig,
            f"{pin_file.name}: fixed, it held {of} times; keep it so with: knockon pin --guard {pin_file}"
            f"{session.config.options()}",
        )


def _broken(what: str, played: Played) -> str:
    lines = [line for violation in played.violations for line in violation_lines(violation)]
    return "\n".join([f"{what}: {played.scenario}", *lines])


def _new_lines(halt: Halt, known: str) -> Iterator[str]:
    """What was violated in what was cut short, but for what is known."""
    for played in halt.played:
        for violation in played.violations:
            if violation.signature != known:
                yield from violation_lines(violation)
