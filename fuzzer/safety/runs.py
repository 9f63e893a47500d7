"""Runs that go on on this machine: each notes itself here, and can be asked to end.

::

    <temporary folder>/knockon-1000/     of one user, whom nobody else may read
        run-4f1c.json                    locked by the run for as long as it lives
        run-4f1c.stop                    somebody asks it to end
        run-4f1c.told                    what came of that

The lock tells whether a run still lives: it goes with the process, however that ends.
"""

from __future__ import annotations

import fcntl
import json
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from secrets import token_hex
from types import TracebackType
from typing import Self

from models.errors import RequestError

LOOK_EVERY_S = 0.05


def folder() -> Path:
    """Where this user's runs note themselves.

    Raises:
        RequestError: it cannot be made, or it is somebody else's.
    """
    path = Path(tempfile.gettempdir()) / f"knockon-{os.getuid()}"
    try:
        path.mkdir(mode=0o700, exist_ok=True)
        seen = path.lstat()
    except OSError as error:
        raise RequestError(f"{path}: cannot be made: {error.strerror}") from None
    if seen.st_uid != os.getuid() or path.is_symlink() or seen.st_mode & 0o077:
        raise RequestError(f"{path}: is not a folder of yours alone; remove it, or set TMPDIR")
    return path


@dataclass(frozen=True, slots=True)
class About:
    """A run, for whoever looks for it. ``state`` is its state folder, whole."""

    pid: int
    project: str
    runtime: str
    state: str


class Entry:
    """This run's own, from entering to leaving."""

    def __init__(self, about: About) -> None:
        self._about = about
        self._path = folder() / f"run-{token_hex(4)}.json"
        self._told = ""
        self._file: int | None = None

    def asked(self) -> str:
        """A rule: whether somebody wants this run to end."""
        return "ended by `knockon stop`" if self._path.with_suffix(".stop").exists() else ""

    def tell(self, how: str) -> None:
        """What to tell somebody who asked for the end."""
        self._told = how

    def __enter__(self) -> Self:
        for _ in running():  # removes what dead runs left here
            pass
        made = self._path.with_suffix(".new")
        self._file = os.open(made, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._file, fcntl.LOCK_EX)
        os.write(self._file, json.dumps(asdict(self._about)).encode())
        made.rename(self._path)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._file is not None
        if self.asked():
            self._path.with_suffix(".told").write_text(self._told, encoding="utf-8")
        self._path.unlink(missing_ok=True)
        os.close(self._file)


@dataclass(frozen=True, slots=True)
class Over:
    """How a run ended: as it tells itself, "" if it has nothing to tell, None if it died."""

    told: str | None


@dataclass(frozen=True, slots=True)
class Running:
    """A run that goes on."""

    about: About
    path: Path

    def ask_to_end(self) -> None:
        """Returns at once."""
        self.path.with_suffix(".stop").touch(mode=0o600)

    def until_over(self, limit_s: float) -> Over | None:
        """Wait until it is over; None if it is not by then."""
        deadline_s = time.monotonic() + limit_s
        while _is_locked(self.path):
            if time.monotonic() > deadline_s:
                return None
            time.sleep(LOOK_EVERY_S)
        told = self.path.with_suffix(".told")
        try:
            return Over(told.read_text(encoding="utf-8"))
        except OSError:
            return Over(None)
        finally:
            _forget(self.path)


def running() -> Iterator[Running]:
    """The runs of this user that go on; what dead ones left here is removed."""
    for path in sorted(folder().glob("run-*.json")):
        with suppress(OSError, ValueError, TypeError):  # it ends just now
            about = About(**json.loads(path.read_text(encoding="utf-8")))
            if _is_locked(path):
                yield Running(about, path)
            else:
                _forget(path)


def _is_locked(path: Path) -> bool:
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(file)
    return False


def _forget(path: Path) -> None:
    for suffix in (".json", ".stop", ".told"):
        path.with_suffix(suffix).unlink(missing_ok=True)
