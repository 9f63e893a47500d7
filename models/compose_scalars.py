"""What an unquoted word of YAML means, and which words mean different things to different readers.

YAML 1.1 reads ``no`` as false, ``010`` as eight and ``22:22`` as 1342; YAML 1.2 and Compose v2 read
them as text or as other numbers. Such a word is a ``Surprise``: wherever its value matters it has to
be quoted. Source: https://yaml.org/type/ (1.1), https://yaml.org/spec/1.2.2/#103-core-schema (1.2).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeAlias

Value: TypeAlias = str | int | float | bool | None

_CONSTANTS: dict[str, Value] = {
    "": None,
    "~": None,
    **dict.fromkeys(("null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
# Eighteen digits: longer ones overflow compose's integers, and Python takes its time over thousands.
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")

_YES = {form for word in ("yes", "on") for form in (word, word.title(), word.upper())}
_NO = {form for word in ("no", "off") for form in (word, word.title(), word.upper())}
_OCTAL = re.compile(r"[-+]?0[0-7_]+")
_LEADING_ZERO = re.compile(r"[-+]?0[0-9]+(\.[0-9]*)?")
_OTHER_BASE = re.compile(r"[-+]?0(b[01_]+|x[0-9a-fA-F_]+|o[0-7]+)")
_UNDERSCORES = re.compile(r"[-+]?[0-9][0-9_]*_[0-9_]*(\.[0-9_]*)?")
_SEXAGESIMAL = re.compile(r"[-+]?([1-9][0-9_]*(:[0-5]?[0-9])+|[0-9][0-9_]*(:[0-5]?[0-9])+\.[0-9_]*)")
_DATE = re.compile(
    r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}"
    r"(([Tt]|[ \t]+)[0-9]{1,2}:[0-9]{2}:[0-9]{2}(\.[0-9]*)?([ \t]*(Z|[-+][0-9]{1,2}(:[0-9]{2})?))?)?"
)


MAX_NUMBER = 100
"""A word of more characters is not looked at as a number."""


@dataclass(frozen=True, slots=True)
class Surprise:
    """How a word is read by others than its writer; ``instead`` is the word that says so plainly."""

    reading: str
    instead: str | None = None


def resolve(text: str) -> Value:
    """The value of an unquoted word, where all readers agree on it; else the word as text."""
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if surprise(text) is not None:
        return text
    if _INTEGER.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    if _NOT_FINITE.fullmatch(text):
        return float(text.replace(".", ""))
    return text


def surprise(text: str) -> Surprise | None:
    """How YAML 1.1 reads an unquoted word, if that is not how it looks."""
    if text in _YES:
        return Surprise("which YAML 1.1 reads as true", "true")
    if text in _NO:
        return Surprise("which YAML 1.1 reads as false", "false")
    if len(text) > MAX_NUMBER:
        return None
    if _OCTAL.fullmatch(text):
        return _number(text, 8)
    if _LEADING_ZERO.fullmatch(text):
        return Surprise("a number with a leading zero, which not all readers of YAML take as decimal")
    if base := _OTHER_BASE.fullmatch(text):
        return _number(text, {"b": 2, "x": 16, "o": 8}[base[1][0]], "1.2" if base[1][0] == "o" else "1.1")
    if _UNDERSCORES.fullmatch(text):
        return Surprise("which YAML 1.1 reads as a number", text.replace("_", ""))
    if _SEXAGESIMAL.fullmatch(text):
        return Surprise("which YAML 1.1 reads as a number to the base 60")
    if _DATE.fullmatch(text):
        return Surprise("which YAML 1.1 reads as a date")
    return None


def _number(text: str, base: int, version: str = "1.1") -> Surprise:
    try:
        number = int(text.replace("_", ""), base)
    except ValueError:  # no digit is left of 0b_
        return Surprise(f"which YAML {version} reads as a number")
    return Surprise(f"which YAML {version} reads as the number {number}", str(number))
