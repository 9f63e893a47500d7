"""What the process says to whoever started it. The one place that knows the numbers."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum

from fuzzer.halts import Halt, Interrupted
from models.errors import Inconclusive, InvariantViolated, KnockonError
from models.verdict import Outcome


class ExitCode(IntEnum):
    """0 and 1 are verdicts; everything else means that there is none."""

    HELD = 0
    VIOLATED = 1
    REQUEST = 2
    """The request or the target is wrong; nothing was touched."""
    UNKNOWN = 3
    INTERRUPTED = 130
    """128 + SIGINT, as a shell would say it; the fleet was healed."""
    PIPE = 141
    """128 + SIGPIPE: whoever read the output went away, so it is not known what he would have read."""


class NobodyReads(BaseException):
    """The reader of our output went away (``| head``). Like Ctrl-C: no error, and everything is healed."""


def of_outcomes(outcomes: Iterable[Outcome]) -> ExitCode:
    """One violation decides; then one UNKNOWN."""
    seen = set(outcomes)
    if Outcome.VIOLATED in seen:
        return ExitCode.VIOLATED
    return ExitCode.UNKNOWN if Outcome.UNKNOWN in seen else ExitCode.HELD


def of_halt(halt: Halt) -> ExitCode:
    """A person who interrupts knows that; a rule that ends a run must not hide what was violated before."""
    if isinstance(halt, Interrupted):
        return ExitCode.INTERRUPTED
    return ExitCode.VIOLATED if halt.violated else ExitCode.UNKNOWN


def of_error(error: KnockonError) -> ExitCode:
    """The branches of the tree in ``models.errors``."""
    if isinstance(error, Inconclusive):
        return ExitCode.UNKNOWN
    return ExitCode.VIOLATED if isinstance(error, InvariantViolated) else ExitCode.REQUEST
