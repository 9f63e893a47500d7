"""The two files of a twin, and what they hold: plain data, written whole or not at all.

``knockon-twin.json`` stands beside the compose file, written by ``knockon calibrate`` and meant to be
committed. ``twin-PROJECT.json`` in the state folder is what every real run adds on its way. Where both
know something, the latter counts: it is fed by every run.

A file holds several fleets, told apart by their compose files and by the environment of their services:
the same files with another environment may well behave in another way.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from fuzzer.calibration.hints import hints_of
from fuzzer.calibration.knowledge import KnownFleet, Plain
from fuzzer.files import read_limited, write_atomically
from fuzzer.secrecy import public_part
from models.behaviour import Hints
from models.errors import RequestError
from models.target import Target

FORMAT_VERSION: Literal[1] = 1
BESIDE = "knockon-twin.json"
FLEETS_MOST = 8
SIZE_MOST = 16 * 2**20
"""Bytes; a larger file was not written by knockon."""


class TwinFile(Plain):
    """One file; the fleet that was learnt about last is the last one."""

    knockon_twin: Literal[1] = FORMAT_VERSION
    fleets: dict[str, KnownFleet] = Field(default={}, max_length=FLEETS_MOST)

    def with_fleet(self, name: str, fleet: KnownFleet) -> TwinFile:
        """The same with what is known of one fleet now; who was not learnt about for longest is forgotten."""
        others = [(key, known) for key, known in self.fleets.items() if key != name]
        return TwinFile(fleets=dict([*others, (name, fleet)][-FLEETS_MOST:]))

    def write(self, path: Path, *, shared: bool = False) -> None:
        """Write it, in the state folder or as a file for others, too.

        Raises:
            RequestError: it cannot be written.
        """
        data = self.model_dump(mode="json", exclude_none=True)
        try:
            write_atomically(path, json.dumps(data, indent=1) + "\n", shared=shared)
        except OSError as error:
            raise RequestError(f"{path}: cannot be written: {error.strerror}") from None


def read_twin(path: Path) -> TwinFile:
    """Read a file; one that is not there holds nothing.

    Raises:
        RequestError: it is damaged, too large, or written by a newer version; the message says which.
    """
    again = "remove it, or write it again with `knockon calibrate`"
    try:
        data = json.loads(read_limited(path, SIZE_MOST))
    except FileNotFoundError:
        return TwinFile()
    except OSError as error:
        raise RequestError(f"{path}: cannot be read: {error.strerror}; {again}") from None
    except (ValueError, RecursionError) as error:
        raise RequestError(f"{path}: is damaged: no JSON ({error}); {again}") from None
    if not isinstance(data, dict) or "knockon_twin" not in data:
        raise RequestError(f"{path}: is no twin; expected an object with knockon_twin and fleets; {again}")
    version = data["knockon_twin"]
    if isinstance(version, int) and version > FORMAT_VERSION:
        raise RequestError(
            f"{path}: has format version {version}; this knockon reads up to {FORMAT_VERSION}: upgrade it"
        )
    try:
        return TwinFile.model_validate(data)
    except ValidationError as error:
        first, *more = error.errors()
        place = ".".join(map(str, first["loc"]))
        others = f", and {len(more)} more mistakes" if more else ""
        raise RequestError(f"{path}: is damaged: {place}: {first['msg']}{others}; {again}") from None


def fleet_name(target: Target) -> str:
    """What tells one fleet of a project from another: its files, and its environment but for secrets."""
    environment = sorted(
        (name, sorted((key, public_part(key, value)) for key, value in one.environment.items()))
        for name, one in target.services.items()
    )
    digest = hashlib.sha256(json.dumps(environment).encode()).hexdigest()[:8]
    return " ".join([*(path.name for path in target.files), f"#{digest}"])


def beside(target: Target) -> Path:
    """The file beside the target."""
    return target.directory / BESIDE


def in_state(state: Path, target: Target) -> Path:
    """The file in the state folder."""
    return state / f"twin-{target.name}.json"


def known_of(target: Target, state: Path) -> KnownFleet:
    """Everything that is known of a fleet.

    Raises:
        RequestError: a file is damaged, too large or newer.
    """
    name, nothing = fleet_name(target), KnownFleet()
    here = read_twin(in_state(state, target)).fleets.get(name, nothing)
    return here.over(read_twin(beside(target)).fleets.get(name, nothing))


def learnt(target: Target, state: Path) -> Mapping[str, Hints]:
    """What a simulation of the target is to take over, by service.

    Raises:
        RequestError: a file is damaged, too large or newer.
    """
    return hints_of(known_of(target, state), target)
