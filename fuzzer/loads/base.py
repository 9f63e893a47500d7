"""What loads are to whoever plays a scenario, and where what clients saw is put."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from models.load import Calls, Load, LoadRun, Phase, ReadBack, Request, Shape, Written


class LoadSink(Protocol):
    """Where what clients saw is put. Called from any thread."""

    def saw_request(self, seen: Request) -> None:
        """A request ended."""
        ...

    def saw_load(self, run: LoadRun) -> None:
        """A run of a load began, or ended."""
        ...

    def saw_calls(self, seen: Calls) -> None:
        """A service's count of what it sent to another was looked at."""
        ...


class Loads(Protocol):
    """The loads of the scenario that plays."""

    @property
    def ends_s(self) -> float:
        """When the last request of all loads is due."""
        ...

    @property
    def quiet(self) -> bool:
        """Whether every load is over, and every answer was told."""
        ...

    def start(
        self,
        load: Load,
        urls: Mapping[str, str],
        phase: Phase,
        shape: Shape,
        rate_rps: float,
        duration_s: float,
    ) -> None:
        """Start to send; returns when it has begun.

        Args:
            urls: ``http://host:port`` of each service that the load enters.

        Raises:
            StepInvalid: it did not begin.
        """
        ...

    def check(self) -> None:
        """End what does not end by itself; what it told so far is kept."""
        ...

    def count_calls(self) -> None:
        """Look at the counts that services keep of what they send to others, until all is stopped."""
        ...

    def read_back(self, written: Sequence[Written], urls: Mapping[str, str]) -> list[ReadBack]:
        """What became of each acknowledged write.

        Args:
            written: those that matter most first, in case that they are too many.
            urls: where each service can be asked, "" for those without an address.
        """
        ...

    def stop(self) -> None:
        """End everything; what was told so far is kept."""
        ...
