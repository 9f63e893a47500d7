"""``disk_fill a``: nothing more can be written where a service keeps its data."""

from __future__ import annotations

from typing import ClassVar

from fuzzer.actions.base import Stage
from fuzzer.actions.base_resource import ResourceFault
from fuzzer.runtimes.able import CanFillDisk
from models.expected import Effect
from models.step import Step


class DiskFill(ResourceFault):
    """No space left, in the folder that the service named by ``x-knockon.disk``, and only there."""

    name: ClassVar[str] = "disk_fill"
    summary: ClassVar[str] = "leave no space where a service keeps its data (x-knockon.disk)"
    example: ClassVar[str] = "disk_fill orders-db"
    needs: ClassVar[type | None] = CanFillDisk
    effect: ClassVar[Effect] = Effect.STARVED
    verb: ClassVar[str] = "free_disk"
    key: ClassVar[str] = "disk"

    def take(self, step: Step, stage: Stage) -> None:
        """Fill."""
        assert isinstance(stage.runtime, CanFillDisk)
        stage.runtime.fill_disk(step.targets)

    def doubt(self, service: str, stage: Stage) -> str:
        """Whether a write fails."""
        assert isinstance(stage.runtime, CanFillDisk)
        return stage.runtime.doubt_disk(service)
