"""``latency a -> b 200ms``: every answer of b to a comes later."""

from __future__ import annotations

from typing import ClassVar

from fuzzer.actions.base_link import ASKED_S, LinkFault
from models.answer import Answer
from models.expected import Effect
from models.param import Param
from models.step import Step
from models.toxic import Toxic


class Latency(LinkFault):
    """A slow network, or a dependency that takes its time; ``jitter_ms`` more or less."""

    name: ClassVar[str] = "latency"
    summary: ClassVar[str] = "let answers over a link come later"
    example: ClassVar[str] = "latency checkout-service -> orders-db 200ms"
    effect: ClassVar[Effect] = Effect.SLOW
    kinds: ClassVar[frozenset[str]] = frozenset({"latency"})
    params: ClassVar[tuple[Param, ...]] = (
        Param("delay_ms", 200, 2000, 1, 60_000, drawn=(200, 500, 1000, 2000)),
        Param("jitter_ms", 0, 100, 0, 60_000, optional=True, drawn=(0, 100)),
    )

    def toxics(self, step: Step) -> tuple[Toxic, ...]:
        """Late answers."""
        late = {"latency": step.number("delay_ms"), "jitter": step.number_or("jitter_ms", 0.0)}
        return (Toxic("latency", late),)

    def asked_s(self, step: Step) -> float:
        """As long as the latest answer may take."""
        return ASKED_S + (step.number("delay_ms") + step.number_or("jitter_ms", 0.0)) / 1000

    def shows(self, step: Step, before: Answer, now: Answer) -> bool:
        """An answer is later than before by most of what was asked for."""
        least_ms = 0.8 * (step.number("delay_ms") - step.number_or("jitter_ms", 0.0))
        late = now.first_ms is not None and before.first_ms is not None
        return late and (now.first_ms or 0.0) - (before.first_ms or 0.0) >= least_ms
