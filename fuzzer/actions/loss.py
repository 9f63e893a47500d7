"""``loss a -> b 10%``: this share of what is sent is lost, and sent again."""

from __future__ import annotations

from typing import ClassVar

from fuzzer.actions.base_link import LinkFault
from models.answer import Answer
from models.expected import Effect
from models.param import Param
from models.step import Step
from models.toxic import Stream, Toxic

RETRANSMITTED_MS = 150.0
"""Linux sends again after 200 ms at the earliest; a little less, for what was slow before."""


class Loss(LinkFault):
    """Packets get lost, as TCP sees it: what was lost comes 200 ms later or more."""

    name: ClassVar[str] = "loss"
    summary: ClassVar[str] = "lose a share of what a link carries; it is sent again, later"
    example: ClassVar[str] = "loss checkout-service -> orders-db 10%"
    effect: ClassVar[Effect] = Effect.SLOW
    kinds: ClassVar[frozenset[str]] = frozenset({"loss"})
    params: ClassVar[tuple[Param, ...]] = (Param("percent", 10, 50, 1, 100, drawn=(10, 30, 50)),)

    def toxics(self, step: Step) -> tuple[Toxic, ...]:
        """Lost on the way to the dependency."""
        return (Toxic("loss", {"percent": step.number("percent")}, Stream.UPSTREAM),)

    def shows(self, step: Step, before: Answer, now: Answer) -> bool:
        """An answer is late by a retransmission, or does not come."""
        if now.first_ms is None or before.first_ms is None:
            return now.error == "timeout"
        return now.first_ms - before.first_ms >= RETRANSMITTED_MS
