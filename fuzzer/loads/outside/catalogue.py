"""The load tools that are known. A new one is a file beside this one, and a line in ``TOOLS``."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from fuzzer.loads.outside.artillery import Artillery
from fuzzer.loads.outside.base import LoadTool
from fuzzer.loads.outside.commands import program_at
from fuzzer.loads.outside.hey import Hey
from fuzzer.loads.outside.k6 import K6
from fuzzer.loads.outside.locust import Locust
from models.errors import RequestError

TOOLS: tuple[LoadTool, ...] = (Artillery(), Hey(), K6(), Locust())


def words_of(command: str) -> tuple[str, ...]:
    """A command as words, quoted as in a shell; nothing in it is run by one.

    Raises:
        RequestError: it is empty, or a quote is open.
    """
    try:
        words = tuple(shlex.split(command))
    except ValueError:
        raise RequestError(f"load command: found an open quote in {command!r}; close it") from None
    if not words:
        raise RequestError(f"load command: found nothing, expected a command of {_known()}")
    return words


def tool_for(words: Sequence[str]) -> LoadTool:
    """The tool that a command runs: ``k6 run …``, ``npx artillery run …``, ``python -m locust …``.

    Raises:
        RequestError: none that is known.
    """
    for tool in TOOLS:
        if program_at(words, {tool.name}) is not None:
            return tool
    found = repr(words[0]) if words else "nothing"
    raise RequestError(f"load command: found {found}, expected a command of {_known()}")


def _known() -> str:
    names = [tool.name for tool in TOOLS]
    return f"{', '.join(names[:-1])} or {names[-1]}"
