"""What clients saw before, during and after a scenario, as a table of text.

    load checkout   sent   good     p50     p95     p99  errors
      before          40     40    9 ms   11 ms   14 ms
      during          80     75    9 ms   12 ms   15 ms  HTTP 502 5
      after           40     40    9 ms   12 ms   13 ms

Percentiles are those of good answers, counted from when each request was due. An outside tool that tells
no single requests has a line for each endpoint, of its whole run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from models.history import History
from models.load import Phase, Request, Summary
from models.statistics import quantile

SHARES = (0.5, 0.95, 0.99)


def client_lines(history: History) -> Iterator[str]:
    """A table for each load that was sent."""
    by_load: dict[str, list[Request]] = {}
    for request in history.requests:
        by_load.setdefault(request.load, []).append(request)
    for load, sent in by_load.items():
        width = max(14, len(load) + 6)
        yield _head(load, width)
        for phase in Phase:
            requests = [request for request in sent if history.phase_of(request) is phase]
            if requests:
                yield f"  {phase:{width - 2}} {_figures(requests)}".rstrip()
    for load in dict.fromkeys(summary.load for summary in history.summaries):
        told = [summary for summary in history.summaries if summary.load == load]
        width = max(14, len(load) + 6, *(len(summary.endpoint) + 3 for summary in told))
        yield _head(load, width)
        for summary in told:
            yield f"  {summary.endpoint:{width - 2}} {_sums(summary)}".rstrip()
    for run in history.loads:
        if run.trouble and history.whole:  # else it was ended with the scenario
            yield f"  {run.trouble}"


def _head(load: str, width: int) -> str:
    return f"{f'load {load}':{width}} {'sent':>6} {'good':>6} {'p50':>9} {'p95':>9} {'p99':>9}  errors"


def _figures(requests: Sequence[Request]) -> str:
    good = [request.latency_ms for request in requests if request.good]
    times = [quantile(good, share) for share in SHARES] if good else []
    kinds = Counter(request.kind for request in requests if not request.good)
    return _cells(len(requests), len(good), times, kinds)


def _sums(summary: Summary) -> str:
    times = [summary.latency.quantile(share) for share in SHARES] if summary.latency.count else []
    return _cells(summary.sent, summary.sent - summary.failed, times, Counter(summary.kinds))


def _cells(sent: int, good: int, times_ms: Sequence[float], kinds: Counter[str]) -> str:
    times = [f"{time_ms:.0f} ms" for time_ms in times_ms] or ["-"] * len(SHARES)
    errors = ", ".join(f"{kind} {count}" for kind, count in kinds.most_common())
    return f"{sent:>6} {good:>6} " + " ".join(f"{time:>9}" for time in times) + f"  {errors}"
