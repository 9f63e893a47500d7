"""Variables in the values of a document are replaced, as compose does it: before files are merged.

Keys stay as they are. What came from a variable is text from the start, so an unquoted
``restart: ${POLICY:-no}`` is no surprise of YAML.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from fuzzer.targets.base import Place, Problems
from models.compose_nodes import Entry, ListNode, MapNode, Mark, Node, ScalarNode
from models.interpolation import VariableError, fill


class Variables:
    """Fills in variables, and remembers where one was read as empty because nothing sets it."""

    def __init__(self, values: Mapping[str, str], problems: Problems) -> None:
        self.values = values
        self.problems = problems
        self.unset: dict[str, Mark] = {}

    def fill(self, document: MapNode) -> MapNode:
        """The document with its variables replaced."""
        filled = self._node(Place(document, "", self.problems))
        assert isinstance(filled, MapNode), "a mapping stays one"
        return filled

    @property
    def notes(self) -> list[str]:
        """A remark for each variable that was read as empty."""
        return [
            f"the variable {name} is not set and was read as empty, as compose does ({mark})"
            for name, mark in self.unset.items()
        ]

    def _node(self, place: Place) -> Node:
        match place.node:
            case ScalarNode(text=text) if "$" in text:
                return self._scalar(place.node, place)
            case ListNode(items=items):
                return replace(
                    place.node,
                    items=tuple(self._node(place.item(index, item)) for index, item in enumerate(items)),
                )
            case MapNode(entries=entries):
                return replace(
                    place.node,
                    entries={
                        name: Entry(entry.key, self._node(place.below(entry.value, name)))
                        for name, entry in entries.items()
                    },
                )
            case node:
                return node

    def _scalar(self, node: ScalarNode, place: Place) -> ScalarNode:
        try:
            filled = fill(node.text, self.values)
        except VariableError as error:
            place.complain(error.expected, found=error.found)
            return node
        for name in filled.unset:
            self.unset.setdefault(name, node.mark)
        return replace(node, text=filled.text, from_variable=True)
