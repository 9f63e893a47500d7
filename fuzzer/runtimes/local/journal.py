"""The undos of a local fleet's faults, in a file that outlives the fuzzer.

A fleet whose owner died is ended as a whole (see ``fleets.py``), so this journal is rarely needed; but
until that happens it says what was being done to whom.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from threading import Lock

from fuzzer.files import write_atomically, writing
from fuzzer.runtimes.base import Undo


class FileJournal:
    """One JSON file: ``{"1": [{"verb": "start", "targets": ["db"], "detail": ""}]}``, oldest entry first."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = Lock()
        self._written = 0

    def write(self, undos: Sequence[Undo]) -> str:
        """Make these undos durable; returns the entry's id.

        Raises:
            CannotWrite: the disk is full, for example.
        """
        with self._lock:
            entries = self._read()
            self._written += 1
            while str(self._written) in entries:
                self._written += 1
            entry = str(self._written)
            self._replace({**entries, entry: tuple(undos)})
            return entry

    def remove(self, entry: str) -> None:
        """Forget an entry; one that is already forgotten is none."""
        with self._lock:
            entries = self._read()
            if entries.pop(entry, None) is not None:
                self._replace(entries)

    def pending(self) -> dict[str, tuple[Undo, ...]]:
        """All entries, oldest first."""
        with self._lock:
            return self._read()

    def alone(self) -> AbstractContextManager[None]:
        """The fleet belongs to this process alone."""
        return nullcontext()

    @property
    def unsettled(self) -> bool:
        """Nothing that is written here outlives the fleet."""
        return False

    def _read(self) -> dict[str, tuple[Undo, ...]]:
        if not self._path.exists():
            return {}
        data = json.loads(self._path.read_text(encoding="utf-8"))
        return {entry: tuple(map(Undo.from_json, undos)) for entry, undos in data.items()}

    def _replace(self, entries: dict[str, tuple[Undo, ...]]) -> None:
        if not entries:
            self._path.unlink(missing_ok=True)  # which takes no space
            return
        data = {entry: [undo.to_json() for undo in undos] for entry, undos in entries.items()}
        with writing(self._path):
            write_atomically(self._path, json.dumps(data, indent=1) + "\n")
