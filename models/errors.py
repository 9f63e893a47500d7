"""Every error that knockon raises on purpose, drawn as a tree.

KnockonError
├── RequestError            what was asked for is wrong: exit code 2
│   ├── ScenarioError       a scenario's text, JSON or steps
│   ├── TargetError         the compose file or project; carries all its problems at once
│   └── PinError            a pin file that is damaged, newer, or no longer bites
├── Inconclusive            nothing can be said: UNKNOWN, exit code 3
│   ├── RuntimeUnavailable  the engine or supervisor does not answer
│   ├── StepInvalid         an injection that did not take effect
│   ├── Interference        somebody else changed the fleet
│   ├── ToolFailed          a load tool that failed, or whose report is damaged
│   └── CannotWrite         the disk is full, or a folder is closed to us
└── InvariantViolated       a broken promise; one subclass per invariant: exit code 1
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class KnockonError(Exception):
    """Base of every error that knockon raises on purpose."""


class RequestError(KnockonError):
    """The request or the target is wrong; the message says where, what was found and what to do."""


class ScenarioError(RequestError):
    """A scenario cannot be read, or asks for something that does not exist."""


class PinError(RequestError):
    """A pin file is damaged, newer than this version, or its fault no longer takes effect."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in a target.

    ``where`` is the file, with its line if known; ``path`` the keys down to the value, dotted
    (``services.web.x-knockon.health``); ``found`` and ``expected`` are short phrases.
    """

    where: str
    path: str
    found: str
    expected: str

    def __str__(self) -> str:
        place = f"{self.where}: {self.path}" if self.path else self.where
        return f"{place}: found {self.found}; expected {self.expected}"


class TargetError(RequestError):
    """A target is wrong. ``problems`` holds every mistake, in the order of the file."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        count = len(self.problems)
        heading = f"{count} problem{'s' if count != 1 else ''} in the target:"
        super().__init__("\n".join([heading, *(f"  {problem}" for problem in self.problems)]))


class Inconclusive(KnockonError):
    """Nothing can be said about the fleet: the verdict is UNKNOWN, never a violation."""


class RuntimeUnavailable(Inconclusive):
    """The engine or the supervisor does not answer, or refuses what it normally does."""


class StepInvalid(Inconclusive):
    """A step did not take effect, so what follows proves nothing."""


class Interference(Inconclusive):
    """Somebody else changed the fleet while a scenario played."""


class CannotWrite(Inconclusive):
    """What has to be kept cannot be written: the disk is full, or the place is closed to us."""


class InvariantViolated(KnockonError):
    """A promise was broken. Each invariant has a subclass of its own.

    Hypothesis tells failures apart by their class, so one class for all would merge different
    failures into one.
    """
