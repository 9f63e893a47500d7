"""k6: every request, from the lines of JSON that ``--out json=…`` writes.

A request is nine lines, a metric each, one after the other, and all with the same time: its end. They
begin with ``http_reqs``. Of those, the duration is without the wait for a connection, which is in
``http_req_blocked``; a client waits for both.

    {"metric":"http_req_duration","type":"Point","data":{"time":"2025-06-02T18:44:55.8795741+02:00",
     "value":57.07,"tags":{"method":"GET","name":"http://shop:8000/","status":"200","url":"http://…"}}}

Metrics: https://grafana.com/docs/k6/latest/using-k6/metrics/reference. Error codes:
https://grafana.com/docs/k6/latest/javascript-api/error-codes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from fuzzer.loads.outside.base import Moment, ToolFailed, ToolReport
from fuzzer.loads.outside.commands import after_verb, given
from fuzzer.loads.outside.reading import Collected, Source
from fuzzer.loads.outside.words import endpoint_of, error_of, origin_of

POINTS = "k6.json"
SUMMARY = "k6-summary.json"

DURATION = "http_req_duration"

EXACT = {
    1010: "unreachable",
    1020: "unsent",
    1050: "timeout",
    1110: "unsent",  # the script's own lists of hosts that it must not ask
    1111: "unsent",
    1201: "reset",
    1202: "unreachable",
    1210: "unreachable",
    1211: "timeout",
    1212: "refused",
    1213: "unreachable",
    1220: "reset",
    1701: "garbage",
}
"""Error codes whose meaning is sure; for others, what k6 says besides."""

RANGES = ((1100, "dns"), (1300, "tls"), (1600, "reset"))
"""Ranges of a hundred codes (1600: HTTP/2, where the server ended a stream or the connection)."""


@dataclass(slots=True)
class _Open:
    """A request whose lines are being read."""

    ended_s: float
    status: int | None
    error: str
    endpoint: str
    origin: str
    parts_ms: dict[str, float] = field(default_factory=dict)


class K6:
    """``k6 run script.js``. The user's own ``--out`` stays: k6 takes several."""

    name = "k6"
    exits = frozenset({99})  # thresholds have failed: errext/exitcodes of k6

    def prepare(self, words: Sequence[str], folder: Path) -> list[str]:
        """The words, with a file for the points and one for the summary."""
        at = after_verb(words, self.name, "run")
        ours = ["--out", f"json={folder / POINTS}"]
        if not given(words[at:], "--summary-export"):
            ours += ["--summary-export", str(folder / SUMMARY)]
        return [*words[:at], *ours, *words[at:]]

    def read(self, words: Sequence[str], folder: Path, began: Moment) -> ToolReport:
        """Every HTTP request."""
        source, collected = Source(self.name, folder / POINTS), Collected()
        request: _Open | None = None
        for number, line in source.lines():
            if b"http_req" not in line:
                continue  # most lines are of no interest, and parsing is what takes the time
            where = f"line {number}"
            try:
                told = source.mapping(source.parsed(line, where), where)
            except ToolFailed:
                if line.endswith(b"\n"):
                    raise
                break  # k6 was killed while it wrote its last line
            if told.get("type") != "Point":
                continue
            data = source.mapping(told.get("data"), where)
            if told.get("metric") == "http_reqs":
                _close(request, collected, began)
                request = _opened(source, data, where)
            elif request is not None:
                metric = source.word(told.get("metric"), where)
                request.parts_ms[metric] = source.number(data.get("value"), where)
        _close(request, collected, began)
        self._compare(folder, collected.told)
        return collected.report()

    def _compare(self, folder: Path, told: int) -> None:
        """The summary, where there is one, knows how many requests there are."""
        source = Source(self.name, folder / SUMMARY)
        if not source.path.exists():
            return
        metrics = source.mapping(source.parsed(source.text()), "").get("metrics")
        reqs = metrics.get("http_reqs") if isinstance(metrics, dict) else None
        if not isinstance(reqs, dict):
            return  # newer summaries have another form, and it is not documented
        values = reqs.get("values", reqs)
        if isinstance(values, dict) and "count" in values:
            count = source.count(values["count"], "http_reqs")
            if count > told:
                raise source.wrong("http_reqs", f"{count:,}", f"{told:,} as in {POINTS}, which was cut off")


def _opened(source: Source, data: Mapping[str, object], where: str) -> _Open:
    tags = source.mapping(data.get("tags"), where)
    if "status" not in tags:
        raise source.wrong(where, "no tag status", "one; leave it in the script's systemTags")
    status = source.count(source.numeral(source.word(tags["status"], where), where), where)
    name, url, method = (source.word(tags.get(tag, ""), where) for tag in ("name", "url", "method"))
    return _Open(
        _unix(source, source.word(data.get("time"), where), where),
        status or None,  # 0: no answer
        _error(source, tags, status, where),
        endpoint_of(method, name or url),
        origin_of(url) or origin_of(name),
    )


def _close(request: _Open | None, collected: Collected, began: Moment) -> None:
    if request is None or DURATION not in request.parts_ms:
        return  # the last one may be cut off
    parts = request.parts_ms
    latency_ms = parts.get("http_req_blocked", 0.0) + parts[DURATION]
    sent_s = began.monotonic_at(request.ended_s - latency_ms / 1000)
    collected.add(request.endpoint, sent_s, latency_ms, request.status, request.error, request.origin)


def _error(source: Source, tags: Mapping[str, object], status: int, where: str) -> str:
    code = int(source.numeral(source.word(tags.get("error_code", "0"), where), where))
    said = source.word(tags.get("error", ""), where)
    if 1400 <= code < 1600 or (not code and status):
        return ""  # an answer, if not a good one
    if said and error_of(said) == "unsent":
        return "unsent"
    if code in EXACT:
        return EXACT[code]
    for begin, kind in RANGES:
        if begin <= code < begin + 100:
            return kind
    return error_of(said)


def _unix(source: Source, text: str, where: str) -> float:
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is not None:
            return moment.timestamp()
    except (ValueError, OverflowError):
        pass
    raise source.wrong(where, repr(text[:40]), "a time with its zone")
