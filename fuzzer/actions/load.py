"""``load checkout 50rps 5s``: requests at a fixed rate while the scenario goes on."""

from __future__ import annotations

from typing import ClassVar

from fuzzer.actions.base_load import Loading
from models.load import Shape


class Load(Loading):
    """Send requests at a fixed rate."""

    name: ClassVar[str] = "load"
    summary: ClassVar[str] = "send requests at a fixed rate, in the background"
    example: ClassVar[str] = "load checkout 50rps 5s"
    shape: ClassVar[Shape] = Shape.STEADY
