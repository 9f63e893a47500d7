"""What becomes of a question that was sent over a connection."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one question that was sent over a link, from outside the fuzzer's own book-keeping.

    Attributes:
        first_ms: until the first byte of the answer came; None if none did.
        last_ms: until the connection was over, or the wait for that.
        status: of an answer by HTTP.
        size: how many bytes came.
        ended: whether the other side ended the connection.
        error: ``refused``, ``reset`` or ``timeout``; "" if there was none.
    """

    first_ms: float | None
    last_ms: float
    status: int | None = None
    size: int = 0
    ended: bool = False
    error: str = ""
