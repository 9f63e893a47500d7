"""Files: written so that nobody ever sees half of one, read so that none is too much, private by default.

The state folder (``.knockon``) is made for its owner alone (0700), and so is each file in it (0600): findings
and logs tell where a fleet is weak. What belongs into a repository, such as a pin, is *shared*: as the umask
says. No link in the state folder is followed; a repository from elsewhere could bring one along.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex

from models.errors import CannotWrite, RequestError

PRIVATE, SHARED = 0o600, 0o666
PRIVATE_FOLDER, SHARED_FOLDER = 0o700, 0o777
READ_MOST = 2**20
"""Bytes; no file of a person's own, nor a pin, is as large."""


def write_atomically(path: Path, text: str, *, shared: bool = False) -> None:
    """Write a text file whole or not at all, on disk before this returns; makes its folder.

    A link at ``path`` is replaced, not followed.

    Args:
        shared: others may read it, and its folder, as far as the umask lets them.

    Raises:
        OSError: the folder cannot be made or written.
    """
    path.parent.mkdir(SHARED_FOLDER if shared else PRIVATE_FOLDER, parents=True, exist_ok=True)
    temporary = path.parent / f".{path.name}.{token_hex(6)}"
    handle = os.open(
        temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, SHARED if shared else PRIVATE
    )
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
        _sync(path.parent)
    except BaseException:
        temporary.unlink(missing_ok=True)  # an interrupt may come when it is renamed already
        raise


def _sync(folder: Path) -> None:
    """Put a folder's names on disk: a file that is there, and has no name yet, is lost all the same."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def append(path: Path, line: str) -> None:
    """Add a line to a private file; makes it, and its folder.

    Raises:
        OSError: it is a link, or cannot be written.
    """
    path.parent.mkdir(PRIVATE_FOLDER, parents=True, exist_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, PRIVATE)
    with os.fdopen(handle, "a", encoding="utf-8") as file:
        file.write(line + "\n")


def read_limited(path: Path, most: int = READ_MOST) -> str:
    """The text of a file that is not too large.

    Raises:
        OSError: it cannot be read, or is larger than ``most`` bytes; ``strerror`` says which.
        UnicodeDecodeError: it is no text.
    """
    with path.open("rb") as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise OSError(0, f"it is larger than {most // 2**20} MiB")
    return data.decode("utf-8")


def private_folder(root: Path) -> Path:
    """The state folder, made if need be.

    Raises:
        RequestError: it cannot be made, or a link in it leads elsewhere.
    """
    try:
        root.mkdir(PRIVATE_FOLDER, parents=True, exist_ok=True)
        links = sorted(entry.name for entry in root.iterdir() if entry.is_symlink())
    except OSError as error:
        raise RequestError(
            f"{root}: cannot be used as the state folder: {error.strerror}; name another with --state"
        ) from None
    if links:
        raise RequestError(
            f"{root / links[0]}: found a link in the state folder; expected files and folders only: remove it"
        )
    return root


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Errors of the system in our words, while something is written there.

    Raises:
        CannotWrite: the message says where and why.
    """
    try:
        yield
    except OSError as error:
        raise CannotWrite(f"{path}: cannot be written: {error.strerror}") from error
