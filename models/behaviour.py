"""How a service is assumed to behave: what a simulation of it is made of.

``Hints`` say part of it, each as far as it is known: what a person wrote under ``x-knockon.model``, or
what was learnt from real runs. ``Behaviour`` is the whole of it.

A *reaction* is what a service does while others are away::

    when: {analytics-service: hung}, then: hangs         no timeout
    when: {orders-db: gone}, then: exits, after_s: 0.7   loses patience
    when: {analytics-service: gone}, then: slows, delay_ms: 900, until: restart
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Annotated

from pydantic import AfterValidator, Field

from models.compose_words import Keys, Name


class Away(StrEnum):
    """How a service can be away, as others see it."""

    GONE = "gone"
    """Nobody listens."""
    HUNG = "hung"
    """Connections are accepted, and then nothing comes in time."""
    SICK = "sick"
    """It answers that it cannot."""


class Response(StrEnum):
    """What a service does about it."""

    SERVES = "serves"
    """Nothing: it goes on."""
    ERRORS = "errors"
    """It answers with errors, and says so in its health."""
    HANGS = "hangs"
    """It does not answer any more."""
    SLOWS = "slows"
    """It answers late."""
    EXITS = "exits"
    """Its process ends with code 1."""


class Until(StrEnum):
    """How long a response lasts."""

    BACK = "back"
    """Until whoever was away is back."""
    RESTART = "restart"
    """Until its own process is started anew."""


def _is_somebody(when: dict[str, Away]) -> dict[str, Away]:
    if not when:
        raise ValueError("at least one service")
    return when


class Reaction(Keys):
    """What a service does while others are away, all of them at the same time."""

    when: Annotated[dict[Name, Annotated[Away, Field(strict=False)]], AfterValidator(_is_somebody)]
    """Who is away, and how."""
    then: Annotated[Response, Field(strict=False)]
    """What it does."""
    after_s: float = Field(default=0.0, ge=0, le=3600)
    """How long they have to be away without a break."""
    in_order: bool = False
    """Whether they have to go away in the order in which they are named."""
    delay_ms: float = Field(default=1000.0, ge=0, le=600_000)
    """How much later it answers, where it slows."""
    until: Annotated[Until, Field(strict=False)] = Until.BACK
    """How long that lasts."""


class CallHints(Keys):
    """How a service calls one that it needs."""

    timeout_s: float | None = Field(default=None, ge=0.001, le=3600)
    """How long it waits for an answer."""
    retries: int | None = Field(default=None, ge=0, le=1000)
    """How often it asks again, at once, after a failure."""
    volley: bool | None = None
    """Whether it does so all at the same moment, instead of one after another."""
    breaker: int | None = Field(default=None, ge=0, le=1000)
    """Failures in a row after which it asks no more until it sees it healthy; 0: it always asks."""
    fallback: bool | None = None
    """Whether it has an answer of its own when none comes."""
    reconnects: bool | None = None
    """Whether it opens a new connection after the other one restarted, or the old one broke."""


class UncleanHints(Keys):
    """What is different about a start after an unclean death."""

    start_s: float | None = Field(default=None, ge=0, le=3600)
    """Seconds until it listens."""
    exit_code: int | None = Field(default=None, ge=0, le=255)
    """It ends with this code instead; the start after that one is as usual."""


class Hints(Keys):
    """How a service behaves, as far as it is known."""

    replicas: int | None = Field(default=None, ge=1, le=1000)
    """Processes; they live and die together, and share the work."""
    start_s: float | None = Field(default=None, ge=0, le=3600)
    """Seconds from a process' start until it listens."""
    stop_s: float | None = Field(default=None, ge=0, le=3600)
    """Seconds from an orderly stop until the process has ended."""
    notice_s: float | None = Field(default=None, ge=0, le=3600)
    """Seconds until it notices that a service it needs went away or came back."""
    health_ms: float | None = Field(default=None, ge=0, le=600_000)
    """What a health answer takes."""
    work_ms: float | None = Field(default=None, ge=0, le=600_000)
    """What a request takes, beside the calls that it makes."""
    workers: int | None = Field(default=None, ge=1, le=100_000)
    """Requests that one process works on at the same time."""
    queue: int | None = Field(default=None, ge=0, le=1_000_000)
    """Requests that wait for a worker; one more is answered with 503."""
    commit_s: float | None = Field(default=None, ge=0, le=3600)
    """Seconds from acknowledging a write until it would survive an unclean death."""
    unclean: UncleanHints | None = None
    """A start after an unclean death."""
    needs_at_start: list[Name] | None = None
    """Services without which it exits with code 1 when it starts."""
    calls: dict[Name, CallHints] = Field(default_factory=dict)
    """How it calls the services that it needs."""
    reactions: list[Reaction] = Field(default_factory=list)
    """What it does while others are away; where nothing is said, it errs without what it hard-depends on."""


@dataclass(frozen=True, slots=True)
class Call:
    """How a service calls one that it needs; the fields are those of ``CallHints``."""

    timeout_s: float = 0.5
    retries: int = 0
    volley: bool = False
    breaker: int = 3
    fallback: bool = False
    reconnects: bool = True


@dataclass(frozen=True, slots=True)
class StandIns:
    """Services that stand in for one another, as somebody sees them who needs them as a whole.

    Attributes:
        tolerates: how many of them may be away.
        sick: whether who answers that it cannot counts as away.
    """

    members: tuple[str, ...]
    tolerates: int
    sick: bool = True

    def too_few(self, seen: Mapping[str, Away | None]) -> bool:
        """Whether more of them are away than they can make up for."""
        away = [seen.get(name) for name in self.members]
        return sum(one is not None and (self.sick or one is not Away.SICK) for one in away) > self.tolerates


@dataclass(frozen=True)
class Behaviour:
    """The whole of how a service behaves; the fields are those of ``Hints``.

    ``hard`` are the services that it calls to answer a request; ``unclean_start_s`` and ``unclean_exit``
    are None where a start after an unclean death is like any. Without too many of one of its ``stand_ins``
    it answers with errors.
    """

    replicas: int = 1
    start_s: float = 0.3
    stop_s: float = 0.05
    notice_s: float = 0.15
    health_ms: float = 2.0
    work_ms: float = 3.0
    workers: int = 32
    queue: int = 128
    commit_s: float = 0.0
    unclean_start_s: float | None = None
    unclean_exit: int | None = None
    needs_at_start: tuple[str, ...] = ()
    hard: frozenset[str] = frozenset()
    calls: Mapping[str, Call] = field(default_factory=dict)
    reactions: tuple[Reaction, ...] = ()
    stand_ins: tuple[StandIns, ...] = ()

    @cached_property
    def minds(self) -> tuple[str, ...]:
        """Whoever matters to it, each once."""
        reacted_to = (name for reaction in self.reactions for name in reaction.when)
        together = (name for group in self.stand_ins for name in group.members)
        return tuple(dict.fromkeys([*self.calls, *reacted_to, *together]))

    def stand_ins_of(self, name: str) -> StandIns | None:
        """Those that one of them belongs to."""
        return next((group for group in self.stand_ins if name in group.members), None)
