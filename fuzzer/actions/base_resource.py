"""What the faults of resources share: a service has less of something, or company that uses it up.

A subclass names the ``verb`` that gives it back, does the harm (``take``), and says what speaks against
its being in force (``doubt``). Nothing is believed: limits are read from the kernel, a full disk is
written to, and a throttled processor is put to work. To add one: a file with a class derived from
``ResourceFault``; the smallest example is ``memory.py``. How each is done stands in docs/resources.md.

Where a lack makes programs fail (``Effect.STARVED``), the service itself may exit for as long as it
lasts; that is the fault's own doing. Nobody else may.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

from fuzzer.actions.base import ServiceFault, Stage
from fuzzer.runtimes.base import Undo
from models.errors import ScenarioError
from models.expected import Effect
from models.history import Permit
from models.step import Step
from models.target import Target


class ResourceFault(ServiceFault):
    """A lack that lasts until it is healed.

    Attributes:
        verb: the undo that gives back what was there before.
        key: the key under ``x-knockon`` by which a service opts in; "" if none is needed.
    """

    verb: ClassVar[str]
    key: ClassVar[str] = ""

    @abstractmethod
    def take(self, step: Step, stage: Stage) -> None:
        """Take it away from the targets.

        Raises:
            StepInvalid: it cannot be taken.
        """

    @abstractmethod
    def doubt(self, service: str, stage: Stage) -> str:
        """What speaks against its being in force now; "" if nothing does."""

    def suits(self, service: str, target: Target) -> bool:
        """Whether the service said all that is needed."""
        return not self.key or bool(getattr(target.services[service], self.key))

    def known_targets(self, target: Target) -> tuple[str, ...]:
        """What faults may touch, and what suits."""
        return tuple(name for name in super().known_targets(target) if self.suits(name, target))

    def check_target(self, name: str, step: Step, target: Target) -> None:
        """Refuse a service that is not known here, or that did not opt in to this very fault.

        Raises:
            ScenarioError: with the key that it needs.
        """
        if name in target.faultable and not self.suits(name, target):
            raise ScenarioError(
                f"`{step}`: services.{name}.x-knockon.{self.key}: found nothing; expected a path, without "
                f"which {self.name} touches nobody; see docs/resources.md"
            )
        super().check_target(name, step, target)

    def undo(self, step: Step) -> tuple[Undo, ...]:
        """Give back what was there before."""
        return (Undo(self.verb, step.targets),)

    def inject(self, step: Step, stage: Stage) -> None:
        """Take it, and look until nothing speaks against it any more."""
        began_s = stage.runtime.clock.now()
        if self.effect is Effect.STARVED:
            stage.recorder.permit([Permit(name, began_s, once=False) for name in step.targets])
        self.take(step, stage)
        for service in step.targets:
            self._until_seen(service, began_s, stage)

    def _until_seen(self, service: str, began_s: float, stage: Stage) -> None:
        doubts = [""]

        def seen() -> bool:
            if self.effect is Effect.STARVED and stage.recorder.exits_since(service, began_s):
                return True  # it died of it: there is no effect like that
            doubts[0] = self.doubt(service, stage)
            return not doubts[0]

        stage.until(seen, lambda: f"{self.name} had no effect on {service}: {doubts[0]}")
