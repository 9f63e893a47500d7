"""``ramp checkout 50rps 5s``: requests at a rate that grows from nothing to 100 a second, 50 in the mean."""

from __future__ import annotations

from typing import ClassVar

from fuzzer.actions.base_load import Loading
from models.load import Shape


class Ramp(Loading):
    """Send requests at a growing rate."""

    name: ClassVar[str] = "ramp"
    summary: ClassVar[str] = "send requests at a growing rate, in the background"
    example: ClassVar[str] = "ramp checkout 50rps 5s"
    shape: ClassVar[Shape] = Shape.RAMP
    peak: ClassVar[int] = 2
