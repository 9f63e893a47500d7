"""The circuit breaker: ends a run that does more harm than it tells about the fleet.

* The fleet does not come back, although everything was healed, and then stopped and started anew.
* Scenario after scenario finds it unsteady before any fault (``x-knockon.safety.breaker``).
* A protected service suffers, although nothing that was done should reach it.

A simulated fleet has no breaker: there nobody suffers.
"""

from __future__ import annotations

from fuzzer.halts import Stopped
from fuzzer.recorder import Recorder
from models.expected import Expected
from models.target import Target


class Breaker:
    """Of one run."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._failed_gates = 0

    def gate(self, unsteady: str) -> None:
        """A scenario may begin (""), or the fleet is not steady, and why.

        Raises:
            Stopped: that were enough in a row.
        """
        self._failed_gates = self._failed_gates + 1 if unsteady else 0
        most = self._target.safety.breaker
        if self._failed_gates >= most:
            raise Stopped(
                f"the breaker: the fleet was unsteady before any fault, {most} times in a row: {unsteady}; "
                f"x-knockon.safety.breaker allows fewer than {most}"
            )

    def did_not_return(self, unsteady: str) -> None:
        """The fleet is not steady although it was healed and started anew.

        Raises:
            Stopped: always.
        """
        raise Stopped(
            f"the breaker: the fleet does not come back, although all of it that may be touched was started "
            f"anew: {unsteady}; nothing more is done to it"
        )

    def look(self, recorder: Recorder, expected: Expected, began_s: float) -> None:
        """In the middle of a scenario that began then.

        Raises:
            Stopped: a protected service suffers outside of the blast radius.
        """
        for service in self._target.topology.services:
            if service in self._target.safety.protect:
                how = self._suffering(service, recorder, expected, began_s)
                if how:
                    harmed = ", ".join(expected.harmed_by(expected.now_s)) or "nobody"
                    raise Stopped(
                        f"the breaker: {service} is protected and {how}, outside of the blast radius of what "
                        f"was harmed ({harmed}); see x-knockon.safety.protect"
                    )

    def _suffering(self, service: str, recorder: Recorder, expected: Expected, began_s: float) -> str:
        spans = expected.excuses(service)
        if any(since_s <= expected.now_s <= until_s for since_s, until_s in spans):
            return ""
        excused_until_s = max([began_s, *(until_s for _, until_s in spans if until_s <= expected.now_s)])
        if recorder.exits_since(service, excused_until_s):
            return "its process ended"
        bad = recorder.unhealthy_for(service, excused_until_s)
        if bad and bad.seconds > self._target.limits.detection_grace_s:
            return f"was unhealthy for {bad.seconds:.1f} s ({bad.detail})"
        return ""
