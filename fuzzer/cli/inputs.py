"""What a person hands to ``replay`` and ``pin``: a scenario as text, or something that holds one.

'crash checkout-service; wait 2s'      the scenario itself
.knockon/findings/….json, pins/….json  a finding or a pin: one format
steps.txt                              a file of steps, one a line (or JSON: a list of steps)
-                                      the same, from standard input
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fuzzer.files import READ_MOST, read_limited
from fuzzer.pins import Pin, read_pin
from fuzzer.scenarios import check_scenario
from models.errors import RequestError, ScenarioError
from models.scenario import Scenario
from models.target import Target

STDIN = "-"


@dataclass(frozen=True, slots=True)
class Input:
    """A scenario, and where it came from; ``pin`` and ``path`` are set if that was a pin or finding."""

    scenario: Scenario
    pin: Pin | None = None
    path: Path | None = None


def read_inputs(words: Sequence[str]) -> list[Input]:
    """Read all arguments of a command.

    Raises:
        RequestError: one of them cannot be read; the message says which.
    """
    _refuse_unquoted(words)
    return [_read(word) for word in words]


def refuse_foreign(given: Input, target: Target) -> None:
    """Refuse what makes no sense for this target, before anything is started.

    Raises:
        RequestError: it was found on another target, or names something that is not here.
    """
    pin = given.pin
    if pin and pin.target and pin.target != target.name:
        raise RequestError(
            f"{given.path} was found on {pin.target!r}, and the target is {target.name!r}; "
            f"name the compose file of {pin.target!r} with --target"
        )
    try:
        check_scenario(given.scenario, target)
    except ScenarioError as error:
        raise ScenarioError(f"{given.path}: {error}" if given.path else str(error)) from None


def _read(word: str) -> Input:
    if word == STDIN:
        text = _standard_input()
        if text.lstrip().startswith("{"):
            raise RequestError("standard input holds a pin; name its file instead")
        return Input(Scenario.parse(text))
    path = Path(word)
    if not _names_a_file(word):
        return Input(Scenario.parse(word))
    try:
        text = read_limited(path)
    except OSError as error:
        raise RequestError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise RequestError(f"{path}: is no text; expected a pin or a scenario") from None
    if path.suffix == ".json" and not text.lstrip().startswith("["):
        pin = read_pin(path)
        return Input(pin.steps, pin, path)
    try:
        return Input(Scenario.parse(text), path=path)
    except ScenarioError as error:
        raise ScenarioError(f"{path}: {error}") from None


def _standard_input() -> str:
    try:
        text = sys.stdin.read(READ_MOST + 1)
    except UnicodeDecodeError:
        raise RequestError("standard input is no text; expected a scenario") from None
    if len(text) > READ_MOST:
        raise RequestError("standard input is larger than a scenario can be; expected steps")
    return text


def _names_a_file(word: str) -> bool:
    """A scenario begins with an action, which has no slash, and does not end like a file."""
    first = word.partition(" ")[0]
    return "/" in first or word.endswith((".json", ".txt")) or os.path.isfile(word)


def _refuse_unquoted(words: Sequence[str]) -> None:
    """``replay crash web`` is two scenarios to us and one to whoever typed it."""
    bare = len(words) > 1 and not any(" " in word or word == STDIN or _names_a_file(word) for word in words)
    if bare:
        raise RequestError(f"a scenario is one argument; quote it: {shlex.quote(' '.join(words))}")
