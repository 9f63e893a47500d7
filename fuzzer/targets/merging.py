"""Several documents become one, as compose merges an override file into the first.

Mappings are merged, lists appended, words replaced; what has a short form is brought to its long one
first, so that the list and the mapping form of ``environment`` meet. A command is replaced as a whole,
and so is a list under ``x-knockon``: appending could never take a name away. Source: the Compose
specification, chapter "Merge".
"""

from __future__ import annotations

from dataclasses import replace
from functools import reduce

from fuzzer.targets.base import Place, Problems
from models.compose_nodes import Entry, ListNode, MapNode, Node, ScalarNode, Tag, is_nothing, nothing
from models.compose_spec import EXTENSION

_ASSIGNMENTS = ("environment", "labels")
_NAMES = ("depends_on", "networks")
_ONE_OR_MANY = ("env_file",)
_COMMANDS = (("command",), ("entrypoint",), ("healthcheck", "test"))


def merge_documents(documents: list[MapNode], problems: Problems) -> MapNode:
    """All documents as one; later ones win."""
    whole = [_long_form(document, problems) for document in documents]
    merged = reduce(_merge_maps, whole, MapNode(documents[0].mark))
    return replace(merged, mark=documents[0].mark)


def _merge_maps(base: MapNode, over: MapNode, path: tuple[str, ...] = ()) -> MapNode:
    entries = dict(base.entries)
    for name, entry in over.entries.items():
        value = _merged(entries.get(name), entry.value, (*path, name))
        if value is None:
            entries.pop(name, None)
        else:
            entries[name] = Entry(entry.key, value)
    return replace(over, entries=entries, tag=None)


def _merged(base: Entry | None, over: Node, path: tuple[str, ...]) -> Node | None:
    """The value that counts under a key; None for none."""
    if over.tag is Tag.RESET:
        return None
    lower = None if base is None or over.tag is Tag.OVERRIDE else base.value
    match lower, over:
        case MapNode(), MapNode():
            return _merge_maps(lower, over, path)
        case _, MapNode():
            return _merge_maps(MapNode(over.mark), over, path)
        case ListNode(items=items), ListNode() if not _is_replaced(path):
            return replace(over, items=items + over.items)
        case MapNode() | ListNode(), ScalarNode() if is_nothing(over):
            return lower
        case _:
            return over


def _is_replaced(path: tuple[str, ...]) -> bool:
    return EXTENSION in path or (path[:1] == ("services",) and path[2:] in _COMMANDS)


def _long_form(document: MapNode, problems: Problems) -> MapNode:
    """A document whose services have no short forms."""
    place = Place(document, "", problems).get("services")
    if place is None or not isinstance(place.node, MapNode):
        return document
    services = {
        name: Entry(entry.key, _long_service(place.below(entry.value, name)))
        for name, entry in place.node.entries.items()
    }
    whole = Entry(document.entries["services"].key, replace(place.node, entries=services))
    return replace(document, entries={**document.entries, "services": whole})


def _long_service(place: Place) -> Node:
    if not isinstance(place.node, MapNode):
        return place.node
    entries = dict(place.node.entries)
    for keys, longer in ((_ASSIGNMENTS, _assignments), (_NAMES, _names), (_ONE_OR_MANY, _list)):
        for key in keys:
            short = place.get(key)
            if short is not None:
                entries[key] = Entry(entries[key].key, longer(short))
    return replace(place.node, entries=entries)


def _assignments(place: Place) -> Node:
    """``[A=1, B]`` as ``{A: "1", B: }``."""
    if not isinstance(place.node, ListNode):
        return place.node
    entries = {}
    for item in place.items():
        text = item.text("NAME=value")
        if text is not None:
            name, equals, value = text.partition("=")
            word = ScalarNode(item.mark, value) if equals else nothing(item.mark)
            entries[name] = Entry(ScalarNode(item.mark, name), word)
    return MapNode(place.mark, entries, place.node.tag)


def _names(place: Place) -> Node:
    """``[a, b]`` as ``{a: , b: }``."""
    if not isinstance(place.node, ListNode):
        return place.node
    entries = {}
    for item in place.items():
        name = item.text("a name")
        if name is not None:
            entries[name] = Entry(ScalarNode(item.mark, name), nothing(item.mark))
    return MapNode(place.mark, entries, place.node.tag)


def _list(place: Place) -> Node:
    """``a`` as ``[a]``."""
    return (
        place.node
        if isinstance(place.node, ListNode)
        else ListNode(place.mark, (place.node,), place.node.tag)
    )
