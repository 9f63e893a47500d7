"""hey: every request that was answered, and how many were not, for which reasons.

Its CSV leaves out what failed, which is what matters here. But ``-o`` also takes a template, in which all
of the report can be had; ours has a line a request (seconds it took, seconds since the start, status),
then the errors and the statuses with their counts, and ``end``. hey keeps the first million answers; what
is beyond is known by its status alone.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from fuzzer.loads.outside.base import STDOUT, Moment, ToolReport, ToolSummary
from fuzzer.loads.outside.commands import program_at
from fuzzer.loads.outside.reading import Collected, Source
from fuzzer.loads.outside.words import endpoint_of, error_of, origin_of
from models.errors import RequestError
from models.histogram import Histogram

TEMPLATE = (
    "begin\n"
    "{{ range $at, $took := .Lats }}"
    "{{ $took }},{{ index $.Offsets $at }},{{ index $.StatusCodes $at }}\n"
    "{{ end }}"
    "{{ range $text, $count := .ErrorDist }}error {{ $count }} {{ jsonify $text }}\n{{ end }}"
    "{{ range $status, $count := .StatusCodeDist }}status {{ $count }} {{ $status }}\n{{ end }}"
    "end\n"
)

FLAGS = frozenset({"h2", "disable-compression", "disable-keepalive", "disable-redirects"})
"""Options without a value; all others have one."""


class Hey:
    """``hey -z 30s http://shop:8000/``. It asks one URL."""

    name = "hey"
    exits: frozenset[int] = frozenset()

    def prepare(self, words: Sequence[str], folder: Path) -> list[str]:
        """The words, with our template."""
        options, url = _parsed(words)
        if "o" in options:
            raise RequestError("load command: hey: found -o; leave it out: its report is read from there")
        if not url:
            raise RequestError("load command: hey: found no URL, expected hey [options] URL")
        at = (program_at(words, {self.name}) or 0) + 1
        return [*words[:at], "-o", TEMPLATE, *words[at:]]

    def read(self, words: Sequence[str], folder: Path, began: Moment) -> ToolReport:
        """What was answered, singly; what was not, added up."""
        options, url = _parsed(words)
        endpoint, origin = endpoint_of(options.get("m", "GET"), url), origin_of(url)
        source, collected = Source(self.name, folder / STDOUT), Collected()
        seen: Counter[int] = Counter()
        all_: Counter[int] = Counter()
        errors: Counter[str] = Counter()
        state = ""
        for number, line in source.lines():
            where = f"line {number}"
            text = line.decode("utf-8", "replace").strip()
            if state != "begin":
                state = text if text == "begin" else state  # whatever a launcher says before
            elif text == "end":
                state = text
                break
            elif text.startswith("error "):
                _, count, said = [*text.split(" ", 2), "", ""][:3]
                errors[_kind(said)] += source.count(source.numeral(count, where), where)
            elif text.startswith("status "):
                numbers = [source.count(source.numeral(word, where), where) for word in text.split(" ")[1:]]
                if len(numbers) != 2:
                    raise source.wrong(where, repr(text[:40]), "a count and a status")
                all_[numbers[1]] += numbers[0]
            else:
                cells = [source.numeral(cell, where) for cell in text.split(",")]
                if len(cells) != 3:
                    raise source.wrong(where, repr(text[:40]), "a duration, an offset and a status")
                status = source.count(cells[2], where)
                seen[status] += 1
                collected.add(endpoint, began.monotonic_s + cells[1], cells[0] * 1000, status, "", origin)
        if state != "end":
            raise source.wrong("", "no end" if state else "no report", "the whole report of hey")
        if seen - all_:
            raise source.wrong("", "more answers than hey counted", "as many")
        collected.unsent += errors.pop("unsent", 0)
        rest = all_ - seen
        return collected.report(_summaries(endpoint, errors, rest, began))


def _summaries(
    endpoint: str, errors: Counter[str], rest: Counter[int], began: Moment
) -> tuple[ToolSummary, ...]:
    kinds = errors + Counter({f"HTTP {status}": count for status, count in rest.items() if status >= 500})
    sent = errors.total() + rest.total()
    if not sent:
        return ()
    return (ToolSummary(endpoint, sent, kinds.total(), dict(kinds), Histogram(), began.monotonic_s),)


def _kind(said: str) -> str:
    try:
        text = json.loads(said)
    except (ValueError, RecursionError):
        text = said  # a % in it was taken for a directive by hey
    return error_of(str(text))


def _parsed(words: Sequence[str]) -> tuple[dict[str, str], str]:
    """Options by name, and the URL: as Go's flag package takes them."""
    left = list(words[(program_at(words, {"hey"}) or 0) + 1 :])
    options: dict[str, str] = {}
    while left and left[0].startswith("-") and left[0] not in ("-", "--"):
        name, equals, value = left.pop(0).lstrip("-").partition("=")
        if not equals and name not in FLAGS and left:
            value = left.pop(0)
        options[name] = value
    if left and left[0] == "--":
        left.pop(0)
    return options, left[0] if left else ""
