"""``load checkout 50rps 5s``: requests at a fixed rate while the scenario goes on."""

from __future__ import annotations

from typing import ClassVar

from fuzzer.actions.base import Action, Param, Stage
from models.errors import ScenarioError, StepInvalid
from models.expected import Expected
from models.step import Step
from models.target import Target


class Load(Action):
    """Open loop: a request is due when its time comes, whether or not the last one was answered.

    The step starts the load and is over; the runner lets it finish before it heals. Without a rate,
    the target's own ``rate_rps`` is sent.
    """

    name: ClassVar[str] = "load"
    summary: ClassVar[str] = "send requests at a fixed rate, in the background"
    example: ClassVar[str] = "load checkout 50rps 5s"
    params: ClassVar[tuple[Param, ...]] = (
        Param("duration_s", low=2, high=5, least=0.1, most=3600),
        Param("rate_rps", low=5, high=50, least=0.1, most=5000, optional=True),
    )
    noun: ClassVar[str] = "load"

    def candidates(self, target: Target, expected: Expected) -> tuple[str, ...]:
        """The target's loads, those whose entry can be reached; one at a time."""
        if expected.now_s < expected.loaded_until_s:
            return ()
        return tuple(load.name for load in target.loads.values() if _reachable(target, load.entry))

    def known_targets(self, target: Target) -> tuple[str, ...]:
        """The target's loads."""
        return tuple(target.loads)

    def begin(self, step: Step, expected: Expected) -> Expected:
        """Under load for as long as it says."""
        return expected.loaded(step.number("duration_s"))

    def check(self, step: Step, target: Target) -> None:
        """Refuse a load that has nowhere to go, too."""
        super().check(step, target)
        entry = target.loads[step.targets[0]].entry
        if not _reachable(target, entry):
            raise ScenarioError(
                f"`{step}`: {entry} has no address that can be reached from here; "
                "expected a published port or an x-knockon.health URL"
            )

    def inject(self, step: Step, stage: Stage) -> None:
        """Start a sender of its own process."""
        load = stage.target.loads[step.targets[0]]
        url = stage.runtime.url(load.entry)
        if url is None:
            raise StepInvalid(f"{load.entry} has no address now: the runtime published no port for it")
        rate_rps = load.rate_rps if step.param("rate_rps") is None else step.number("rate_rps")
        stage.loads.start(load, url, rate_rps, step.number("duration_s"))


def _reachable(target: Target, service: str) -> bool:
    entry = target.services[service]
    return bool(entry.ports) or entry.health.url is not None
