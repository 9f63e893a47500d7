"""``x-knockon`` in a file becomes checked keys, and pydantic's findings become our words.

Pydantic knows where and what; the place of each finding is looked up in the nodes, so that it is told
with its line, as what stands there and what should.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from math import isfinite
from typing import TypeAlias, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from fuzzer.targets.base import Place, nearest
from models.compose_nodes import ListNode, MapNode, Node, ScalarNode
from models.compose_scalars import Value, resolve
from models.compose_spec import EXTENSION

Keys = TypeVar("Keys", bound=BaseModel)
Plain: TypeAlias = "Value | list[Plain] | dict[str, Plain]"
Location: TypeAlias = tuple[int | str, ...]

_CAST = ("bool_type", "int_type", "float_type")
_EXPECTED: Mapping[str, str] = {
    "string_type": "text",
    "bool_type": "true or false",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "literal_error": "{expected}",
    "enum": "{expected}",
    "greater_than": "a number above {gt:g}",
    "greater_than_equal": "at least {ge:g}",
    "less_than": "a number below {lt:g}",
    "less_than_equal": "at most {le:g}",
    "value_error": "{error}",
}


def read_extension(parent: Place, model: type[Keys]) -> Keys:
    """The keys under ``x-knockon`` of a file or a service; defaults where they are missing or wrong."""
    place = parent.get(EXTENSION)
    if place is None:
        return model()
    _note_surprises(place)
    details = _wrong(model, _plain(place.node))
    cast = {
        detail["loc"] for detail in details if detail["type"] in _CAST and _is_filled(place, detail["loc"])
    }
    data = _plain(place.node, cast)
    if cast:
        details = _wrong(model, data)
    for detail in details:
        _complain(place, detail, model)
    return model() if details else model.model_validate(data)


def _wrong(model: type[BaseModel], data: Plain) -> list[ErrorDetails]:
    try:
        model.model_validate(data)
    except ValidationError as error:
        return error.errors(include_url=False)
    return []


def _note_surprises(place: Place) -> None:
    place.is_surprise(or_plainly=True)
    for _, key in place.names():
        key.is_surprise()
    for child in place.children():
        _note_surprises(child)


def _plain(node: Node, cast: Collection[Location] = (), at: Location = ()) -> Plain:
    """A node as plain data. What came from a variable is text, but at ``cast`` what it looks like."""
    match node:
        case MapNode(entries=entries):
            return {name: _plain(entry.value, cast, (*at, name)) for name, entry in entries.items()}
        case ListNode(items=items):
            return [_plain(item, cast, (*at, index)) for index, item in enumerate(items)]
        case ScalarNode():
            return resolve(node.text) if at in cast else node.value


def _is_filled(root: Place, location: Location) -> bool:
    """Whether the word there came from a variable, which is text whatever it looks like."""
    node = _find(root, location).node
    return isinstance(node, ScalarNode) and node.from_variable


def _is_endless(node: Node) -> bool:
    """Whether this is infinity or no number (.nan); it fails one bound or the other."""
    return isinstance(node, ScalarNode) and isinstance(node.value, float) and not isfinite(node.value)


def _find(place: Place, location: Location) -> Place:
    """The place that pydantic speaks of; the closest one to it when it is not there."""
    for step in location:
        match place.node, step:
            case MapNode(entries=entries), str() if step in entries:
                place = place.below(entries[step].value, step)
            case ListNode(items=items), int() if step < len(items):
                place = place.item(step, items[step])
            case _:
                return place
    return place


def _complain(root: Place, detail: ErrorDetails, model: type[BaseModel]) -> None:
    location, kind = detail["loc"], detail["type"]
    if location and location[-1] == "[key]":
        location, kind = location[:-1], "key"
    place = _find(root, location)
    if kind in ("key", "extra_forbidden"):
        name = str(location[-1])
        place = _find(root, location[:-1]).key(name) or place
    if place.is_surprise(or_plainly=True):
        return
    match kind:
        case "missing":
            place.complain(f"`{location[-1]}`", found=f"no `{location[-1]}`")
        case "extra_forbidden":
            known = list(_model_at(model, location).model_fields)
            place.complain(f"one of {', '.join(known)}{nearest(name, known)}", found="an unknown key")
        case _ if _is_endless(place.node):
            place.complain("a finite number")
        case _:
            place.complain(_EXPECTED.get(detail["type"], "another value").format(**detail.get("ctx", {})))


def _model_at(model: type[BaseModel], location: Location) -> type[BaseModel]:
    """The model that describes the mapping around ``location``."""
    for step in location[:-1]:
        if step in model.model_fields:
            annotation = model.model_fields[str(step)].annotation
            for kind in (annotation, *get_args(annotation)):
                if isinstance(kind, type) and issubclass(kind, BaseModel):
                    model = kind
    return model
