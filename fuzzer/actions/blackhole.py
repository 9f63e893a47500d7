"""``blackhole a -> b``: connections stay, and nothing comes through."""

from __future__ import annotations

from typing import ClassVar

from fuzzer.actions.base_link import SILENCE_S, LinkFault
from models.answer import Answer
from models.expected import Effect
from models.step import Step
from models.toxic import SILENCE, Stream, Toxic


class Blackhole(LinkFault):
    """What is sent vanishes; who asks waits for as long as its patience lasts."""

    name: ClassVar[str] = "blackhole"
    summary: ClassVar[str] = "let everything that is sent over a link vanish"
    example: ClassVar[str] = "blackhole checkout-service -> orders-db"
    effect: ClassVar[Effect] = Effect.SILENT
    kinds: ClassVar[frozenset[str]] = frozenset({SILENCE})

    def toxics(self, step: Step) -> tuple[Toxic, ...]:
        """Nothing in either direction, for ever."""
        return tuple(Toxic("timeout", {"timeout": 0.0}, stream) for stream in Stream)

    def asked_s(self, step: Step) -> float:
        """Long enough to tell silence from slowness."""
        return SILENCE_S

    def shows(self, step: Step, before: Answer, now: Answer) -> bool:
        """No answer, and no end either."""
        return now.first_ms is None and now.error == "timeout"
