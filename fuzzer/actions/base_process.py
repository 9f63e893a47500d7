"""What the faults of processes share: how they are seen to take effect, and which exits they meant.

To add one: a file with a class derived from ``ProcessFault``; the smallest example is ``pause.py``.
A target is a service, one of its replicas (``checkout#2``), or a part of a group (``models/some.py``).
"""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from typing import ClassVar

from fuzzer.actions.base import ServiceFault, Stage
from models.errors import ScenarioError
from models.expected import Expected
from models.history import Permit
from models.members import may_be_primary, members_of, room
from models.param import Pick
from models.some import Share, Some, is_some, replica_of, service_of, services_of
from models.step import Step
from models.target import Target

PLAIN_TO_PARTS = (True, True, False)
"""Of three steps on a target with groups, one may be aimed at a part of a group."""


class ProcessFault(ServiceFault):
    """Harm to the processes of services.

    A subclass names the ``effect``, whether it ``kills`` the process (each instance may then exit
    once), whether it can be done to one ``replica``, and does the ``harm``.
    """

    shares: ClassVar[frozenset[Share]] = frozenset(Share)
    kills: ClassVar[bool] = False
    replica: ClassVar[bool] = False

    @abstractmethod
    def harm(self, services: tuple[str, ...], stage: Stage) -> None:
        """Do it to all of them at once."""

    @abstractmethod
    def took_effect(self, service: str, since_s: float, stage: Stage) -> None:
        """Wait until it is seen.

        Raises:
            StepInvalid: it was not seen.
        """

    # What may be drawn.

    def draw_targets(self, target: Target, expected: Expected, pick: Pick) -> tuple[str, ...]:
        """Now and then a part of a group, where there is one."""
        parts = self._parts(target, expected)
        if parts and not pick(PLAIN_TO_PARTS):
            return pick(parts)
        return super().draw_targets(target, expected, pick)

    def applies(self, step: Step, target: Target, expected: Expected) -> bool:
        """A part of a group could have been drawn, too."""
        return super().applies(step, target, expected) or step.targets in self._parts(target, expected)

    def _parts(self, target: Target, expected: Expected) -> list[tuple[str, ...]]:
        """The parts of groups that could be harmed now, each as targets; the primaries are not known yet."""
        if not self.shares or not target.topology.groups:
            return []
        candidates = self.candidates(target, expected)
        most = min(room(target, expected), self.most_targets)
        found = dict[tuple[str, ...], None]()
        for group in target.topology.groups:
            for share in Share:
                some = Some(share, group.name)
                try:
                    meant = may_be_primary(some, target) if share is Share.PRIMARIES else ()
                    names = (str(some),) if meant else members_of(some, target, expected)
                except ScenarioError:
                    continue
                may_be = group.members if meant else names
                fitting = share in self.shares and len(names) <= most and set(may_be) <= {*candidates}
                if fitting and self.fits(names, target, expected):
                    found[names] = None
        return list(found)

    # What a step means.

    def check_target(self, name: str, step: Step, target: Target) -> None:
        """Whoever is primary will do where that can be asked, and a replica where it can be told apart."""
        some = Some.parse(name)
        if some and some.share in self.shares:
            may_be_primary(some, target)
        elif is_some(name) and self.shares:
            raise ScenarioError(
                f"`{step}`: found {name!r}; expected one of "
                f"{', '.join(f'{share}:GROUP' for share in Share if share in self.shares)}"
            )
        else:
            numbered = self.replica and replica_of(name)
            super().check_target(service_of(name) if numbered else name, step, target)

    def begin(self, step: Step, expected: Expected) -> Expected:
        """Harm to a replica is harm to its service."""
        return super().begin(_of_services(step), expected)

    def obstacle(self, step: Step, target: Target, expected: Expected) -> str:
        """Nothing is harmed twice at the same time, nor is a replica of what is."""
        return super().obstacle(_of_services(step), target, expected)

    def end(self, step: Step, expected: Expected) -> Expected:
        """A passing harm is over once it was done; from then on recovery counts."""
        return super().end(_of_services(step), expected)

    # How it is done.

    def inject(self, step: Step, stage: Stage) -> None:
        """Harm the targets, see it, and give leave for the exits it meant."""
        instances = Counter[str]()
        for name in step.targets:
            instances[service_of(name)] += len(stage.runtime.status(name).instances)
        began_s = stage.runtime.clock.now()
        try:
            self.harm(step.targets, stage)
            for name in step.targets:
                if self.kills:
                    service = service_of(name)
                    self._all_exited(service, instances[service], began_s, stage)
                self.took_effect(name, began_s, stage)
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


def _of_services(step: Step) -> Step:
    return Step(step.action, services_of(step.targets), step.params)
