"""Locust: a summary an endpoint, with its histogram, from what ``--json`` prints at the end.

    [{"name": "/products", "method": "GET", "num_requests": 40, "num_failures": 2, "start_time": 1763…,
      "last_request_timestamp": 1763…, "response_times": {"3": 30, "12": 10}, …}]

Why requests failed is in the table that it logs at its end (the file of ``--csv`` lacks the last second):

    Error report
    # occurrences      Error
    ------------------|-----------------------
    15                 GET /broken: HTTPError('503 Server Error: Service Unavailable for url: /broken')

Locust counts every status from 400 on as a failure; here a 404 is an answer, and counts as one. A failure
of which the reason is not known is not held against the fleet.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from fuzzer.loads.outside.base import STDERR, STDOUT, Moment, ToolReport, ToolSummary
from fuzzer.loads.outside.commands import program_at, refuse
from fuzzer.loads.outside.reading import Source
from fuzzer.loads.outside.words import endpoint_of, kind_of
from models.histogram import Histogram

TABLE = "Error report"

_ROW = re.compile(r"(\d{1,15}) +(\S.*)")
_EXCEPTION = re.compile(r"[\w.]+\(.*\)", re.DOTALL)

Reasons = list[tuple[int, str]]


class Locust:
    """``locust -f shop.py -u 20 -t 30s``. Always headless."""

    name = "locust"
    exits = frozenset({1})  # requests failed, or the script set environment.process_exit_code

    def prepare(self, words: Sequence[str], folder: Path) -> list[str]:
        """The words, with a report on the output."""
        theirs = words[(program_at(words, {self.name}) or 0) + 1 :]
        refuse(theirs, self.name, "--skip-log", why="why requests failed is read from its log")
        refuse(theirs, self.name, "--worker", "--autostart", why="it must run and report by itself")
        # The last one counts: a run with failures is a report, and no failure of Locust.
        return [*words, "--headless", "--json", "--exit-code-on-error", "0"]

    def read(self, words: Sequence[str], folder: Path, began: Moment) -> ToolReport:
        """A summary for each name and method."""
        source = Source(self.name, folder / STDOUT)
        entries = source.items(source.parsed(_last_list(source.text())), "")
        reasons = _reasons(Source(self.name, folder / STDERR))
        told = [_summary(source, entry, reasons, began, f"entry {at}") for at, entry in enumerate(entries, 1)]
        summaries = tuple(summary for summary, _ in told if summary.sent)
        return ToolReport(summaries=summaries, unsent=sum(unsent for _, unsent in told))


def _summary(
    source: Source, entry: object, reasons: Reasons, began: Moment, where: str
) -> tuple[ToolSummary, int]:
    """The summary, and how many of its requests were never sent."""
    told = source.mapping(entry, where)
    name = source.word(told.get("name"), where)
    method = source.word(told.get("method") or "", where)
    sent = source.count(told.get("num_requests"), where)
    failed = source.count(told.get("num_failures"), where)
    if failed > sent:
        raise source.wrong(where, f"{failed:,} failures of {sent:,} requests", "not more failures")
    latency = Histogram()
    for took, count in source.mapping(told.get("response_times"), where).items():
        latency.add(source.numeral(took, where), source.count(count, where))
    if latency.count > sent:
        raise source.wrong(where, f"{latency.count:,} times of {sent:,} requests", "not more times")
    why = _kinds(reasons, f"{method} {name}: ")
    if why.total() > failed:
        raise source.wrong(where, f"{why.total():,} reasons for {failed:,} failures", "not more reasons")
    unsent = failed - why.total() + why.pop("unsent", 0)
    answered = sum(why.pop(kind) for kind in list(why) if kind.startswith("HTTP 4"))
    ended = told.get("last_request_timestamp")
    summary = ToolSummary(
        endpoint_of(method, name),
        sent - unsent,
        failed - unsent - answered,
        dict(why),
        latency,
        began.monotonic_at(source.number(told.get("start_time"), where)) if sent else began.monotonic_s,
        None if ended is None else began.monotonic_at(source.number(ended, where)),
    )
    return summary, unsent


def _last_list(text: bytes) -> bytes:
    """From the last line that opens a list: the user's script may have printed before."""
    return text[text.rfind(b"\n[") + 1 :]


def _reasons(source: Source) -> Reasons:
    """The rows of the last table: how often, and what was said."""
    lines = source.text().decode("utf-8", "replace").splitlines()
    starts = [at for at, line in enumerate(lines) if line.strip() == TABLE]
    if not starts:
        return []
    rows = (_ROW.fullmatch(line.strip()) for line in lines[starts[-1] + 1 :])
    return [(int(row[1]), row[2]) for row in rows if row]


def _kinds(reasons: Reasons, begin: str) -> Counter[str]:
    """How many failed in which way, of those whose reason begins so."""
    kinds: Counter[str] = Counter()
    for count, said in reasons:
        if said.startswith(begin):
            error = said.removeprefix(begin)
            # What a script says itself, to refuse an answer, is no exception.
            kinds[kind_of(error) if _EXCEPTION.fullmatch(error) else "wrong-body"] += count
    return kinds
