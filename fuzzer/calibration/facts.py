"""What one history teaches about a service, as values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from models.behaviour import Away, Response, Until


class Measured(StrEnum):
    """Something that takes time; the name ends in the unit."""

    START = "start_s"
    """From a process' start, after an orderly end, to its first healthy answer."""
    UNCLEAN_START = "unclean_start_s"
    """The same after any other end."""
    STOP = "stop_s"
    """From an orderly stop to the exit."""
    HEALTH = "health_ms"
    """A health answer while nothing is wrong."""
    NOTICE = "notice_s"
    """From the exit of a service that it needs to its own first unhealthy answer."""
    RECOVERY = "recovery_s"
    """From an exit after which it was to come back by itself to the next healthy answer."""


@dataclass(frozen=True, slots=True)
class Took:
    """How long something took ``service``, in the unit of its name."""

    service: str
    what: Measured
    value: float


@dataclass(frozen=True, slots=True)
class Reacted:
    """What ``service`` did while ``to`` was away.

    Attributes:
        declared: whether the target says that it depends on ``to``.
        delay_s: how long ``to`` had been away then; None where that was not seen.
        delay_ms: how much later it answered, where it slowed.
        until: whether that ended with the return of ``to``; None where it was not seen to end.
    """

    service: str
    to: str
    away: Away
    then: Response
    declared: bool = True
    delay_s: float | None = None
    delay_ms: float | None = None
    until: Until | None = None


@dataclass(frozen=True, slots=True)
class StartedWithout:
    """``service`` started while ``without`` was away, and exited at once or did not."""

    service: str
    without: str
    exited: bool


@dataclass(frozen=True, slots=True)
class StartedUnclean:
    """``service`` started after an unclean death, and at once exited with a code; None: it did not."""

    service: str
    exit_code: int | None


Fact: TypeAlias = Took | Reacted | StartedWithout | StartedUnclean
