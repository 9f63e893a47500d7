"""``slow_close a -> b 1000ms``: connections take their time to end."""

from __future__ import annotations

from typing import ClassVar

from fuzzer.actions.base_link import ASKED_S, LinkFault
from models.answer import Answer
from models.expected import Effect
from models.param import Param
from models.step import Step
from models.toxic import Toxic


class SlowClose(LinkFault):
    """Whoever waits for the end of a connection waits longer, and more of them stay open."""

    name: ClassVar[str] = "slow_close"
    summary: ClassVar[str] = "let the connections of a link end late"
    example: ClassVar[str] = "slow_close checkout-service -> orders-db 1000ms"
    effect: ClassVar[Effect] = Effect.SLOW
    kinds: ClassVar[frozenset[str]] = frozenset({"slow_close"})
    params: ClassVar[tuple[Param, ...]] = (Param("delay_ms", 500, 5000, 1, 60_000, drawn=(500, 2000, 5000)),)

    def toxics(self, step: Step) -> tuple[Toxic, ...]:
        """A late end of what the dependency sends."""
        return (Toxic("slow_close", {"delay": step.number("delay_ms")}),)

    def would_show(self, before: Answer) -> bool:
        """Who keeps connections open for the next question ends none that could end late."""
        return before.ended

    def asked_s(self, step: Step) -> float:
        """Until after the end."""
        return ASKED_S + step.number("delay_ms") / 1000

    def shows(self, step: Step, before: Answer, now: Answer) -> bool:
        """The end comes later than before."""
        return now.ended and now.last_ms - before.last_ms >= 0.8 * step.number("delay_ms")
