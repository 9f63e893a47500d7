"""Reads what a tool wrote, and trusts none of it: anything may be missing, cut off or damaged.

Every error is a ``ToolFailed`` that says where, what was found and what was expected. Files are read line
by line, or refused beyond a size; single requests are kept up to a number, and added up beyond it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from typing import cast

from fuzzer.loads.outside.base import ToolFailed, ToolReport, ToolRequest, ToolSummary
from models.histogram import Histogram

FILE_BYTES_MOST = 64 << 20
"""A report that has to be read in one piece is refused beyond this."""

LINE_BYTES_MOST = 1 << 20

NUMBER_MOST = 1e15
"""No count, time or latency is larger; a damaged one may be."""

REQUESTS_MOST = 250_000
"""As many single requests are kept of a report; further ones are added up by endpoint."""

ENDPOINTS_MOST = 1_000
"""As many endpoints are told apart in what is added up."""

REST = "(other)"


@dataclass(frozen=True, slots=True)
class Source:
    """A file that a tool wrote."""

    tool: str
    path: Path

    def wrong(self, where: str, found: str, expected: str) -> ToolFailed:
        """The error that says so."""
        place = f"{self.path.name}, {where}" if where else self.path.name
        return ToolFailed(f"{self.tool}: {place}: found {found}, expected {expected}")

    def lines(self) -> Iterator[tuple[int, bytes]]:
        """Each line with its number, from 1; the last may lack its end."""
        try:
            with self.path.open("rb") as file:
                number = 0
                while line := file.readline(LINE_BYTES_MOST + 1):
                    number += 1
                    if len(line) > LINE_BYTES_MOST:
                        raise self.wrong(f"line {number}", "no end of the line", "a report")
                    yield number, line
        except OSError as error:
            raise self._missing(error) from None

    def text(self) -> bytes:
        """All of it."""
        try:
            with self.path.open("rb") as file:
                text = file.read(FILE_BYTES_MOST + 1)
        except OSError as error:
            raise self._missing(error) from None
        if len(text) > FILE_BYTES_MOST:
            raise self.wrong("", f"more than {FILE_BYTES_MOST >> 20} MiB", "a report of a shorter run")
        return text

    def parsed(self, text: bytes, where: str = "") -> object:
        """JSON as values."""
        try:
            return cast(object, json.loads(text))
        except (ValueError, RecursionError):
            found = "nothing" if not text.strip() else "something else"
            raise self.wrong(where, found, "a complete JSON report") from None

    def mapping(self, value: object, where: str) -> Mapping[str, object]:
        """It, if it is an object."""
        if not isinstance(value, dict):
            raise self.wrong(where, _brief(value), "an object")
        return value

    def items(self, value: object, where: str) -> list[object]:
        """It, if it is a list."""
        if not isinstance(value, list):
            raise self.wrong(where, _brief(value), "a list")
        return value

    def word(self, value: object, where: str) -> str:
        """It, if it is text."""
        if not isinstance(value, str):
            raise self.wrong(where, _brief(value), "text")
        return value

    def number(self, value: object, where: str) -> float:
        """It, if it is a number that a report may hold: finite, not negative, not absurd."""
        # The comparison is with the integer itself: one of a thousand digits is no float.
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= NUMBER_MOST:
            return float(value)
        raise self.wrong(where, _brief(value), "a number from 0 on")

    def numeral(self, text: str, where: str) -> float:
        """The number that a text is."""
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not isfinite(value):
            raise self.wrong(where, _brief(text), "a number from 0 on")
        return self.number(value, where)

    def count(self, value: object, where: str) -> int:
        """It, if it is a whole number."""
        number = self.number(value, where)
        if number != int(number):
            raise self.wrong(where, _brief(value), "a whole number")
        return int(number)

    def _missing(self, error: OSError) -> ToolFailed:
        why = "no such file" if isinstance(error, FileNotFoundError) else error.strerror or "no file"
        return self.wrong("", why, f"the report of {self.tool}")


@dataclass(slots=True)
class _Sum:
    sent: int = 0
    failed: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    latency: Histogram = field(default_factory=Histogram)
    began_s: float = float("inf")
    ended_s: float = float("-inf")


class Collected:
    """Requests as they are read: the first ones singly, the rest added up."""

    def __init__(self) -> None:
        self._requests: list[ToolRequest] = []
        self._rest: dict[str, _Sum] = {}
        self._names: dict[str, str] = {}
        self.unsent = 0
        self.told = 0

    def add(
        self, endpoint: str, sent_s: float, latency_ms: float, status: int | None, error: str, origin: str
    ) -> None:
        """Keep one; ``unsent`` says that it tells of the tool and not of the fleet."""
        self.told += 1
        if error == "unsent":
            self.unsent += 1
            return
        name = self._names.setdefault(endpoint, endpoint)  # one text for all requests of an endpoint
        origin = self._names.setdefault(origin, origin)
        request = ToolRequest(name, sent_s, latency_ms, status, error, origin)
        if len(self._requests) < REQUESTS_MOST:
            self._requests.append(request)
        else:
            self._names.clear()
            self._add_up(request)

    def report(self, summaries: Iterable[ToolSummary] = ()) -> ToolReport:
        """Everything that was kept, and ``summaries`` of what was not told singly."""
        rest = (
            ToolSummary(
                name, sum_.sent, sum_.failed, dict(sum_.kinds), sum_.latency, sum_.began_s, sum_.ended_s
            )
            for name, sum_ in self._rest.items()
        )
        return ToolReport(tuple(self._requests), (*rest, *summaries), self.unsent)

    def _add_up(self, request: ToolRequest) -> None:
        known = request.endpoint in self._rest or len(self._rest) < ENDPOINTS_MOST
        rest = self._rest.setdefault(request.endpoint if known else REST, _Sum())
        rest.sent += 1
        if not request.good:
            rest.failed += 1
            rest.kinds[request.error or f"HTTP {request.status}"] += 1
        if request.status is not None:
            rest.latency.add(request.latency_ms)
        rest.began_s = min(rest.began_s, request.sent_s)
        rest.ended_s = max(rest.ended_s, request.sent_s + request.latency_ms / 1000)


def from_quantiles(count: int, quantiles: Iterable[tuple[float, float]]) -> Histogram:
    """A histogram of ``count`` values of which only some quantiles are known, as (share, value).

    Each quantile given is met; what lies between two is taken for the upper one, so no value is made
    smaller than it was.
    """
    histogram, done, highest = Histogram(), 0, 0.0
    for share, value in sorted(quantiles):
        upto, highest = min(count, round(share * count)), max(highest, value)
        if upto > done:
            histogram.add(highest, upto - done)
            done = upto
    if done < count:
        histogram.add(highest, count - done)
    return histogram


def _brief(value: object) -> str:
    match value:
        case None:
            return "nothing"
        case dict():
            return "an object"
        case list():
            return "a list"
        case str():
            return repr(value if len(value) <= 40 else value[:40] + "…")
        case bool():
            return str(value).lower()
        case int() | float() if abs(value) <= NUMBER_MOST:
            return f"{value:g}"
        case _:
            return "a number out of all bounds"
