"""What every load has in common: which may be drawn, what is expected, how it is begun."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from fuzzer.actions.base import Action, Sending, Stage
from models.errors import ScenarioError
from models.expected import Expected
from models.load import Load, Shape
from models.param import Param
from models.step import Step
from models.target import Target


class Loading(Action):
    """Open loop: a request is due when its time comes, whether or not the last one was answered.

    The step starts the load and is over once its first requests were answered, well or badly; the runner
    lets the load finish before it heals. Without a rate, the target's own ``rate_rps`` is sent.
    """

    params: ClassVar[tuple[Param, ...]] = (
        Param("duration_s", low=2, high=5, least=0.1, most=3600),
        Param("rate_rps", low=20, high=50, least=0.1, most=5000, optional=True),
    )
    noun: ClassVar[str] = "load"
    shape: ClassVar[Shape]
    peak: ClassVar[int] = 1
    """How many times the mean rate is reached at the height of the load."""

    def candidates(self, target: Target, expected: Expected) -> tuple[str, ...]:
        """The target's loads, those whose entries can be reached; one at a time."""
        if expected.now_s < expected.loaded_until_s:
            return ()
        return tuple(load.name for load in target.loads.values() if not _unreachable(target, load))

    def numbers(self, param: Param, names: tuple[str, ...], target: Target) -> Sequence[float]:
        """At most the rate that the target names, also at the peak: a fleet promises no more."""
        if param.name != "rate_rps":
            return param.numbers
        most_rps = target.loads[names[0]].rate_rps / self.peak
        if most_rps < param.low:  # too little to choose from: what the target names
            return (max(most_rps, param.least),)
        return range(param.low, min(param.high, int(most_rps)) + 1)

    def known_targets(self, target: Target) -> tuple[str, ...]:
        """The target's loads."""
        return tuple(target.loads)

    def begin(self, step: Step, expected: Expected) -> Expected:
        """Under load for as long as it says."""
        return expected.loaded(step.number("duration_s"))

    def check(self, step: Step, target: Target) -> None:
        """Refuse a load that has nowhere to go, too."""
        super().check(step, target)
        for entry in _unreachable(target, target.loads[step.targets[0]]):
            raise ScenarioError(
                f"`{step}`: {entry} has no address that can be reached from here; "
                "expected a published port or an x-knockon.health URL"
            )

    def sends(self, step: Step, target: Target) -> Sending:
        """What the step says, and the target's own rate where it says none."""
        load = target.loads[step.targets[0]]
        rate_rps = load.rate_rps if step.param("rate_rps") is None else step.number("rate_rps")
        return Sending(load, rate_rps, step.number("duration_s"), self.shape)

    def inject(self, step: Step, stage: Stage) -> None:
        """Start an engine in a process of its own."""
        stage.send(self.sends(step, stage.target))


def _unreachable(target: Target, load: Load) -> tuple[str, ...]:
    services = (target.services[name] for name in load.services)
    return tuple(service.name for service in services if not service.ports and service.health.url is None)
