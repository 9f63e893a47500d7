"""``partition a <-> b``: neither reaches the other any more."""

from __future__ import annotations

from typing import ClassVar

from fuzzer.actions.base_link import SILENCE_S, LinkFault
from models.answer import Answer
from models.expected import Effect
from models.step import Step
from models.toxic import SILENCE, Stream, Toxic


class Partition(LinkFault):
    """A network that falls apart: between two, around one, between groups; in both directions or in one."""

    name: ClassVar[str] = "partition"
    summary: ClassVar[str] = "cut services off from each other"
    example: ClassVar[str] = "partition checkout-service -> orders-db"
    effect: ClassVar[Effect] = Effect.SILENT
    kinds: ClassVar[frozenset[str]] = frozenset({SILENCE})
    both_ways: ClassVar[bool] = True
    most_targets: ClassVar[int] = 100

    def toxics(self, step: Step) -> tuple[Toxic, ...]:
        """Nothing in either direction, for ever."""
        return tuple(Toxic("timeout", {"timeout": 0.0}, stream) for stream in Stream)

    def asked_s(self, step: Step) -> float:
        """Long enough to tell silence from slowness."""
        return SILENCE_S

    def shows(self, step: Step, before: Answer, now: Answer) -> bool:
        """No answer, and no end either."""
        return now.first_ms is None and now.error == "timeout"
