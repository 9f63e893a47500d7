"""The environment of a service's containers: its ``env_file`` files, then ``environment``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from fuzzer.targets.base import Place
from fuzzer.targets.dotenv import read_variables
from models.compose_nodes import MapNode, is_nothing


def read_environment(service: Place, directory: Path, variables: Mapping[str, str]) -> dict[str, str]:
    """Variables by name. One without a value is taken from ``variables``, or left out."""
    environment: dict[str, str] = {}
    files = service.get("env_file")
    if files is not None:
        for item in files.items():
            environment |= _file(item, directory, variables)
    place = service.get("environment")
    if place is None:
        return environment
    for name, value in place.entries("variables: a mapping, or a list of NAME=value"):
        if is_nothing(value.node):
            if name in variables:
                environment[name] = variables[name]
            continue
        text = value.printed("text or a number")
        if text is not None:
            environment[name] = text
    return environment


def _file(place: Place, directory: Path, variables: Mapping[str, str]) -> dict[str, str]:
    path: Place | None = place
    required = True
    if isinstance(place.node, MapNode):
        place.check_keys({"path", "required", "format"}, "env_file")
        path = place.get("path")
        needed = place.get("required")
        required = needed is None or needed.flag()
    if path is None:
        place.complain("a file under `path`", found="no `path`")
        return {}
    text = path.text("the path of a file")
    if text is None:
        return {}
    file = directory / text
    if not file.is_file():
        if required:
            path.complain("a file that exists")
        return {}
    return read_variables(file, variables, place.problems)
