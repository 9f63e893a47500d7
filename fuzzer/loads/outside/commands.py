"""What of a command is the tool, and what are the tool's own words."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from pathlib import PurePath

from models.errors import RequestError

LAUNCHERS = frozenset(
    {"bunx", "env", "hatch", "nice", "npm", "npx", "pdm", "pipx", "pnpm", "poetry", "uv", "uvx", "yarn"}
)
"""Programs that start another one, which their words name."""

_PYTHON = re.compile(r"python(3(\.\d+)?)?$")


def program_at(words: Sequence[str], names: Collection[str]) -> int | None:
    """Where in a command the program is that has one of the names; None if it has none.

    ``k6 run``, ``/opt/k6 run``, ``npx artillery@2 run``, ``python3 -m locust``.
    """
    if not words:
        return None
    first = program_name(words[0])
    if first in names:
        return 0
    if _PYTHON.match(first):
        module = next((at for at, word in enumerate(words) if word == "-m"), len(words)) + 1
        return module if module < len(words) and words[module] in names else None
    if first in LAUNCHERS:
        return next((at for at, word in enumerate(words) if at and program_name(word) in names), None)
    return None


def program_name(word: str) -> str:
    """``k6`` of ``/opt/bin/k6``, ``artillery`` of ``artillery@2.0.21``."""
    return PurePath(word).name.split("@")[0]


def after_verb(words: Sequence[str], tool: str, verb: str) -> int:
    """Where the options of ``verb`` begin.

    Raises:
        RequestError: the tool is told to do something else.
    """
    at = program_at(words, {tool})
    begin = 0 if at is None else at + 1
    if verb not in words[begin:]:
        found = f"{words[begin]!r}" if begin < len(words) else "nothing"
        raise RequestError(f"load command: {tool}: found {found}, expected {tool} {verb} …")
    return words.index(verb, begin) + 1


def given(words: Sequence[str], *options: str) -> str:
    """The first of the options that is among the words, "" if none is: ``--out x``, ``--out=x``."""
    return next((word.split("=")[0] for word in words if word.split("=")[0] in options), "")


def refuse(words: Sequence[str], tool: str, *options: str, why: str) -> None:
    """Say that an option cannot be had.

    Raises:
        RequestError: it is among the words.
    """
    if option := given(words, *options):
        raise RequestError(f"load command: {tool}: found {option}; leave it out: {why}")
