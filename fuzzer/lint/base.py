"""What a rule gives: a piece of advice, with the key that it is about, the reason, and the fix."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from models.target import Target


@dataclass(frozen=True, slots=True)
class Advice:
    """One thing to change.

    Attributes:
        rule: the name of the rule, to leave it out by.
        service: "" where it is about the whole file.
        key: the key of the service that is missing or wrong.
        found: what stands there.
        reason: what comes of it when something breaks.
        fix: the lines to write, as YAML in one line.
    """

    rule: str
    service: str
    key: str
    found: str
    reason: str
    fix: str


Rule: TypeAlias = Callable[[Target], Iterator[Advice]]
