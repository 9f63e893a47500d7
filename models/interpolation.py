"""Variables in the values of a compose file: ``$NAME``, ``${NAME}`` and what to do without them.

========================  ==============================================
``${NAME:-word}``         ``word`` if NAME is unset or empty
``${NAME-word}``          ``word`` if NAME is unset
``${NAME:?word}``, ``?``  an error that says ``word`` if NAME is missing
``${NAME:+word}``, ``+``  ``word`` if NAME is there, else nothing
``$$``                    a dollar sign
========================  ==============================================

A word may hold variables again. Source: the Compose specification, chapter "Interpolation".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_OPERATOR = re.compile(r":?[-?+]")
_BRACE = re.compile(r"\$\$|\$\{|\}")

MAX_DEPTH = 20
MAX_CHARACTERS = 1_000_000


class VariableError(ValueError):
    """A variable that is malformed, or that has to be set and is not."""

    def __init__(self, found: str, expected: str) -> None:
        super().__init__(f"found {found}; expected {expected}")
        self.found = found
        self.expected = expected


@dataclass(frozen=True, slots=True)
class Filled:
    """A text with its variables replaced, and the names that were read as empty for want of a value."""

    text: str
    unset: tuple[str, ...] = ()


def fill(text: str, variables: Mapping[str, str]) -> Filled:
    """Replace the variables in ``text``.

    Raises:
        VariableError: a variable is malformed, or required and missing.
    """
    filler = _Filler(variables)
    filled = filler.fill(text, depth=0)
    return Filled(filled, tuple(dict.fromkeys(filler.unset)))


class _Filler:
    def __init__(self, variables: Mapping[str, str]) -> None:
        self.variables = variables
        self.unset: list[str] = []

    def fill(self, text: str, depth: int) -> str:
        if depth > MAX_DEPTH:
            raise VariableError("variables nested too deep", f"at most {MAX_DEPTH} in one another")
        parts = []
        at = length = 0
        while (dollar := text.find("$", at)) >= 0:
            value, after = self.reference(text, dollar, depth)
            parts += [text[at:dollar], value]
            at = after
            length += len(value)
            if length > MAX_CHARACTERS:
                raise VariableError("variables that unfold to a huge text", f"at most {MAX_CHARACTERS} bytes")
        return "".join([*parts, text[at:]])

    def reference(self, text: str, dollar: int, depth: int) -> tuple[str, int]:
        """The value of the reference that starts at ``dollar``, and where the text goes on."""
        if text.startswith("$$", dollar):
            return "$", dollar + 2
        if text.startswith("${", dollar):
            end = _closing_brace(text, dollar)
            return self.braced(text[dollar + 2 : end], depth), end + 1
        name = _NAME.match(text, dollar + 1)
        if name is None:
            raise _malformed(text[dollar:])
        return self.plain(name[0]), name.end()

    def braced(self, inner: str, depth: int) -> str:
        name = _NAME.match(inner)
        if name is None:
            raise _malformed("${" + inner + "}")
        if name.end() == len(inner):
            return self.plain(name[0])
        operator = _OPERATOR.match(inner, name.end())
        if operator is None:
            raise _malformed("${" + inner + "}")
        value = self.variables.get(name[0])
        if value == "" and operator[0].startswith(":"):
            value = None
        word = inner[operator.end() :]
        if operator[0].endswith("+"):
            return "" if value is None else self.fill(word, depth + 1)
        if value is not None:
            return value
        default = self.fill(word, depth + 1)
        if operator[0].endswith("?"):
            raise VariableError(f"no value for the variable {name[0]}", default or "it to be set")
        return default

    def plain(self, name: str) -> str:
        if name not in self.variables:
            self.unset.append(name)
        return self.variables.get(name, "")


def _closing_brace(text: str, opening: int) -> int:
    depth = 0
    for token in _BRACE.finditer(text, opening):
        if token[0] == "${":
            depth += 1
        elif token[0] == "}":
            depth -= 1
            if depth == 0:
                return token.start()
    raise VariableError(f"{_short(text[opening:])!r}", "a } that closes it")


def _malformed(text: str) -> VariableError:
    return VariableError(f"{_short(text)!r}", "${NAME}, or $$ for a dollar sign")


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:39] + "…"
