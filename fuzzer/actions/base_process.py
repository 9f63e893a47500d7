"""What the faults of processes share: how they are seen to take effect, and which exits they meant.

To add one: a file with a class derived from ``ProcessFault``; the smallest example is ``pause.py``.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

from fuzzer.actions.base import ServiceFault, Stage
from models.history import Permit
from models.step import Step


class ProcessFault(ServiceFault):
    """Harm to the processes of services.

    A subclass names the ``effect``, whether it ``kills`` the process (each instance may then exit
    once), and does the ``harm``.
    """

    kills: ClassVar[bool] = False

    @abstractmethod
    def harm(self, services: tuple[str, ...], stage: Stage) -> None:
        """Do it to all of them at once."""

    @abstractmethod
    def took_effect(self, service: str, since_s: float, stage: Stage) -> None:
        """Wait until it is seen.

        Raises:
            StepInvalid: it was not seen.
        """

    def inject(self, step: Step, stage: Stage) -> None:
        """Harm the targets, see it, and give leave for the exits it meant."""
        instances = {name: len(stage.runtime.status(name).instances) for name in step.targets}
        began_s = stage.runtime.clock.now()
        try:
            self.harm(step.targets, stage)
            for service in step.targets:
                if self.kills:
                    self._all_exited(service, instances[service], began_s, stage)
                self.took_effect(service, began_s, stage)
        finally:
            if self.kills:
                now_s = stage.runtime.clock.now()
                for service, count in instances.items():
                    stage.recorder.permit([Permit(service, began_s, now_s)] * count)

    def _all_exited(self, service: str, count: int, since_s: float, stage: Stage) -> None:
        def exits() -> int:
            return stage.recorder.exits_since(service, since_s)

        stage.until(
            lambda: exits() >= count,
            lambda: f"{exits()} of {count} processes of {service} were seen to exit after {self.name}",
        )
