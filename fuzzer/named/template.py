"""A named scenario: the text of a scenario with open places, and whom it is meant for.

::

    # A service is killed while clients call it.
    # services: 1 random
    # duration: 20s
    load {load} {duration}
    wait 3s
    kill {service}
    wait 5s
    heal all

The first comment is its summary. ``{service}`` stands for each service in turn, a line for each, or for all
of them at once where that is asked for; ``{services}`` always for all; ``{load}`` for each load of the
target; ``{duration}`` for a span of time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from fuzzer.files import read_limited
from models.errors import RequestError, ScenarioError
from models.step import Step

ENDING = ".txt"

SERVICE, SERVICES, LOAD, DURATION = "{service}", "{services}", "{load}", "{duration}"

_KEY = re.compile(r"#\s*(services|duration):\s*(.*?)\s*")
_WHO = re.compile(r"([1-9][0-9]?) (random|most needed|stores?)")
_PLACE = re.compile(r"\{[^}]*\}")
_COMMENT = re.compile(r"(?:^|(?<=\s))#.*")


class Kind(StrEnum):
    """How services are chosen where a person names none."""

    NONE = "none"
    RANDOM = "random"
    MOST_NEEDED = "most needed"
    STORES = "stores"


@dataclass(frozen=True, slots=True)
class Who:
    """So many services of a kind."""

    count: int
    kind: Kind

    def __str__(self) -> str:
        if self.kind is Kind.NONE:
            return self.kind
        return f"{self.count} {'store' if (self.count, self.kind) == (1, Kind.STORES) else self.kind}"


@dataclass(frozen=True)
class Template:
    """One named scenario.

    Attributes:
        lines: number and text of each line that holds steps.
        duration: a span of time, where nobody names one; "" where it has none.
    """

    name: str
    path: Path
    summary: str
    who: Who
    duration: str
    lines: tuple[tuple[int, str], ...]

    def steps(
        self, services: Sequence[str], loads: Sequence[str], duration: str, *, together: bool
    ) -> Iterator[Step]:
        """Its steps, with every place filled; a line about a load is left out where there is none.

        Raises:
            ScenarioError: with the file and line, and what was found there.
        """
        for number, line in self.lines:
            for part in line.split(";"):
                for text in _filled(part, services, loads, duration, together):
                    try:
                        yield Step.parse(text)
                    except ScenarioError as error:
                        raise ScenarioError(f"{self.path}: line {number}: {error}") from None


def _filled(
    part: str, services: Sequence[str], loads: Sequence[str], duration: str, together: bool
) -> Iterator[str]:
    part = part.strip().replace(DURATION, duration).replace(SERVICES, " ".join(services))
    if not part:
        return
    at_once = together and not _is_of_link(part)
    each = [" ".join(services)] if at_once else services
    for service in each if SERVICE in part else [""]:
        for load in loads if LOAD in part else [""]:
            yield part.replace(SERVICE, service).replace(LOAD, load)


def _is_of_link(part: str) -> bool:
    """Services at an end of a link are not written side by side."""
    return "->" in part


def read_template(path: Path) -> Template:
    """Read one file.

    Raises:
        RequestError: it cannot be read, or something in it is not understood; the message says where.
    """
    try:
        text = read_limited(path)
    except OSError as error:
        raise RequestError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise RequestError(f"{path}: is no text; expected a scenario, one step a line") from None
    summary, who, duration = "", Who(1, Kind.RANDOM), ""
    lines = []
    for number, line in enumerate(text.splitlines(), start=1):
        if key := _KEY.fullmatch(line):
            if key[1] == "services":
                who = _who(path, number, key[2])
            else:
                duration = key[2]
        elif line.startswith("#") and not summary:
            summary = line.lstrip("# ").rstrip()
        elif steps := _COMMENT.sub("", line).strip():
            _refuse_places(path, number, steps)
            lines.append((number, steps))
    if not lines:
        raise RequestError(f"{path}: holds no step; expected one a line, such as `crash {SERVICE}`")
    if not duration and any(DURATION in line for _, line in lines):
        raise RequestError(f"{path}: uses {DURATION}; expected a line such as `# duration: 30s`")
    return Template(path.stem, path, summary, who, duration, tuple(lines))


def _who(path: Path, number: int, text: str) -> Who:
    if text == Kind.NONE:
        return Who(0, Kind.NONE)
    found = _WHO.fullmatch(text)
    if found is None:
        raise RequestError(
            f"{path}: line {number}: found `services: {text}`; "
            "expected none, or a number and random, most needed or stores"
        )
    return Who(int(found[1]), Kind.STORES if found[2].startswith("store") else Kind(found[2]))


def _refuse_places(path: Path, number: int, line: str) -> None:
    known = (SERVICE, SERVICES, LOAD, DURATION)
    for place in _PLACE.findall(line):
        if place not in known:
            raise RequestError(f"{path}: line {number}: found {place}; expected one of {', '.join(known)}")
