"""From a file to its documents: YAML, or JSON, which is read as the YAML that it is."""

from __future__ import annotations

from pathlib import Path

import yaml

from fuzzer.targets.base import Problems
from fuzzer.targets.text_file import read_text
from fuzzer.targets.yaml_nodes import Builder, Refused
from models.compose_nodes import MapNode, Mark, describe, is_nothing


def read_documents(path: Path, problems: Problems) -> list[MapNode]:
    """The mappings that a file holds, one for each YAML document; none, and a problem, if it is broken."""
    text = read_text(path, problems)
    if text is None:
        return []
    builder = Builder(str(path), problems)
    try:
        roots = list(builder.documents(text))
    except Refused as refused:
        problems.add(refused.mark, refused.path, refused.found, refused.expected)
        return []
    except yaml.YAMLError as error:
        line, reason = _syntax(error, text)
        problems.add(Mark(str(path), line), "", f"a syntax error ({reason})", "YAML or JSON")
        return []
    if all(is_nothing(root) for root in roots):
        problems.add(Mark(str(path)), "", "an empty file", "a mapping with services")
    documents = []
    for root in roots:
        if isinstance(root, MapNode):
            documents.append(root)
        elif not is_nothing(root):
            problems.add(root.mark, "", f"{describe(root)} at the top", "a mapping with services")
    return documents


def _syntax(error: yaml.YAMLError, text: str) -> tuple[int, str]:
    """The line of a syntax error, and the parser's words for it."""
    if isinstance(error, yaml.MarkedYAMLError):
        mark = error.problem_mark or error.context_mark
        return (mark.line + 1 if mark else 0), error.problem or error.context or "unreadable"
    position = getattr(error, "position", None)
    line = text.count("\n", 0, position) + 1 if isinstance(position, int) else 0
    return line, "a control character"
