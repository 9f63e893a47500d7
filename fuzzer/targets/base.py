"""What the rooms of this folder share: the list of problems, and places that complain into it.

A place is a node together with the keys that lead to it. Whoever reads a place says what it expected
there; what was found is worked out here, so that every complaint has the same form::

    place.text("a restart policy")  →  compose.yaml:7: services.web.restart: found a list; expected …
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from models.compose_nodes import ListNode, MapNode, Mark, Node, ScalarNode, describe, is_nothing
from models.compose_scalars import resolve, surprise
from models.compose_words import printed
from models.errors import Problem, TargetError

MAX_PROBLEMS = 200
"""No more than these are looked for, so that a large file of another kind is refused at once."""


def nearest(name: str, known: Collection[str]) -> str:
    """``; did you mean `…`?`` when something known resembles ``name``, else nothing."""
    close = difflib.get_close_matches(name[:100], sorted(known)[:1000], n=1)
    return f"; did you mean `{close[0]}`?" if close else ""


class Problems:
    """Every mistake that was found so far. ``files`` is the order in which they are shown."""

    def __init__(self, files: Sequence[str] = ()) -> None:
        self._files = list(files)
        self._found: dict[Problem, Mark] = {}

    def add(self, mark: Mark, path: str, found: str, expected: str) -> None:
        """Note a mistake; the same one twice is one.

        Raises:
            TargetError: there are more than anybody would read.
        """
        self._found.setdefault(Problem(str(mark), path, found, expected), mark)
        if len(self._found) >= MAX_PROBLEMS:
            self.raise_if_any()

    def __bool__(self) -> bool:
        return bool(self._found)

    def raise_if_any(self) -> None:
        """End the reading here if something was wrong.

        Raises:
            TargetError: with all problems, in the order of the files.
        """
        if self._found:
            raise TargetError(sorted(self._found, key=self._order))

    def _order(self, problem: Problem) -> tuple[int, int]:
        mark = self._found[problem]
        position = self._files.index(mark.file) if mark.file in self._files else len(self._files)
        return position, mark.line


@dataclass(frozen=True, slots=True)
class Place:
    """A node, the dotted keys down to it, and where to say what is wrong with it."""

    node: Node
    path: str
    problems: Problems

    @property
    def mark(self) -> Mark:
        """Where it stands."""
        return self.node.mark

    @property
    def word(self) -> str | None:
        """The text that stands here, None if it is something else; for what is checked elsewhere."""
        node = self.node
        return node.value if isinstance(node, ScalarNode) and isinstance(node.value, str) else None

    def complain(self, expected: str, found: str | None = None) -> None:
        """Note that something else was expected here."""
        self.problems.add(self.mark, self.path, found or describe(self.node), expected)

    def get(self, key: str) -> Place | None:
        """What stands under ``key``; None when that is nothing, or when this is no mapping."""
        match self.node:
            case MapNode(entries=entries) if key in entries and not is_nothing(entries[key].value):
                return self.below(entries[key].value, key)
            case _:
                return None

    def at(self, *keys: str) -> Place | None:
        """What stands under several keys, one below the other."""
        place: Place | None = self
        for key in keys:
            place = place.get(key) if place else None
        return place

    def below(self, node: Node, key: str) -> Place:
        """A node below this one."""
        return Place(node, f"{self.path}.{key}" if self.path else key, self.problems)

    def item(self, index: int, node: Node) -> Place:
        """An item of this list."""
        return Place(node, f"{self.path}[{index}]", self.problems)

    def key(self, name: str) -> Place | None:
        """The key of that name itself, if it is there."""
        entries = self.node.entries if isinstance(self.node, MapNode) else {}
        return self.below(entries[name].key, name) if name in entries else None

    def names(self) -> Iterator[tuple[str, Place]]:
        """Names and where they stand (the keys themselves, not their values)."""
        match self.node:
            case MapNode(entries=entries):
                for name, entry in entries.items():
                    yield name, self.below(entry.key, name)

    def children(self) -> Iterator[Place]:
        """The values of a mapping or a list."""
        match self.node:
            case MapNode(entries=entries):
                yield from (self.below(entry.value, name) for name, entry in entries.items())
            case ListNode(items=items):
                yield from (self.item(index, item) for index, item in enumerate(items))

    def entries(self, expected: str = "a mapping") -> Iterator[tuple[str, Place]]:
        """Names and values of a mapping; complains about anything else but nothing."""
        match self.node:
            case MapNode(entries=entries):
                for name, entry in entries.items():
                    if self.below(entry.key, name).text("a name") is not None:
                        yield name, self.below(entry.value, name)
            case node if not is_nothing(node):
                self.complain(expected)

    def items(self, expected: str = "a list") -> Iterator[Place]:
        """The values of a list; complains about anything else but nothing."""
        match self.node:
            case ListNode(items=items):
                for index, item in enumerate(items):
                    yield self.item(index, item)
            case node if not is_nothing(node):
                self.complain(expected)

    def text(self, expected: str) -> str | None:
        """The text that stands here; complains and gives None when it is something else."""
        if self.is_surprise():
            return None
        match self.node:
            case ScalarNode(value=str(text)):
                return text
            case _:
                self.complain(expected)
                return None

    def printed(self, expected: str) -> str | None:
        """Text, or a number or boolean as compose prints it."""
        if isinstance(self.node, ScalarNode) and isinstance(self.node.value, int | float):
            return str(printed(self.node.value))
        return self.text(expected)

    def flag(self) -> bool:
        """A boolean; complains and gives False when it is something else."""
        node = self.node
        if isinstance(node, ScalarNode):
            value = resolve(node.text) if node.from_variable else node.value
            if isinstance(value, bool):
                return value
        if not self.is_surprise(or_plainly=True):
            self.complain("true or false")
        return False

    def is_surprise(self, *, or_plainly: bool = False) -> bool:
        """Whether a word stands here that readers of YAML read differently; complains if so."""
        match self.node:
            case ScalarNode(text=text, plain=True, from_variable=False) if odd := surprise(text):
                shown = text if len(text) <= 40 else text[:39] + "…"
                plainly = (
                    f", or {odd.instead}" if or_plainly and odd.instead and len(odd.instead) < 40 else ""
                )
                self.complain(f'"{shown}" in quotes{plainly}', found=f"{shown}, {odd.reading}")
                return True
            case _:
                return False

    def check_keys(self, known: Collection[str], owner: str) -> None:
        """Complain about keys of a mapping that its ``owner`` does not know; ``x-`` is always allowed."""
        for name, key in self.names():
            if name not in known and not name.startswith("x-"):
                key.complain(f"a key of {owner}{nearest(name, known)}", found="an unknown key")
