"""A file's text, or a problem that says why there is none."""

from __future__ import annotations

from pathlib import Path

from fuzzer.targets.base import Problems
from models.compose_nodes import Mark

MAX_BYTES = 1_000_000


def read_text(path: Path, problems: Problems) -> str | None:
    """The text of ``path``; None, and a problem, when it cannot be had."""
    try:
        return _read(path)
    except _Unreadable as why:
        problems.add(Mark(str(path)), "", why.found, why.expected)
        return None


class _Unreadable(Exception):
    def __init__(self, found: str, expected: str = "a text file") -> None:
        self.found = found
        self.expected = expected


def _read(path: Path) -> str:
    try:
        if path.is_dir():
            raise _Unreadable("a directory", f"a file{_compose_file_in(path)}")
        if path.exists() and not path.is_file():
            raise _Unreadable("a pipe or a device", "a regular file")
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise _Unreadable("no such file", "a file that exists") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a path"
        raise _Unreadable(f"a file that cannot be read ({reason})", "a readable file") from None
    if len(data) > MAX_BYTES:
        raise _Unreadable(f"more than {MAX_BYTES} bytes", "a smaller file")
    if b"\0" in data:
        raise _Unreadable("binary data")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _Unreadable(f"bytes that are not UTF-8, on line {line}") from None


def _compose_file_in(folder: Path) -> str:
    names = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")
    return next((f", such as {folder / name}" for name in names if (folder / name).is_file()), "")
