"""Whether the files of a target are still what was read: a run goes by what they said when it began."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path


class AsRead:
    """Remembers some files as they are now."""

    def __init__(self, files: Sequence[Path]) -> None:
        self._files = tuple(files)
        self._then = [_content(path) for path in files]

    def changed(self) -> str:
        """What became of them meanwhile, as a sentence; nothing if they are the same."""
        told = [
            f"{path} {'changed' if now else 'is gone'}"
            for path, then in zip(self._files, self._then, strict=True)
            if (now := _content(path)) != then
        ]
        if not told:
            return ""
        return f"while this ran, {', '.join(told)}; what is said here is of the file as it was at the start"


def _content(path: Path) -> str:
    """A digest; nothing where there is none to read."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""
