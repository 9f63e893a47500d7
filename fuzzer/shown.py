"""The way out: every text that leaves for a screen, a report or a file goes through here.

Secrets are taken out (``fuzzer/secrecy.py``). For people, whatever could drive a terminal or turn a line
around is written out as ``\\x1b``: names, answers and logs come from programs that nobody vouches for.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping, Sequence
from typing import TypeAlias

import click

from fuzzer.secrecy import SECRETS

Plain: TypeAlias = "bool | int | float | str | list[Plain] | dict[str, Plain] | None"

_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)


def escaped(text: str) -> str:
    """Without control characters but the end of a line and the tabulator, each told by its number."""
    return _UNPRINTABLE.sub(lambda one: one[0].encode("unicode_escape").decode(), text)


def shown(text: str) -> str:
    """A text as a person may see it."""
    return escaped(SECRETS.hidden(text))


def without_secrets(data: Plain) -> Plain:
    """Plain data as it may be kept or handed on; only its texts change, keys do not."""
    match data:
        case str():
            return SECRETS.hidden(data)
        case list():
            return [without_secrets(item) for item in data]
        case dict():
            return {name: without_secrets(value) for name, value in data.items()}
        case _:
            return data


def echo_json(data: Sequence[Mapping[str, object]]) -> None:
    """A list of objects, for programs; JSON itself writes out control characters."""
    click.echo(json.dumps(without_secrets(json.loads(json.dumps(data))), indent=2))


def echo(text: str) -> None:
    """A line on standard output."""
    click.echo(shown(text))


def complain(text: str) -> None:
    """A line on standard error."""
    click.echo(shown(text), file=sys.stderr)


def note(text: str) -> None:
    """Tell a person something that changes no verdict."""
    complain(f"note: {text}")
