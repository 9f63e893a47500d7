"""The parser's events, folded into nodes.

Nothing is constructed and nothing recurses, so neither a tag can run code nor a deep file exhaust
Python's stack. An alias refers to the node of its anchor and counts with all that is in it, so that a
file which unfolds to billions of values is refused while it is still small.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import yaml

from fuzzer.targets.base import Problems
from models.compose_nodes import Entry, ListNode, MapNode, Mark, Node, ScalarNode, Tag, describe

MAX_DEPTH = 60
MAX_NODES = 100_000
MAX_KEY = 500
MAX_DOCUMENTS = 100

# The loader in C, where PyYAML has it, is twenty times faster and takes JSON that is indented with tabs.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_STANDARD = "tag:yaml.org,2002:"
_PLAIN_TAGS = {_STANDARD + name for name in ("int", "float", "bool", "null")}
_COLLECTION_TAGS = {None, "!", _STANDARD + "map", _STANDARD + "seq"}
_SURROGATE = re.compile("[\ud800-\udfff]")


class Refused(Exception):
    """The file is not read any further."""

    def __init__(self, mark: Mark, path: str, found: str, expected: str) -> None:
        self.mark = mark
        self.path = path
        self.found = found
        self.expected = expected


@dataclass
class _Frame:
    """A list or a mapping that is still open."""

    mark: Mark
    mapping: bool
    anchor: str | None
    tag: Tag | None
    items: list[Node] = field(default_factory=list)
    entries: dict[str, Entry] = field(default_factory=dict)
    key: ScalarNode | None = None
    size: int = 1


class Builder:
    """Builds the nodes of one file. Mistakes that leave something to go on with go to ``problems``."""

    def __init__(self, file: str, problems: Problems) -> None:
        self._file = file
        self._problems = problems
        self._open: list[_Frame] = []
        self._anchors: dict[str, tuple[Node, int]] = {}
        self._root: Node | None = None
        self._count = 0

    def documents(self, text: str) -> Iterator[Node]:
        """The documents of a text.

        Raises:
            Refused: the text is too large in some way, or refers to what is not there.
            yaml.YAMLError: it is no YAML.
        """
        for event in yaml.parse(text, Loader=_LOADER):
            mark = Mark(self._file, event.start_mark.line + 1 if event.start_mark else 0)
            match event:
                case yaml.ScalarEvent():
                    node = self._scalar(event, mark)
                    self._add(node, 1, event.anchor)
                case yaml.AliasEvent():
                    self._add(*self._alias(event.anchor, mark), None)
                case yaml.SequenceStartEvent() | yaml.MappingStartEvent():
                    self._start(event, mark)
                case yaml.SequenceEndEvent() | yaml.MappingEndEvent():
                    frame = self._open.pop()
                    self._add(self._close(frame), frame.size, frame.anchor)
                case yaml.DocumentStartEvent():
                    self._count += 1
                    if self._count > MAX_DOCUMENTS:
                        raise Refused(mark, "", f"more than {MAX_DOCUMENTS} documents", "fewer")
                case yaml.DocumentEndEvent() if self._root is not None:
                    yield self._root
                    self._root = None
                    self._anchors.clear()

    def _start(self, event: yaml.CollectionStartEvent, mark: Mark) -> None:
        if len(self._open) >= MAX_DEPTH:
            raise Refused(mark, self._path(), f"more than {MAX_DEPTH} levels", "a flatter file")
        mapping = isinstance(event, yaml.MappingStartEvent)
        tag = None if event.tag in _COLLECTION_TAGS else self._tag(event.tag, mark)
        self._open.append(_Frame(mark, mapping, event.anchor, tag))

    def _scalar(self, event: yaml.ScalarEvent, mark: Mark) -> ScalarNode:
        plain = event.implicit[0] or event.tag in _PLAIN_TAGS
        tag = None
        if event.tag not in {None, "!", _STANDARD + "str", *_PLAIN_TAGS}:
            tag = self._tag(event.tag, mark)
            plain = not event.style
        if _SURROGATE.search(event.value):
            raise Refused(mark, self._path(), "half of a surrogate pair", "whole characters")
        return ScalarNode(mark, event.value, plain, tag=tag)

    def _tag(self, tag: str | None, mark: Mark) -> Tag | None:
        if tag in list(Tag):
            return Tag(tag)
        shown = str(tag).replace(_STANDARD, "!!")[:40]
        self._problems.add(mark, self._path(), f"the tag {shown}", "no tag, !reset or !override")
        return None

    def _alias(self, name: str | None, mark: Mark) -> tuple[Node, int]:
        if any(frame.anchor == name for frame in self._open):
            raise Refused(mark, self._path(), f"the alias *{name}, which contains itself", "an end to it")
        if name is None or name not in self._anchors:
            raise Refused(mark, self._path(), f"the alias *{name}", f"an anchor &{name} before it")
        return self._anchors[name]

    def _add(self, node: Node, size: int, anchor: str | None) -> None:
        """Put a finished node where it belongs."""
        if anchor:
            self._anchors[anchor] = node, size
        if not self._open:
            self._root = node
            return
        frame = self._open[-1]
        frame.size += size
        if frame.size > MAX_NODES:
            raise Refused(node.mark, self._path(), f"more than {MAX_NODES} values, aliases unfolded", "fewer")
        if not frame.mapping:
            frame.items.append(node)
        elif frame.key is None:
            frame.key = self._as_key(node)
        else:
            self._enter(frame, frame.key, node)
            frame.key = None

    def _as_key(self, node: Node) -> ScalarNode:
        if not isinstance(node, ScalarNode):
            raise Refused(node.mark, self._path(), "a list or mapping as a key", "a name")
        if len(node.text) > MAX_KEY:
            raise Refused(
                node.mark, self._path(), f"a key of {len(node.text)} characters", f"at most {MAX_KEY}"
            )
        return node

    def _enter(self, frame: _Frame, key: ScalarNode, value: Node) -> None:
        if key.text in frame.entries:
            first = frame.entries[key.text].key.mark.line
            found = f"the key a second time; it is already on line {first}"
            self._problems.add(key.mark, self._path(), found, "each key once")
        else:
            frame.entries[key.text] = Entry(key, value)

    def _close(self, frame: _Frame) -> Node:
        if not frame.mapping:
            return ListNode(frame.mark, tuple(frame.items), frame.tag)
        merge = frame.entries.get("<<")
        if merge is not None and merge.key.plain:
            del frame.entries["<<"]
            for node in merge.value.items if isinstance(merge.value, ListNode) else (merge.value,):
                self._merge(frame, node)
        return MapNode(frame.mark, frame.entries, frame.tag)

    def _merge(self, frame: _Frame, node: Node) -> None:
        """``<<``: what stands in ``node`` too, unless the mapping itself or an earlier one has it."""
        if isinstance(node, MapNode):
            frame.entries = {**node.entries, **frame.entries}
        else:
            self._problems.add(node.mark, self._path(), f"<< with {describe(node)}", "<< with a mapping")

    def _path(self) -> str:
        """The dotted keys down to what is being read."""
        parts = []
        for frame in self._open:
            if frame.mapping:
                parts.append(f".{frame.key.text}" if frame.key else "")
            else:
                parts.append(f"[{len(frame.items)}]")
        return "".join(parts).removeprefix(".")
