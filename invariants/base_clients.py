"""What the promises to clients share: which requests count, when a share is too large, how it is told.

What clients saw is judged once, when the record is whole: a share of requests can still change before.
A request counts unless

* a fault excuses it: it was under way while a service that its endpoint needs was harmed, or had its
  time to recover;
* nobody can tell whose fault it is: it was sent late by the load engine, or was under way while the
  fuzzer itself was not scheduled or the machine was crowded; or the answer blames the client (4xx) as
  none did before.

A promise that too few requests put to the test is neither kept nor broken: it was not exercised. One
that was kept no better before the first step is not broken by what came since: that is UNKNOWN.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from invariants.base import blame, offset, ways_out
from models.expected import united
from models.history import History
from models.limits import Limits
from models.load import Endpoint, Phase, Request
from models.statistics import SAMPLES_LEAST, exceeds, quantile
from models.target import Target
from models.topology import Topology
from models.verdict import Outcome, Verdict, Violation

SHOWN = 3

SLOWER_MS_LEAST = 200.0
"""However fast an endpoint was before, what is faster than this is not slow: machines hesitate."""

AT_ONCE_S = 0.2
CROWDED_TIMES = 1.5
CROWDED_LEAST = 2
"""Within a moment so many requests more than before are a crowd: a ramp's end, a burst, two loads in one."""


@dataclass(frozen=True)
class Clients:
    """The requests to one endpoint: those before the first step, and those since that count.

    ``needs`` are the services whose harm excuses the endpoint.
    """

    load: str
    endpoint: Endpoint
    needs: frozenset[str]
    before: tuple[Request, ...]
    counted: tuple[Request, ...]

    @property
    def bad(self) -> tuple[Request, ...]:
        """Those that were not answered well."""
        return tuple(request for request in self.counted if not request.good)

    @property
    def good(self) -> tuple[Request, ...]:
        """Those that were."""
        return tuple(request for request in self.counted if request.good)

    @property
    def bad_before(self) -> float:
        """The share that was not answered well before the first step."""
        return share([not request.good for request in self.before])


def needs(endpoint: Endpoint, topology: Topology) -> frozenset[str]:
    """The services that an endpoint cannot do without, its entry among them."""
    if endpoint.needs is None:
        return topology.needs(endpoint.entry)
    return frozenset({endpoint.entry}.union(*(topology.needs(name) for name in endpoint.needs)))


def unjudgeable(history: History, promise: str) -> Verdict | None:
    """Why nothing can be said about what clients saw, if that is so."""
    if not history.whole:
        return Verdict.unexercised(promise, "the scenario was not played to its end")
    for run in history.loads:
        if run.trouble:
            return Verdict.unknown(promise, run.trouble)
    if not history.loads:
        return Verdict.unexercised(promise, "no load was sent")
    if history.summaries and not history.requests:
        return Verdict.unexercised(promise, "the load tool tells of no single requests")
    failed = sum(summary.failed for summary in history.summaries)
    if failed:
        return Verdict.unexercised(
            promise, f"the load tool does not tell when {failed} of its requests failed"
        )
    return None


def clients(history: History, target: Target) -> tuple[Clients, ...]:
    """Every endpoint that was sent any request, with the requests that count."""
    return history.once((clients, id(target)), lambda: tuple(_clients(history, target)))


def _clients(history: History, target: Target) -> Iterator[Clients]:
    by_endpoint: dict[tuple[str, str], list[Request]] = {}
    for request in history.requests:
        by_endpoint.setdefault((request.load, request.endpoint), []).append(request)
    for (load, _), sent in sorted(by_endpoint.items()):
        endpoint = history.endpoint_of(sent[0])
        needed = needs(endpoint, target.topology)
        excuses = spans_of_harm(history, [endpoint.entry]) + history.expected.felt(needed)
        told = [request for request in sent if not doubtful(history, request)]
        before = tuple(request for request in told if history.phase_of(request) is Phase.BEFORE)
        since = (request for request in told if history.phase_of(request) is not Phase.BEFORE)
        counted = tuple(r for r in telling(since, before) if not overlaps(r, excuses))
        yield Clients(load, endpoint, needed, before, counted)


def telling(since: Iterable[Request], before: Iterable[Request]) -> list[Request]:
    """Requests less those answered with a 4xx that did not occur before.

    It may be the client's fault (the last item is sold) or the service's (it forgot the client).
    """
    normal = {request.status for request in before}
    return [r for r in since if r.status is None or not 400 <= r.status < 500 or r.status in normal]


def spans_of_harm(history: History, targets: Iterable[str]) -> list[tuple[float, float]]:
    """When a fault on one of these very targets was in force, with its time to recover; each moment once."""
    names = set(targets)
    recovery_s = history.expected.recovery_s
    harms = (harm for harm in history.expected.harms if harm.on in names)
    return united((harm.since_s, harm.excused_until_s(recovery_s)) for harm in harms)


def overlaps(request: Request, spans: Iterable[tuple[float, float]]) -> bool:
    """Whether a request was under way within one of the spans."""
    return any(request.intended_s <= until_s and request.ended_s >= since_s for since_s, until_s in spans)


def doubtful(history: History, request: Request) -> bool:
    """Whether its latency or failure may be the fuzzer's own."""
    return request.late or history.blind_s(request.intended_s, request.ended_s) > 0


def share(wrong: Sequence[bool]) -> float:
    """How many of these are wrong; 0 of none."""
    return sum(wrong) / len(wrong) if wrong else 0.0


def excess(bad: int, total: int, share_max: float, normal: float) -> Outcome:
    """VIOLATED if chance does not explain ``bad`` of ``total``; UNKNOWN if what was normal before does."""
    if not exceeds(bad, total, share_max):
        return Outcome.HOLDS
    return Outcome.VIOLATED if exceeds(bad, total, max(share_max, normal)) else Outcome.UNKNOWN


def slow_ms(before: Sequence[Request], limits: Limits) -> float:
    """What is slow for somebody who was served like this before."""
    normal_ms = quantile([request.latency_ms for request in before], 0.95)
    return max(SLOWER_MS_LEAST, limits.slowdown_max * normal_ms)


def crowded(history: History) -> bool:
    """Whether requests came more at once than before the first step, as in a burst: then they queue."""
    before = [r.intended_s for r in history.requests if history.phase_of(r) is Phase.BEFORE]
    since = [r.intended_s for r in history.requests if history.phase_of(r) is Phase.DURING]
    return _peak(since) > CROWDED_TIMES * _peak(before) + CROWDED_LEAST


def _peak(moments: Iterable[float]) -> int:
    """The most of these that lie within one moment."""
    moment: deque[float] = deque()
    most = 0
    for at_s in sorted(moments):
        moment.append(at_s)
        while moment[0] < at_s - AT_ONCE_S:
            moment.popleft()
        most = max(most, len(moment))
    return most


def verdict_of(promise: str, violations: list[Violation], doubts: Sequence[str], most: int) -> Verdict:
    """The verdict of a promise about shares.

    Args:
        doubts: endpoints and loads that were as bad before any fault.
        most: how many requests the promise was tried on, where it was tried on most.
    """
    if violations:
        return Verdict.of(promise, violations)
    if doubts:
        return Verdict.unknown(promise, f"{', '.join(doubts)}: no better before any fault")
    if most < SAMPLES_LEAST:
        reason = f"at most {most} requests put it to the test, fewer than {SAMPLES_LEAST}"
        return Verdict.unexercised(promise, reason)
    return Verdict.of(promise, [])


def kinds(requests: Iterable[Request]) -> str:
    """``HTTP 503 12, reset 3``."""
    counts = Counter(request.kind for request in requests)
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{kind} {count}" for kind, count in ordered)


def broken(
    history: History, promise: str, group: Clients, requests: Sequence[Request], summary: str, *more: str
) -> Violation:
    """A violation by an endpoint, with the requests that show it."""
    ordered = sorted(requests, key=lambda request: (request.intended_s, request.endpoint, request.latency_ms))
    first = ordered[0]
    entry = group.endpoint.entry
    shown = [
        f"{offset(history, request.intended_s)}  {group.endpoint.name}: {request.kind} after "
        f"{request.latency_ms:.0f} ms"
        for request in ordered[:SHOWN]
    ]
    return Violation(
        promise,
        entry,
        first.intended_s,
        summary,
        (*blame(history, entry, first.ended_s), *more, *shown),
        ways_out(history, entry, first.ended_s),
    )
