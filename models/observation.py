"""Measurements with their time. All times are seconds of the runtime's clock."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Health:
    """One health probe: sent at ``at_s``, answered (or given up) at ``ended_s``."""

    service: str
    at_s: float
    ended_s: float
    healthy: bool
    detail: str = ""

    @property
    def latency_ms(self) -> float:
        """From sending to the answer."""
        return (self.ended_s - self.at_s) * 1000


class Change(StrEnum):
    """What happened to a process."""

    STARTED = "started"
    EXITED = "exited"
    PAUSED = "paused"
    RESUMED = "resumed"
    ADDED = "added"
    """A replica more, because somebody asked for it: no restart."""
    REMOVED = "removed"
    """A replica less, likewise: no death."""


@dataclass(frozen=True, slots=True)
class ProcessChange:
    """A process of ``service`` started, exited, was paused or resumed, or a replica came or went.

    ``returns`` tells, for an exit, whether the restart policy will start it again; None if unknown.
    ``instance`` is the container id or process id.
    """

    service: str
    at_s: float
    change: Change
    instance: str = ""
    exit_code: int | None = None
    returns: bool | None = None


@dataclass(frozen=True, slots=True)
class Blindness:
    """A span in which the fuzzer itself did not look properly; what it missed proves nothing.

    ``deaf`` tells that process changes may have been missed, and not only health probes been late.
    """

    since_s: float
    until_s: float
    reason: str
    deaf: bool = False
