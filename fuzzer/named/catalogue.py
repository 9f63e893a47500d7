"""The named scenarios that there are: ours, and a user's own beside the compose file.

To add one: a file in ``scenarios``, here or there. A user's own stands before ours of the same name.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from fuzzer.named.template import ENDING, Template, read_template
from models.errors import RequestError

OURS = Path(__file__).parent / "scenarios"
FOLDER = "scenarios"


def named(directory: Path) -> Mapping[str, Path]:
    """The files by name, in alphabetical order; ``directory`` is that of the compose file."""
    found: dict[str, Path] = {}
    for folder in (OURS, directory / FOLDER):
        if folder.is_dir():
            found |= {path.stem: path for path in folder.glob(f"*{ENDING}")}
    return dict(sorted(found.items()))


def template(word: str, directory: Path) -> Template:
    """The scenario of that name, with dashes or underscores.

    Raises:
        RequestError: there is none, or its file has a mistake.
    """
    known = named(directory)
    path = known.get(word) or known.get(word.replace("-", "_"))
    if path is None:
        raise RequestError(
            f"there is no scenario {word!r}; expected one of: {', '.join(known)}, or a file "
            f"{word}{ENDING} in {directory / FOLDER}"
        )
    return read_template(path)
