"""``http_error a -> b status=503 30%``: this share of requests is answered with an error."""

from __future__ import annotations

from typing import ClassVar

from fuzzer.actions.base_link import LinkFault, http_edges
from models.answer import Answer
from models.expected import Effect
from models.param import Param
from models.step import Step
from models.target import Target
from models.toxic import Stream, Toxic


class HttpError(LinkFault):
    """The dependency itself is never asked; only where the link speaks HTTP."""

    name: ClassVar[str] = "http_error"
    summary: ClassVar[str] = "answer a share of the requests over a link with an error"
    example: ClassVar[str] = "http_error api-gateway -> checkout-service status=503 30%"
    effect: ClassVar[Effect] = Effect.CUT
    kinds: ClassVar[frozenset[str]] = frozenset({"http_error"})
    params: ClassVar[tuple[Param, ...]] = (
        Param("status", 503, 503, 400, 599, drawn=(503, 500, 429)),
        Param("percent", 100, 100, 1, 100, drawn=(100, 30)),
    )

    def edges(self, target: Target) -> tuple[tuple[str, str], ...]:
        """Those whose address is an HTTP URL."""
        return http_edges(super().edges(target), target)

    def toxics(self, step: Step) -> tuple[Toxic, ...]:
        """Each request may be hit."""
        status = {"status": step.number("status")}
        return (Toxic("http_error", status, Stream.UPSTREAM, step.number("percent") / 100),)

    def shows(self, step: Step, before: Answer, now: Answer) -> bool:
        """The question was hit."""
        return now.status == step.number("status")
