"""What clients were told is stored can be read when all is healed.

A history that violates it: an order was answered with 201 and its id, orders-db was killed, and when all
was well again the order was nowhere to be found.

A request has one of three outcomes, as in Jepsen's set checker (https://jepsen.io): acknowledged, failed,
or indeterminate (no answer came, so it may or may not have been stored). Only the acknowledged ones are
promises. Writes from after the healing are the control: if not even those can be read, the reading is
at fault.
"""

from __future__ import annotations

from typing import ClassVar

from invariants.base import blame, offset
from invariants.base_clients import unjudgeable
from models.errors import InvariantViolated
from models.history import History
from models.load import Fate, ReadBack
from models.target import Target
from models.verdict import Verdict, Violation

SHOWN = 3

NEVER_SENT = ("refused", "dns", "unsent")
"""What failed for these reasons did not reach anybody: it failed, and is not indeterminate."""


class DurabilityViolated(InvariantViolated):
    """Something was lost."""


class Durability:
    """Acknowledged writes that are gone."""

    name: ClassVar[str] = "durability"
    promise: ClassVar[str] = "every acknowledged write is readable after healing"
    error: ClassVar[type[InvariantViolated]] = DurabilityViolated

    def judge(self, history: History, target: Target) -> Verdict:
        """VIOLATED by each endpoint that lost any write. UNKNOWN if what was lost cannot be told.

        A scenario in which nothing was acknowledged before the healing did not put it to the test.
        """
        verdict = unjudgeable(history, self.name)
        if verdict and not verdict.exercised:
            return verdict
        by_endpoint: dict[tuple[str, str], list[ReadBack]] = {}
        for read in history.read_backs:
            by_endpoint.setdefault((read.load, read.endpoint), []).append(read)
        violations, doubt, tested = [], "", False
        for reads in by_endpoint.values():
            risked = [read for read in reads if self._was_at_risk(history, read)]
            control = [read for read in reads if not self._was_at_risk(history, read)]
            lost = [read for read in risked if read.fate is Fate.LOST]
            unread = [read for read in risked if read.fate is Fate.UNREADABLE]
            late = [read for read in control if read.fate is Fate.LOST]
            tested = tested or bool(risked)
            if lost and not any(read.fate is Fate.FOUND for read in control):
                doubt = f"{lost[0].detail}, but nothing that was written after healing can be read either"
            elif lost:
                violations.append(self._violation(history, lost, risked))
            elif unread:
                doubt = f"{len(unread)} of {len(risked)} writes could not be read back: {unread[0].detail}"
            elif late:
                doubt = f"{len(late)} of {len(control)} writes from after healing are not there yet"
        if violations:
            return Verdict.of(self.name, violations)
        if verdict or doubt:
            return verdict or Verdict.unknown(self.name, doubt)
        if not tested or not history.expected.harms:
            return Verdict.unexercised(self.name, "nothing was harmed after anything was written")
        return Verdict.of(self.name, [])

    def _was_at_risk(self, history: History, read: ReadBack) -> bool:
        return history.steady_s is None or read.written_s < history.steady_s

    def _violation(self, history: History, lost: list[ReadBack], risked: list[ReadBack]) -> Violation:
        load, endpoint = lost[0].load, lost[0].endpoint
        entry = history.endpoint_of(lost[0]).entry
        last_s = max(read.written_s for read in lost)
        sent = [r for r in history.requests if (r.load, r.endpoint) == (load, endpoint)]
        unclear = sum(r.status is None and r.error not in NEVER_SENT for r in sent)
        return Violation(
            self.name,
            entry,
            last_s,
            f"{entry} lost {len(lost)} of {len(risked)} writes that {endpoint} had acknowledged",
            (
                *blame(history, entry, history.ended_s),
                f"of {len(sent)} writes {sum(bool(r.written) for r in sent)} were acknowledged, "
                f"{unclear} are indeterminate",
                *(
                    f"{offset(history, read.written_s)}  {endpoint} acknowledged {read.id}; {read.detail}"
                    for read in sorted(lost, key=lambda read: read.written_s)[-SHOWN:]
                ),
            ),
            (
                "fix: acknowledge a write only once it survives the fault (on disk, or on a second node)",
                "or declare: take `durable` off the endpoint, if its answer is no promise",
            ),
        )
