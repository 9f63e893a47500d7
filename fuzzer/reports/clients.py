"""What clients saw before, during and after a scenario, as a table of text.

    load checkout   sent   good     p50     p95     p99  errors
      before          40     40    9 ms   11 ms   14 ms
      during          80     75    9 ms   12 ms   15 ms  HTTP 502 5
      after           40     40    9 ms   12 ms   13 ms

Percentiles are those of good answers, counted from when each request was due.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from models.history import History
from models.load import Phase, Request
from models.statistics import quantile

SHARES = (0.5, 0.95, 0.99)


def client_lines(history: History) -> Iterator[str]:
    """A table for each load that was sent."""
    by_load: dict[str, list[Request]] = {}
    for request in history.requests:
        by_load.setdefault(request.load, []).append(request)
    for load, sent in by_load.items():
        width = max(14, len(load) + 6)
        yield f"{f'load {load}':{width}} {'sent':>6} {'good':>6} {'p50':>9} {'p95':>9} {'p99':>9}  errors"
        for phase in Phase:
            requests = [request for request in sent if history.phase_of(request) is phase]
            if requests:
                yield f"  {phase:{width - 2}} {_figures(requests)}".rstrip()
    for run in history.loads:
        if run.trouble:
            yield f"  {run.trouble}"


def _figures(requests: Sequence[Request]) -> str:
    good = [request.latency_ms for request in requests if request.good]
    times = [f"{quantile(good, share):.0f} ms" if good else "-" for share in SHARES]
    kinds = Counter(request.kind for request in requests if not request.good)
    errors = ", ".join(f"{kind} {count}" for kind, count in kinds.most_common())
    cells = f"{len(requests):>6} {len(good):>6} " + " ".join(f"{time:>9}" for time in times)
    return f"{cells}  {errors}"
