"""Files of variables: ``.env`` for interpolation, and what ``env_file`` gives to a service.

``NAME=value`` and ``export NAME=value``; ``NAME`` alone is taken from the environment. Values without
quotes end at `` #``; double quotes know ``\\n`` and variables, single quotes are literal, and both may
span lines.
"""

from __future__ import annotations

import re
from collections import ChainMap
from collections.abc import Mapping
from pathlib import Path

from fuzzer.secrecy import SECRETS
from fuzzer.targets.base import Problems
from fuzzer.targets.text_file import read_text
from models.compose_nodes import Mark
from models.interpolation import VariableError, fill

_BLANK = re.compile(r"\s*(#[^\n]*)?(\n|$)")
_NAME = re.compile(r"[^\S\n]*(?:export[^\S\n]+)?([A-Za-z_][A-Za-z0-9_.-]*)[^\S\n]*")
_SINGLE = re.compile(r"'([^']*)'")
_DOUBLE = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_BARE = re.compile(r"[^\n]*")
_COMMENT = re.compile(r"(^|\s)#.*")
_REST = re.compile(r"[^\S\n]*(#[^\n]*)?(\n|$)")
_ESCAPES = {"\\n": "\n", "\\r": "\r", "\\t": "\t", '\\"': '"', "\\\\": "\\"}


def read_variables(path: Path, environ: Mapping[str, str], problems: Problems) -> dict[str, str]:
    """The variables that a file sets; ``environ`` wins where a value refers to another variable."""
    text = read_text(path, problems)
    if text is None:
        return {}
    values = parse_variables(text, str(path), environ, problems)
    SECRETS.learn(values)
    return values


def parse_variables(text: str, file: str, environ: Mapping[str, str], problems: Problems) -> dict[str, str]:
    """The same from the text of a file."""
    text = text.replace("\r\n", "\n")
    values: dict[str, str] = {}
    at, line = 0, 1
    while at < len(text):
        blank = _BLANK.match(text, at)
        start, end = at, blank.end() if blank else 0
        if blank is None or end == at:
            try:
                end = _assignment(text, at, values, environ)
            except VariableError as error:
                problems.add(Mark(file, line), "", error.found, error.expected)
                end = _BARE.match(text, at).end() + 1  # type: ignore[union-attr]  # it matches anywhere
        at = end
        line += text.count("\n", start, end)
    return values


def _assignment(text: str, at: int, values: dict[str, str], environ: Mapping[str, str]) -> int:
    """Read one variable into ``values``; where the text goes on."""
    name = _NAME.match(text, at)
    if name is None:
        raise VariableError("something else than a variable", "NAME=value")
    after = name.end()
    if after >= len(text) or text[after] == "\n":
        if name[1] in environ:
            values[name[1]] = environ[name[1]]
        return after + 1
    if text[after] not in "=:":
        raise VariableError(f"{text[after]!r} after {name[1]}", "NAME=value")
    value, end = _value(text, after + 1, ChainMap(dict(environ), values))
    values[name[1]] = value
    return end


def _value(text: str, at: int, variables: Mapping[str, str]) -> tuple[str, int]:
    """A value that starts at ``at``, and where its line ends."""
    while at < len(text) and text[at] in " \t":
        at += 1
    quoted = {"'": _SINGLE, '"': _DOUBLE}.get(text[at : at + 1])
    if quoted is None:
        bare = _BARE.match(text, at)
        assert bare is not None, "an empty line is a value too"
        return fill(_COMMENT.sub("", bare[0]).strip(), variables).text, bare.end() + 1
    match = quoted.match(text, at)
    if match is None:
        raise VariableError("a quote that is not closed", f"a second {text[at]}")
    rest = _REST.match(text, match.end())
    if rest is None:
        raise VariableError("text after the closing quote", "the end of the line")
    if quoted is _SINGLE:
        return match[1], rest.end()
    unescaped = re.sub(r"\\.", lambda escape: _ESCAPES.get(escape[0], escape[0]), match[1])
    return fill(unescaped, variables).text, rest.end()
