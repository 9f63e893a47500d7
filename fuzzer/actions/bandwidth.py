"""``bandwidth a -> b 64kbps``: so many thousand bits a second, and no more."""

from __future__ import annotations

from typing import ClassVar

from fuzzer.actions.base_link import ASKED_S, LinkFault
from models.answer import Answer
from models.expected import Effect
from models.param import Param
from models.step import Step
from models.toxic import Stream, Toxic


class Bandwidth(LinkFault):
    """A narrow line, in either direction; 1 kbps is 125 bytes a second."""

    name: ClassVar[str] = "bandwidth"
    summary: ClassVar[str] = "let a link carry only so much"
    example: ClassVar[str] = "bandwidth checkout-service -> orders-db 64kbps"
    effect: ClassVar[Effect] = Effect.SLOW
    kinds: ClassVar[frozenset[str]] = frozenset({"bandwidth"})
    params: ClassVar[tuple[Param, ...]] = (Param("rate_kbps", 8, 256, 1, 1000, drawn=(8, 32, 128)),)

    def toxics(self, step: Step) -> tuple[Toxic, ...]:
        """Toxiproxy counts in kilobytes."""
        rate = {"rate": step.number("rate_kbps") / 8}
        return tuple(Toxic("bandwidth", rate, stream) for stream in Stream)

    def asked_s(self, step: Step) -> float:
        """However narrow, it carries a small answer some time."""
        return ASKED_S + 16 / step.number("rate_kbps")

    def shows(self, step: Step, before: Answer, now: Answer) -> bool:
        """An answer takes at least half as long as its bytes need."""
        needs_ms = 8 * before.size / step.number("rate_kbps")
        return now.size > 0 and now.last_ms - before.last_ms >= needs_ms / 2
