"""Artillery: a summary for each ten seconds, from the report that ``--output`` writes.

    {"aggregate": {"counters": {"http.requests": 60, "http.codes.200": 58, "errors.ECONNREFUSED": 2},
                   "summaries": {"http.response_time": {"min": 1, "p50": 3, "p99": 9, "count": 58, …}},
                   "firstMetricAt": 1763…, "lastMetricAt": 1763…},
     "intermediate": [the same for every period]}

Endpoints are told apart by the plugin metrics-by-endpoint, which Artillery 2 has and uses by itself; their
names have no method.
Of the latencies it keeps quantiles; see ``from_quantiles`` for what becomes of them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fuzzer.loads.outside.base import Moment, ToolReport, ToolSummary
from fuzzer.loads.outside.commands import after_verb, refuse
from fuzzer.loads.outside.reading import Source, from_quantiles
from fuzzer.loads.outside.words import endpoint_of, kind_of
from models.histogram import Histogram

REPORT = "artillery.json"
ALL = "(all)"
PLUGIN = "plugins.metrics-by-endpoint."
SHARES = {
    "min": 0.0, "p50": 0.5, "p75": 0.75, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p999": 0.999, "max": 1.0
}  # fmt: skip


COUNTER = re.compile(r"(?:(?P<name>.+)\.)?(?:codes\.(?P<status>\d{3})|errors\.(?P<error>.+))", re.DOTALL)
"""``http.codes.200``, ``errors.ECONNRESET``; behind the plugin's name the same with an endpoint."""


@dataclass(slots=True)
class _Endpoint:
    sent: int = 0
    unsent: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    latency: Histogram = field(default_factory=Histogram)

    def count(self, match: re.Match[str], count: int) -> None:
        if match["status"]:
            self.sent += count
            if int(match["status"]) >= 500:
                self.kinds[f"HTTP {match['status']}"] += count
            return
        match kind_of(match["error"]):
            case "unsent":
                self.unsent += count
            case "wrong-body" as kind:  # of an answer, which is counted by its status
                self.kinds[kind] += count
            case kind:
                self.sent += count
                self.kinds[kind] += count


class Artillery:
    """``artillery run shop.yml``."""

    name = "artillery"
    exits = frozenset({1, 21})  # of its plugins: thresholds (ensure) and expectations (expect) failed

    def prepare(self, words: Sequence[str], folder: Path) -> list[str]:
        """The words, with a file for the report."""
        at = after_verb(words, self.name, "run")
        refuse(words[at:], self.name, "--output", "-o", why="its report is read from a file of ours")
        return [*words[:at], "--output", str(folder / REPORT), *words[at:]]

    def read(self, words: Sequence[str], folder: Path, began: Moment) -> ToolReport:
        """A summary for each period and endpoint: of what ended in it."""
        source = Source(self.name, folder / REPORT)
        report = source.mapping(source.parsed(source.text()), "")
        whole = _Period.of(source, report.get("aggregate"), began, "aggregate")
        told = source.items(report.get("intermediate"), "intermediate")
        periods = [_Period.of(source, period, began, f"period {at}") for at, period in enumerate(told, 1)]
        if sum(period.ended for period in periods) != whole.ended:
            periods = [whole]  # some are missing: what is certain is the whole
        summaries = tuple(summary for period in periods for summary in period.summaries())
        return ToolReport(summaries=summaries, unsent=sum(period.unsent for period in periods))


@dataclass(slots=True)
class _Period:
    """What ended between two moments, by endpoint; under ``ALL`` where endpoints are not told apart."""

    began_s: float
    ended_s: float | None
    endpoints: dict[str, _Endpoint]

    @classmethod
    def of(cls, source: Source, told: object, began: Moment, where: str) -> _Period:
        period = source.mapping(told, where)
        counters = source.mapping(period.get("counters"), f"{where}, counters")
        by_endpoint = any(name.startswith(PLUGIN) for name in counters)
        prefix = PLUGIN if by_endpoint else ""
        endpoints: dict[str, _Endpoint] = {}
        for name, value in counters.items():
            if not (name.startswith(prefix) and (match := COUNTER.fullmatch(name.removeprefix(prefix)))):
                continue
            if not by_endpoint and match["name"] not in ("http", None):
                continue
            endpoint = endpoints.setdefault((match["name"] if by_endpoint else None) or ALL, _Endpoint())
            endpoint.count(match, source.count(value, f"{where}, {name}"))
        summaries = source.mapping(period.get("summaries", {}), f"{where}, summaries")
        for name, endpoint in endpoints.items():
            key = f"{PLUGIN}response_time.{name}" if by_endpoint else "http.response_time"
            if key in summaries:
                endpoint.latency = _latency(source, summaries[key], f"{where}, {key}")
        first, last = (
            None if period.get(key) is None else source.number(period[key], f"{where}, {key}") / 1000
            for key in ("firstMetricAt", "lastMetricAt")
        )
        return cls(
            began.monotonic_s if first is None else began.monotonic_at(first),
            None if last is None else began.monotonic_at(last),
            endpoints,
        )

    @property
    def ended(self) -> int:
        """How many requests."""
        return sum(endpoint.sent for endpoint in self.endpoints.values())

    @property
    def unsent(self) -> int:
        """How many more were not sent, or fell to a mistake of the script."""
        return sum(endpoint.unsent for endpoint in self.endpoints.values())

    def summaries(self) -> Iterator[ToolSummary]:
        for name, endpoint in self.endpoints.items():
            if endpoint.sent:
                yield ToolSummary(
                    endpoint_of("", name),
                    endpoint.sent,
                    min(endpoint.sent, endpoint.kinds.total()),
                    dict(endpoint.kinds),
                    endpoint.latency,
                    self.began_s,
                    self.ended_s,
                )


def _latency(source: Source, told: object, where: str) -> Histogram:
    values = source.mapping(told, where)
    quantiles = [
        (share, source.number(values[name], where)) for name, share in SHARES.items() if name in values
    ]
    return from_quantiles(source.count(values.get("count"), where), quantiles)
