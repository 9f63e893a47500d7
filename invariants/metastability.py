"""When the fault is gone and the load is what it was before, clients are served as before.

A history that violates it: orders-db was paused for two seconds. Half a minute later everything is
healthy, the load is the same as before, and half of it still fails: retries keep the store too busy to
answer the requests that are not retries. Source of the name: Bronson, Aghayev, Charapko, Zhu,
"Metastable failures in distributed systems", HotOS 2021.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import ClassVar

from invariants.base import blame
from invariants.base_clients import doubtful, kinds, slow_ms, telling, unjudgeable
from models.errors import InvariantViolated
from models.history import History
from models.limits import Limits
from models.load import LoadRun, Phase, Request
from models.statistics import SAMPLES_LEAST, SLOW_SHARE_MAX, exceeds, quantile
from models.target import Target
from models.verdict import Verdict, Violation


class MetastabilityViolated(InvariantViolated):
    """The system stayed bad by itself."""


@dataclass(frozen=True)
class _Served:
    """One load as it was served before, and in its last run after healing."""

    run: LoadRun
    before: tuple[Request, ...]
    after: tuple[Request, ...]

    def trouble(self, limits: Limits) -> str:
        """How it differs from before; "" if it does not."""
        bad = [request for request in self.after if not request.good]
        normal_share = sum(not request.good for request in self.before) / len(self.before)
        if exceeds(len(bad), len(self.after), max(limits.error_rate_max, normal_share)):
            return f"{len(bad)} of {len(self.after)} requests fail: {kinds(bad)}"
        limit_ms = slow_ms(self.before, limits)
        slow = sum(request.latency_ms > limit_ms for request in self.after)
        if exceeds(slow, len(self.after), SLOW_SHARE_MAX):
            now_ms = quantile([request.latency_ms for request in self.after], 0.95)
            then_ms = quantile([request.latency_ms for request in self.before], 0.95)
            return f"p95 is {now_ms:.0f} ms, and was {then_ms:.0f} ms"
        return ""


class Metastability:
    """The same load, before and after."""

    name: ClassVar[str] = "metastability"
    promise: ClassVar[str] = "when all is healed, clients are served as before within recovery_s_max"
    error: ClassVar[type[InvariantViolated]] = MetastabilityViolated

    def judge(self, history: History, target: Target) -> Verdict:
        """VIOLATED by each load that is still served worse once the time to recover is over."""
        verdict = unjudgeable(history, self.name)
        if verdict:
            return verdict
        served = _served(history)
        if not served:
            return Verdict.unexercised(self.name, "too few requests to compare before and after")
        harms = history.expected.harms
        over_s = max((harm.excused_until_s(history.expected.recovery_s) for harm in harms), default=-inf)
        worse = [(one, trouble) for one in served if (trouble := one.trouble(target.limits))]
        violations = [
            self._violation(history, one, trouble) for one, trouble in worse if one.run.began_s > over_s
        ]
        if worse and not violations:
            return Verdict.unknown(self.name, f"the time to recover was not over yet: {worse[0][1]}")
        if not violations and not harms:
            return Verdict.unexercised(self.name, "nothing was harmed")
        return Verdict.of(self.name, violations)

    def _violation(self, history: History, served: _Served, trouble: str) -> Violation:
        load = served.run.load
        entry = load.endpoints[0].entry
        healed_s = history.ended_s if history.healed_s is None else history.healed_s
        return Violation(
            self.name,
            entry,
            served.run.began_s,
            f"load {load.name} is not served as before although everything is healed and healthy: {trouble}",
            (
                *blame(history, entry, history.ended_s),
                f"{served.run.began_s - healed_s:.1f} s after healing, the same load as before: {trouble}",
            ),
            (
                "fix: find what keeps it busy or broken by itself (retries, queues, dead connections, a "
                "fallback that stays on)",
                "or declare: raise x-knockon.limits.recovery_s_max, if this is how long it may take",
            ),
        )


def served_as_before(history: History, target: Target) -> bool:
    """Whether nothing more needs to be waited for: every load is served as before, or nobody can tell."""
    return not any(one.trouble(target.limits) for one in _served(history))


def _served(history: History) -> list[_Served]:
    runs: dict[str, list[LoadRun]] = {}
    for run in sorted(history.loads, key=lambda run: run.began_s):
        runs.setdefault(run.load.name, []).append(run)
    served = []
    for name, (*earlier, last) in runs.items():
        if last.phase is not Phase.AFTER:
            continue
        # An engine begins a moment before it is recorded; by then the run before it is over.
        since_s = max((run.ended_s or run.began_s for run in earlier), default=last.began_s)
        sent = [r for r in history.requests if r.load == name and not doubtful(history, r)]
        before = tuple(request for request in sent if history.phase_of(request) is Phase.BEFORE)
        last_sent = (request for request in sent if request.intended_s >= since_s)
        after = tuple(telling(last_sent, before))
        if min(len(before), len(after)) >= SAMPLES_LEAST:
            served.append(_Served(last, before, after))
    return served
