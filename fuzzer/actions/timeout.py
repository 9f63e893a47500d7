"""``timeout a -> b 500ms``: nothing comes through, and after a while the connection ends."""

from __future__ import annotations

from typing import ClassVar

from fuzzer.actions.base_link import ASKED_S, LinkFault
from models.answer import Answer
from models.expected import Effect
from models.param import Param
from models.step import Step
from models.toxic import Toxic


class Timeout(LinkFault):
    """Silence that ends: whoever waited long enough learns that it was in vain."""

    name: ClassVar[str] = "timeout"
    summary: ClassVar[str] = "let a link swallow what is sent, and end the connection after a while"
    example: ClassVar[str] = "timeout checkout-service -> orders-db 500ms"
    effect: ClassVar[Effect] = Effect.SILENT
    kinds: ClassVar[frozenset[str]] = frozenset({"timeout"})
    params: ClassVar[tuple[Param, ...]] = (Param("delay_ms", 100, 2000, 1, 60_000, drawn=(100, 500, 2000)),)

    def toxics(self, step: Step) -> tuple[Toxic, ...]:
        """No answer in any case."""
        return (Toxic("timeout", {"timeout": step.number("delay_ms")}),)

    def asked_s(self, step: Step) -> float:
        """Until after the end."""
        return ASKED_S + step.number("delay_ms") / 1000

    def shows(self, step: Step, before: Answer, now: Answer) -> bool:
        """The connection ends without an answer, and not too early."""
        ended = now.ended or now.error == "reset"
        return now.first_ms is None and ended and now.last_ms >= 0.8 * step.number("delay_ms")
