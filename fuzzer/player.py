"""What it takes to play scenarios: for whoever has them played, and does not care on what."""

from __future__ import annotations

from typing import Protocol

from fuzzer.events import Played
from fuzzer.halts import Halt
from fuzzer.traffic import MakeTraffic
from models.scenario import Scenario


class Player(Protocol):
    """Whoever plays scenarios; the methods are those of ``Runner``."""

    def play(
        self,
        scenario: Scenario,
        purpose: str = "replay",
        *,
        fresh: bool = False,
        stop_at: str | None = None,
        make_traffic: MakeTraffic | None = None,
    ) -> Played:
        """Play a scenario on a steady fleet, and judge it."""
        ...

    def leave_steady(self) -> str:
        """Bring a fleet that did not end steady back."""
        ...

    def leave_lifted(self, halt: Halt) -> None:
        """Undo now whatever may still be in force; the halt is told what is not."""
        ...
