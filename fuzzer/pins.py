"""Pins: saved scenarios with the promise that they broke. Regression tests as plain JSON.

A pin is *open* while the fleet is known to break the promise, and a *guard* once it was fixed. The
file holds steps, not a seed: it is played by the same code as every scenario, without Hypothesis.
"""

from __future__ import annotations

import json
import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationError,
    WithJsonSchema,
    model_validator,
)
from pydantic.functional_validators import PlainValidator

from fuzzer.events import Finding
from fuzzer.files import read_limited, write_atomically, writing
from fuzzer.scenarios import check_scenario, is_harmful
from fuzzer.secrecy import SECRETS
from invariants.catalogue import INVARIANTS
from models.errors import PinError, ScenarioError
from models.scenario import Scenario
from models.target import Target

FORMAT_VERSION: Literal[1] = 1


class PinStatus(StrEnum):
    """Whether the fleet is expected to break the promise."""

    OPEN = "open"
    GUARD = "guard"


def _scenario(data: object) -> Scenario:
    try:
        return data if isinstance(data, Scenario) else Scenario.from_json(data)
    except ScenarioError as error:
        raise ValueError(str(error)) from None


Steps = Annotated[
    Scenario,
    PlainValidator(_scenario),
    PlainSerializer(lambda scenario: scenario.to_json(), return_type=list),
    WithJsonSchema({"type": "array", "items": {"type": "object"}}),
]


class Pin(BaseModel):
    """One pin file.

    Attributes:
        knockon_pin: the version of the format.
        status: open or guard.
        scenario: the same as ``steps``, for people; never read.
        steps: what is played.
        invariant: the promise that was broken.
        signature: what makes two violations the same.
        summary: what was seen.
        reproduced: how often the scenario showed it, of ``replays``.
        runtime: where it was found.
        target: the compose project.
        target_digest: which version of the target it was found on.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    knockon_pin: Literal[1] = FORMAT_VERSION
    status: PinStatus = PinStatus.OPEN
    scenario: str = ""
    steps: Steps
    invariant: str
    signature: str
    summary: str = ""
    reproduced: int = Field(default=1, ge=0)
    replays: int = Field(default=1, ge=0)
    runtime: str = ""
    target: str = ""
    target_digest: str = ""

    @model_validator(mode="after")
    def _no_more_shown_than_played(self) -> Self:
        if self.reproduced > self.replays:
            raise ValueError(f"reproduced is {self.reproduced}, of {self.replays} replays")
        return self

    @classmethod
    def of(cls, finding: Finding) -> Pin:
        """An open pin of a finding."""
        return cls(
            scenario=str(finding.minimal),
            steps=finding.minimal,
            invariant=finding.violation.invariant,
            signature=finding.violation.signature,
            summary=finding.violation.summary,
            reproduced=finding.reproduced,
            replays=finding.replays,
            runtime=finding.runtime,
            target=finding.target.name,
            target_digest=finding.target.digest,
        )

    @property
    def name(self) -> str:
        """A file name, without its ending."""
        return re.sub(r"[^A-Za-z0-9_-]+", "-", self.signature).strip("-").lower()

    def become(self, status: PinStatus) -> Pin:
        """The same pin with another status."""
        return self.model_copy(update={"status": status})

    def write(self, path: Path, *, shared: bool = True) -> Path:
        """Write the file, whole or not at all; returns its path. A pin is for others, a finding is not.

        Raises:
            CannotWrite: the disk is full, for example.
        """
        told = self.model_dump(mode="json") | {"summary": SECRETS.hidden(self.summary)}
        with writing(path):
            write_atomically(path, json.dumps(told, indent=2) + "\n", shared=shared)
        return path


def read_pin(path: Path) -> Pin:
    """Read one pin file.

    Raises:
        PinError: it is missing, damaged, or written by a newer version; the message says which.
    """
    try:
        data = json.loads(read_limited(path))
    except OSError as error:
        raise PinError(f"{path}: cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise PinError(f"{path}: is damaged: no JSON ({error}); pin the scenario again") from None
    if not isinstance(data, dict) or "knockon_pin" not in data:
        raise PinError(f"{path}: is no pin; expected an object with knockon_pin, steps and signature")
    version = data["knockon_pin"]
    if isinstance(version, int) and version > FORMAT_VERSION:
        raise PinError(
            f"{path}: has format version {version}; this knockon reads up to {FORMAT_VERSION}: upgrade it"
        )
    try:
        return Pin.model_validate(data)
    except ValidationError as error:
        mistakes = "; ".join(
            f"{'.'.join(map(str, e['loc']))}: {e['msg'].removeprefix('Value error, ')}"
            for e in error.errors()
        )
        raise PinError(f"{path}: is damaged: {mistakes}; pin the scenario again") from None


def check_pin(pin: Pin, target: Target, place: Path) -> None:
    """Refuse a pin that could never fail here: it would be a guard that guards nothing.

    Raises:
        PinError: an unknown promise, a service that is not there, or steps that cannot be played or
            do no harm.
    """
    promise, _, service = pin.signature.partition(":")
    known = [invariant.name for invariant in INVARIANTS]
    problem = ""
    if promise not in known or promise != pin.invariant:
        problem = (
            f"its signature is {pin.signature!r}; expected one of {', '.join(known)}, a colon, a service"
        )
    elif service not in target.services:
        problem = f"there is no service {service!r} in the target; was it renamed?"
    else:
        try:
            check_scenario(pin.steps, target)
        except ScenarioError as error:
            problem = str(error)
        else:
            problem = "" if is_harmful(pin.steps) else "its steps hold no fault"
    if problem:
        raise PinError(f"{place}: cannot be played on this target: {problem}")


def pin_files(folder: Path) -> list[Path]:
    """The pin files of a folder, by name; none if there is no such folder."""
    return sorted(folder.glob("*.json")) if folder.is_dir() else []


def free_path(folder: Path, pin: Pin) -> Path:
    """Where a pin goes: a file of its own, or the one that already holds the same scenario."""
    number = 1
    while True:
        path = folder / f"{pin.name}{'' if number == 1 else f'-{number}'}.json"
        if not path.exists():
            return path
        try:
            known = read_pin(path)
        except PinError:
            known = None
        if known and (known.steps, known.signature) == (pin.steps, pin.signature):
            return path
        number += 1
