"""Where logs of runs are: ``<state>/runs/<id>/events.ndjson``, the latest two hundred of at most 1 GiB.

An id begins with the date and time (UTC), so that sorting by name sorts by time.
"""

from __future__ import annotations

import re
import shutil
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_hex

from models.errors import RequestError

STATE = Path(".knockon")
"""Where findings, logs and journals are kept, unless somebody says otherwise."""

RUNS_MOST = 200
BYTES_MOST = 1 << 30
"""Of all logs together; a search of hours on a model writes hundreds of megabytes."""

EVENTS = "events.ndjson"
LATEST = "latest"

_ID = re.compile(r"\d{8}-\d{6}-[a-z0-9][a-z0-9._-]*")


def new_id(target: str, runtime: str, now: datetime | None = None) -> str:
    """A name that no other run has."""
    at = (now or datetime.now(UTC)).strftime("%Y%m%d-%H%M%S")
    words = re.sub(r"[^a-z0-9]+", "-", f"{target}-{runtime}".lower()).strip("-")
    return f"{at}-{words[:60]}-{token_hex(2)}"


@dataclass(frozen=True)
class Runs:
    """The folder of all runs."""

    folder: Path

    @classmethod
    def of(cls, state: Path) -> Runs:
        """That of a state folder."""
        return cls(state / "runs")

    def path(self, id_: str) -> Path:
        """The log of a run, whether it is there or not."""
        return self.folder / id_ / EVENTS

    def ids(self) -> list[str]:
        """Every run that has a log, the oldest first."""
        if not self.folder.is_dir():
            return []
        found = (one.name for one in self.folder.iterdir() if _ID.fullmatch(one.name))
        return sorted(id_ for id_ in found if self.path(id_).is_file())

    def find(self, word: str) -> Path:
        """The log that a person means: an id, its first letters, ``latest``, a run's folder or its log.

        Raises:
            RequestError: there is none, several begin so, or the folder cannot be read.
        """
        try:
            return self._find(word)
        except OSError as error:
            raise RequestError(f"{error.filename}: cannot be read: {error.strerror}") from None

    def _find(self, word: str) -> Path:
        given = Path(word)
        if given.is_file():
            return given
        if (given / EVENTS).is_file():
            return given / EVENTS
        ids = self.ids()
        if not ids:
            raise RequestError(f"{self.folder}: there is no run yet; play one first, as with knockon fuzz")
        fitting = ids[-1:] if word == LATEST else [id_ for id_ in ids if id_.startswith(word)]
        if len(fitting) == 1:
            return self.path(fitting[0])
        if not fitting:
            raise RequestError(
                f"there is no run {word!r} in {self.folder}; the latest is {ids[-1]} (knockon report --list)"
            )
        told = ", ".join(fitting[-5:])
        raise RequestError(f"{len(fitting)} runs begin with {word!r}: {told}; name one of them")

    def prune(self, most: int = RUNS_MOST, most_bytes: int = BYTES_MOST) -> None:
        """Remove the oldest runs beyond so many, or beyond so many bytes; the latest always stays.

        What cannot be removed, or is being removed by another run, is left alone.
        """
        size = 0
        for number, id_ in enumerate(reversed(self.ids()), start=1):
            with suppress(OSError):
                size += self.path(id_).stat().st_size
            if number > 1 and (number > most or size > most_bytes):
                shutil.rmtree(self.folder / id_, ignore_errors=True)
