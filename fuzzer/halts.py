"""How a run is ended from anywhere: out of a wait, out of a call to the engine, out of Hypothesis.

KeyboardInterrupt
├── Interrupted     by a person or the system: Ctrl-C, SIGTERM, a terminal that was closed. Exit code 130
└── Stopped         by a rule: a window, a stop file, `knockon stop`, the breaker. Exit code 1 or 3

Nothing swallows these, as little as Ctrl-C. Whoever plays heals, adds what it saw, and lets them pass.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fuzzer.events import Played


class Halt(KeyboardInterrupt):
    """The run ends now.

    Attributes:
        reason: why, as a sentence for people.
        played: what was played until then, the scenario that was cut short included.
        trouble: what could not be healed; None while nobody tried.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.played: list[Played] = []
        self.trouble: str | None = None

    @property
    def violated(self) -> bool:
        """Whether a promise was broken in what was played until then."""
        return any(played.violations for played in self.played)

    @property
    def healing(self) -> str:
        """What became of the faults, as a sentence; "" if there were none."""
        if self.trouble is None:
            return ""
        return f"NOT healed: {self.trouble}; try `knockon heal`" if self.trouble else "every fault is lifted"

    @property
    def ending(self) -> str:
        """What was going on, and what became of it; "" if nothing was."""
        doing = f"in the middle of `{self.played[-1].scenario}`" if self.played else ""
        return "; ".join(filter(None, (doing, self.healing)))

    def __str__(self) -> str:
        return "; ".join(filter(None, (self.reason, self.healing)))


class Interrupted(Halt):
    """A person or the system wants it to end."""


class Stopped(Halt):
    """A rule wants it to end."""


def as_halt(error: KeyboardInterrupt) -> Halt:
    """The same as a halt."""
    return error if isinstance(error, Halt) else Interrupted("Interrupted")
