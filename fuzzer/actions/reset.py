"""``reset a -> b``: connections break, old ones and new ones."""

from __future__ import annotations

from typing import ClassVar

from fuzzer.actions.base_link import LinkFault
from models.answer import Answer
from models.expected import Effect
from models.step import Step
from models.toxic import Toxic


class Reset(LinkFault):
    """Every connection is reset, as if the other side had lost its memory."""

    name: ClassVar[str] = "reset"
    summary: ClassVar[str] = "reset the connections of a link"
    example: ClassVar[str] = "reset checkout-service -> orders-db"
    effect: ClassVar[Effect] = Effect.CUT
    kinds: ClassVar[frozenset[str]] = frozenset({"reset_peer"})

    def toxics(self, step: Step) -> tuple[Toxic, ...]:
        """At once, and without a goodbye."""
        return (Toxic("reset_peer", {"timeout": 0.0}),)

    def shows(self, step: Step, before: Answer, now: Answer) -> bool:
        """The connection ends before any answer."""
        return now.first_ms is None and (now.ended or now.error == "reset")
