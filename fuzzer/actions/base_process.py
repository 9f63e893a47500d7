"""What the faults of processes share: whom they may be done to, and how they are seen to take effect.

To add one: a file with a class derived from ``ProcessFault``; the smallest example is ``pause.py``.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

from fuzzer.actions.base import EFFECT_SEEN_S, Fault, Stage
from fuzzer.runtimes.base import ProcessState
from models.errors import StepInvalid
from models.expected import Expected
from models.history import Permit
from models.step import Step
from models.target import Target


class ProcessFault(Fault):
    """Harm to services of the target that are opted in, at most ``max_faults`` at once.

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

    def candidates(self, target: Target, expected: Expected) -> tuple[str, ...]:
        """Services that are not under lasting harm, while there is room for one more fault."""
        if len(expected.active()) >= target.safety.max_faults:
            return ()
        harmed = expected.lasting()
        return tuple(name for name in target.faultable if name not in harmed)

    def known_targets(self, target: Target) -> tuple[str, ...]:
        """Only what faults may touch."""
        return target.faultable

    def ready(self, step: Step, stage: Stage) -> None:
        """Wait until the targets run; a restart policy may still be backing off."""
        limit_s = stage.target.limits.recovery_s_max + EFFECT_SEEN_S
        for service in step.targets:
            stage.until_state(service, ProcessState.RUNNING, ProcessState.DOWN, limit_s=limit_s)
            if stage.runtime.status(service).state is ProcessState.DOWN:
                raise StepInvalid(f"cannot {self.name} {service}: it is down, and nothing will start it")

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
