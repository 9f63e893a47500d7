"""``refuse a -> b``: nobody listens there any more."""

from __future__ import annotations

from typing import ClassVar

from fuzzer.actions.base_link import LinkFault
from models.answer import Answer
from models.expected import Effect
from models.step import Step
from models.toxic import REFUSING, Toxic


class Refuse(LinkFault):
    """As if the dependency were down, for this caller alone."""

    name: ClassVar[str] = "refuse"
    summary: ClassVar[str] = "refuse the connections of a link"
    example: ClassVar[str] = "refuse checkout-service -> orders-db"
    effect: ClassVar[Effect] = Effect.CUT
    kinds: ClassVar[frozenset[str]] = frozenset({REFUSING})

    def toxics(self, step: Step) -> tuple[Toxic, ...]:
        """Not poison, but a proxy that is switched off."""
        return (Toxic(REFUSING),)

    def shows(self, step: Step, before: Answer, now: Answer) -> bool:
        """No connection, or one that ends at once."""
        return now.first_ms is None and (now.ended or now.error in ("refused", "reset"))
