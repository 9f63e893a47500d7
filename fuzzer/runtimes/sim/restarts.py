"""Docker's restart policies: whether a process that ended by itself is started again, and when.

As in moby's ``restartmanager``: 100 ms, twice as long after each death in a row up to a minute, and from
the beginning after a process that ran for 10 s. Retries are counted until an operator starts it.
"""

from __future__ import annotations

from models.target import RestartPolicy

BACKOFF_S, BACKOFF_MOST_S, RAN_WELL_S = 0.1, 60.0, 10.0

ENGINE_S = 0.25
"""What an engine itself takes from a death to the next start, beside the backoff."""


class Restarts:
    """The restarts of one service.

    Attributes:
        count: how many there were since an operator started it.
    """

    def __init__(self, policy: RestartPolicy) -> None:
        self.count = 0
        self._policy = policy
        self._backoff_s = 0.0

    def after_s(self, exit_code: int, ran_s: float) -> float | None:
        """Seconds until the next start, which is counted; None if there is none."""
        most = self._policy.max_retries
        if not self._policy.revives(exit_code) or (most is not None and self.count >= most):
            return None
        self.count += 1
        doubled_s = 0.0 if ran_s >= RAN_WELL_S else 2 * self._backoff_s
        self._backoff_s = min(max(BACKOFF_S, doubled_s), BACKOFF_MOST_S)
        return self._backoff_s + ENGINE_S

    def begin_anew(self) -> None:
        """An operator started it."""
        self.count, self._backoff_s = 0, 0.0
