"""Values of a compose file that remember where they stand: words, lists and mappings.

YAML and JSON become the same nodes. They are values: whoever fills in variables or merges files
makes new ones, and a value keeps the line of the file that it came from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from models.compose_scalars import Value, resolve


@dataclass(frozen=True, slots=True)
class Mark:
    """A line of a file, counted from 1; 0 stands for the file as a whole."""

    file: str
    line: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


class Tag(StrEnum):
    """What a file says about merging: drop the value of earlier files, or take this one instead."""

    RESET = "!reset"
    OVERRIDE = "!override"


@dataclass(frozen=True, slots=True)
class ScalarNode:
    """A word. ``plain``: unquoted, so that it may be something else than text."""

    mark: Mark
    text: str
    plain: bool = False
    from_variable: bool = False
    tag: Tag | None = None

    @property
    def value(self) -> Value:
        """The value as compose reads it; what came from a variable is text."""
        return resolve(self.text) if self.plain and not self.from_variable else self.text


@dataclass(frozen=True, slots=True)
class ListNode:
    """A list."""

    mark: Mark
    items: tuple[Node, ...] = ()
    tag: Tag | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A key and its value."""

    key: ScalarNode
    value: Node


@dataclass(frozen=True, slots=True)
class MapNode:
    """A mapping, in the order of the file."""

    mark: Mark
    entries: Mapping[str, Entry] = field(default_factory=dict)
    tag: Tag | None = None


Node: TypeAlias = ScalarNode | ListNode | MapNode


def nothing(mark: Mark) -> ScalarNode:
    """A value that is not given."""
    return ScalarNode(mark, "", plain=True)


def is_nothing(node: Node) -> bool:
    """Whether a value is null."""
    return isinstance(node, ScalarNode) and node.value is None


def quoted(text: str) -> str:
    """A text in quotes, shortened, with control characters made visible."""
    return repr(text if len(text) <= 60 else text[:59] + "…")


def describe(node: Node) -> str:
    """What is there, in words: ``a list``, ``nothing``, ``30``, ``'text'``."""
    match node:
        case MapNode():
            return "a mapping"
        case ListNode():
            return "a list"
        case ScalarNode(text=text):
            if node.value is None:
                return "nothing"
            return quoted(text) if isinstance(node.value, str) else text[:60]
