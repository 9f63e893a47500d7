"""Keeps findings on disk, in the format of pins, from the moment they are first seen."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from fuzzer.events import Finding
from fuzzer.pins import Pin
from models.errors import CannotWrite


class FindingStore:
    """A folder of findings. A finding that grew smaller replaces what was there of it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def save(self, finding: Finding) -> Finding:
        """Write the finding as it stands; returns it with its path, or without if that failed.

        A full disk must not lose the verdict, so that is no error here.
        """
        pin = Pin.of(finding)
        path = self._folder / f"{finding.target.name}-{finding.runtime}-{pin.name}.json"
        try:
            return replace(finding, saved=pin.write(path, shared=False))
        except CannotWrite:
            return replace(finding, saved=None)
