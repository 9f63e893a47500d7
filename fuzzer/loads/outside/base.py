"""What a load tool is to us, and what one has to tell.

A tool that reports single requests gives records; one that only adds up gives summaries. A report may
hold both, and no request is in both: together they are everything that was sent.

Tools count latency from when they *sent* a request. Most of them wait for an answer before they send the
next, so a stall is seen by few of their requests; only our own load engine counts from when one was due.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from models.errors import Inconclusive
from models.histogram import Histogram
from models.load import Request

STDOUT = "stdout.txt"
STDERR = "stderr.txt"
"""What a tool printed, in the folder of its report."""

EARLY_S = 5.0
"""A request that was sent longer than this before the tool began tells that the times are wrong."""


class ToolFailed(Inconclusive):
    """A load tool failed, or its report cannot be believed. That says nothing about the fleet."""


@dataclass(frozen=True, slots=True)
class Moment:
    """One moment on both clocks, in seconds: the system's monotonic one, and the time of day."""

    monotonic_s: float
    wall_s: float

    @classmethod
    def now(cls) -> Moment:
        """This moment."""
        return cls(time.monotonic(), time.time())

    def monotonic_at(self, wall_s: float) -> float:
        """What the monotonic clock shows when it is ``wall_s`` by the time of day (a Unix timestamp).

        Raises:
            ToolFailed: that is before this moment, so it cannot be of something that began with it.
        """
        if wall_s < self.wall_s - EARLY_S:
            early_s = self.wall_s - wall_s
            raise ToolFailed(
                f"the report tells of a request {early_s:.0f} s before the tool was started; "
                "expected times of this machine's clock"
            )
        return self.monotonic_s + (wall_s - self.wall_s)

    def drift_s(self, later: Moment) -> float:
        """By how much the time of day was set, between this moment and a later one."""
        return (later.wall_s - self.wall_s) - (later.monotonic_s - self.monotonic_s)


@dataclass(frozen=True, slots=True)
class ToolRequest:
    """One request of a tool.

    Attributes:
        endpoint: ``GET /products``, or the name that the user's script gave it.
        sent_s: when it was sent, seconds of the system's monotonic clock.
        latency_ms: from then until the answer was complete, or it was given up; 0 where the tool does
            not say.
        status: None when no answer came.
        error: refused, reset, timeout, dns, tls, garbage, unreachable; "" for a complete answer.
        origin: ``http://host:port`` that it was sent to, "" where the tool does not say.
    """

    endpoint: str
    sent_s: float
    latency_ms: float
    status: int | None
    error: str = ""
    origin: str = ""

    def as_request(self, load: str) -> Request:
        """The same as a request of a load."""
        return Request(load, self.endpoint, self.sent_s, self.latency_ms, self.status, self.error)

    @property
    def good(self) -> bool:
        """Answered, completely, and not with a server error."""
        return self.status is not None and self.status < 500 and not self.error


@dataclass(frozen=True, slots=True)
class ToolSummary:
    """What became of many requests.

    Attributes:
        endpoint: ``GET /products``, or ``(all)`` where the tool does not tell endpoints apart.
        sent: how many were sent.
        failed: how many of them had no complete answer, or a server error.
        kinds: how many failed in which way, as far as the tool tells: errors as in ``ToolRequest``,
            ``HTTP 503``, and ``wrong-body`` where the user's script refused an answer.
        latency: ms, of those that were answered, and with some tools also of the others.
        began_s: none of them ended earlier, seconds of the system's monotonic clock; some may have been
            sent earlier.
        ended_s: none of them ended later; None where the tool does not say.
    """

    endpoint: str
    sent: int
    failed: int
    kinds: Mapping[str, int]
    latency: Histogram
    began_s: float
    ended_s: float | None = None


@dataclass(frozen=True, slots=True)
class ToolReport:
    """Everything that a tool sent. No request is counted twice.

    ``unsent`` is how many requests the tool itself failed to send or broke off; they are nowhere else.
    """

    requests: tuple[ToolRequest, ...] = ()
    summaries: tuple[ToolSummary, ...] = ()
    unsent: int = 0

    @property
    def sent(self) -> int:
        """How many requests were sent."""
        return len(self.requests) + sum(summary.sent for summary in self.summaries)


class LoadTool(Protocol):
    """One load tool. Stateless: what it must remember is in the words and the folder.

    Attributes:
        name: of its program.
        exits: codes other than 0 with which it ends although its report is complete, because
            thresholds or requests failed.
    """

    name: str
    exits: frozenset[int]

    def prepare(self, words: Sequence[str], folder: Path) -> list[str]:
        """The words to start, with what makes the tool write its report into ``folder`` (absolute).

        Raises:
            RequestError: the words are not of a run that can be reported.
        """
        ...

    def read(self, words: Sequence[str], folder: Path, began: Moment) -> ToolReport:
        """What the tool wrote into ``folder``.

        Args:
            words: as the user gave them.
            began: when the tool was started.

        Raises:
            ToolFailed: there is no complete report, or it is damaged.
        """
        ...
