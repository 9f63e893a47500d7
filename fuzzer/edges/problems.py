"""What is answered instead of what was asked for: a status and one sentence."""

from __future__ import annotations


class Problem(Exception):
    """A request cannot be met.

    Args:
        status: of the HTTP answer.
        message: one sentence for whoever asked.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


def bad_body(message: str) -> Problem:
    """Something in the request's body is wrong."""
    return Problem(400, f"bad request body: {message}")


def missing(field: str) -> Problem:
    """A field has to be there."""
    return Problem(400, f"missing required field: {field}")
