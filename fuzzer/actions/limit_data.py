"""``limit_data a -> b bytes=64``: each connection ends after so many bytes."""

from __future__ import annotations

from typing import ClassVar

from fuzzer.actions.base_link import LinkFault, http_edges
from models.answer import Answer
from models.expected import Effect
from models.param import Param
from models.step import Step
from models.target import Target
from models.toxic import Toxic


class LimitData(LinkFault):
    """Answers are cut off in the middle; one that is shorter gets through."""

    name: ClassVar[str] = "limit_data"
    summary: ClassVar[str] = "end each connection of a link after so many bytes"
    example: ClassVar[str] = "limit_data checkout-service -> orders-db bytes=64"
    effect: ClassVar[Effect] = Effect.CUT
    kinds: ClassVar[frozenset[str]] = frozenset({"limit_data"})
    params: ClassVar[tuple[Param, ...]] = (Param("bytes", 0, 64, 0, 1_000_000, drawn=(0, 64)),)

    def edges(self, target: Target) -> tuple[tuple[str, str], ...]:
        """Those whose address is an HTTP URL: other answers may be too short to be cut off."""
        return http_edges(super().edges(target), target)

    def toxics(self, step: Step) -> tuple[Toxic, ...]:
        """Of what the dependency sends."""
        return (Toxic("limit_data", {"bytes": step.number("bytes")}),)

    def shows(self, step: Step, before: Answer, now: Answer) -> bool:
        """Less comes than before, and no more than was asked for."""
        return now.size < before.size and now.size <= step.number("bytes")
