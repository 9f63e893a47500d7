"""``burst checkout 50rps 5s``: fifty requests at once, at the beginning of each second."""

from __future__ import annotations

from typing import ClassVar

from fuzzer.actions.base_load import Loading
from models.load import Shape


class Burst(Loading):
    """Send the requests of each second all at once."""

    name: ClassVar[str] = "burst"
    summary: ClassVar[str] = "send the requests of each second all at once, in the background"
    example: ClassVar[str] = "burst checkout 50rps 5s"
    shape: ClassVar[Shape] = Shape.BURST
