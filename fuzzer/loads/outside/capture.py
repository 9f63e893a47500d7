"""Keeps what a program prints: in a file, up to a size. The rest is read and forgotten.

It has to be read in any case, or the program would stop at a full pipe.
"""

from __future__ import annotations

import re
from pathlib import Path
from threading import Thread
from typing import IO

CHUNK_BYTES = 1 << 16
TAIL_BYTES = 4096
LINE_CHARACTERS_MOST = 300

_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f]")


class Capture:
    """One stream of a program, read by a thread of its own until it ends.

    ``cut`` tells that there was more than ``bytes_most``, or that the disk took no more.
    """

    def __init__(self, stream: IO[bytes], path: Path, bytes_most: int) -> None:
        self._stream = stream
        self._path = path
        self._left = bytes_most
        self._tail = b""
        self.cut = False
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()

    def join(self, limit_s: float) -> None:
        """Wait until everything was read; somebody may still hold the other end."""
        self._reader.join(limit_s)

    @property
    def last_line(self) -> str:
        """The last line that has something in it, as plain text."""
        lines = _ESCAPES.sub("", self._tail.decode("utf-8", "replace").replace("\r", "\n")).splitlines()
        return next((line.strip() for line in reversed(lines) if line.strip()), "")[:LINE_CHARACTERS_MOST]

    def _read(self) -> None:
        with self._stream, self._path.open("wb", buffering=0) as file:
            while chunk := self._stream.read(CHUNK_BYTES):
                self._tail = (self._tail + chunk)[-TAIL_BYTES:]
                try:
                    kept = file.write(chunk[: self._left]) or 0
                except OSError:
                    kept = 0
                self._left -= kept
                if kept < len(chunk):
                    self._left, self.cut = 0, True
