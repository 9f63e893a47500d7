"""``scale a 3``: a service gets more replicas, or fewer, as an autoscaler does it.

Whatever the number, as long as it is not 0 the service has to serve. While replicas come and go, and for a
moment after it, connections to them break and whoever is called may not listen yet; from then on nothing is
excused. ``scale a 0`` is a stop of all. Two in a row may be done: the undo gives back what stood before both.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from fuzzer.actions.base import ServiceFault, Stage, still_harmed
from fuzzer.runtimes.able import CanScale
from fuzzer.runtimes.base import ProcessState, Runtime, Undo
from models.errors import ScenarioError
from models.expected import Effect, Expected
from models.history import Permit
from models.param import Param
from models.step import Step
from models.target import Target

USUAL_MOST = 3
"""To so many replicas at least a service is scaled in a search, unless it says what it can bear."""

LOOK_S = 0.05


class Scale(ServiceFault):
    """Another number of replicas, until it is healed."""

    name: ClassVar[str] = "scale"
    summary: ClassVar[str] = "run more or fewer replicas of a service"
    example: ClassVar[str] = "scale checkout-service 3"
    needs: ClassVar[type | None] = CanScale
    params: ClassVar[tuple[Param, ...]] = (Param("replicas", 1, USUAL_MOST, least=0, most=100),)
    effect: ClassVar[Effect] = Effect.RESIZED

    def refusal(self, runtime: Runtime) -> str:
        """Where a service is one process, there is nothing to scale."""
        return f"{super().refusal(runtime)}: it runs one process of each service"

    # What may be drawn.

    def candidates(self, target: Target, expected: Expected) -> tuple[str, ...]:
        """Services of which there may be more than one, and whose new replicas can be seen to be ready."""
        if len(expected.active()) >= target.safety.max_faults:
            return ()
        harmed = {*expected.lasting()} - {*_only_resized(expected)}
        left = (name for name in self.known_targets(target) if name not in harmed)
        return tuple(name for name in left if self.fits((name,), target, expected))

    def known_targets(self, target: Target) -> tuple[str, ...]:
        """The same, whatever was done before."""
        return tuple(name for name in super().known_targets(target) if _is_scalable(name, target))

    def numbers(self, param: Param, names: tuple[str, ...], target: Target) -> Sequence[float]:
        """Any number but the one that it has."""
        service = target.services[names[0]]
        most = service.replicas_max or max(USUAL_MOST, service.replicas + 1)
        return [number for number in range(1, most + 1) if number != service.replicas]

    def obstacle(self, step: Step, target: Target, expected: Expected) -> str:
        """Nothing else may be wrong with it; another number of replicas may."""
        others = {*expected.lasting()} - {*_only_resized(expected)}
        return next((still_harmed(name) for name in step.targets if name in others), "")

    # What a step means.

    def check(self, step: Step, target: Target) -> None:
        """Refuse half a replica, and a second one where only one can have the port.

        Raises:
            ScenarioError: with the reason.
        """
        super().check(step, target)
        wanted = step.number("replicas")
        if not wanted.is_integer():
            raise ScenarioError(f"`{step}`: found {wanted:g} replicas; expected a whole number")
        for port in target.services[step.targets[0]].ports:
            if wanted > 1 and port.host is not None:
                raise ScenarioError(
                    f"`{step}`: {step.targets[0]} publishes the fixed port {port.host}, which one replica "
                    f'alone can have; expected, for example, ports: ["{port.container}"], or no port at all'
                )

    def check_target(self, name: str, step: Step, target: Target) -> None:
        """Who asks by name may try any service that faults may touch."""
        if name not in target.faultable:
            super().check_target(name, step, target)

    def begin(self, step: Step, expected: Expected) -> Expected:
        """None at all is a stop; any other number excuses nobody once it is reached."""
        if not step.number("replicas"):
            return expected.harmed(step.targets, Effect.DOWN)
        return expected.harmed(step.targets, Effect.RESIZED).harmed(step.targets, Effect.RESIZING)

    def end(self, step: Step, expected: Expected) -> Expected:
        """The number is reached."""
        return expected.relieved(step.targets, Effect.RESIZING)

    def undo(self, step: Step) -> tuple[Undo, ...]:
        """Give back the very replicas that it had."""
        return (Undo("rescale", step.targets),)

    # How it is done.

    def inject(self, step: Step, stage: Stage) -> None:
        """Scale, see that so many run, and give the new ones their time to get ready."""
        runtime, (service,), wanted = stage.runtime, step.targets, int(step.number("replicas"))
        assert isinstance(runtime, CanScale)
        if not wanted:
            self._stop_all(service, stage)
            return
        runtime.scale(service, wanted)
        stage.until(
            lambda: runtime.running(service) == wanted,
            lambda: f"{runtime.running(service)} replicas of {service} run; expected {wanted}",
        )
        # One that never gets ready is what the laws are for.
        clock = runtime.clock
        until_s = clock.now() + stage.target.limits.recovery_s_max
        while clock.now() < until_s and runtime.serving(service) < wanted:
            stage.pass_time(LOOK_S)

    def _stop_all(self, service: str, stage: Stage) -> None:
        runtime, began_s = stage.runtime, stage.runtime.clock.now()
        assert isinstance(runtime, CanScale)
        count = len(runtime.status(service).instances)
        try:
            runtime.scale(service, 0)
            stage.until_state(service, ProcessState.DOWN)
        finally:
            stage.recorder.permit([Permit(service, began_s, runtime.clock.now())] * count)


def _only_resized(expected: Expected) -> tuple[str, ...]:
    """Those to whom nothing else was done that lasts."""
    others = {h.on for h in expected.harms if h.ended_s is None and h.effect is not Effect.RESIZED}
    return tuple(name for name in expected.lasting(Effect.RESIZED) if name not in others)


def _is_scalable(name: str, target: Target) -> bool:
    """Whether its file says that there may be several, and how it can be seen that one is ready."""
    service = target.services[name]
    is_free = all(port.host is None for port in service.ports)
    return is_free and service.healthcheck is not None and bool(service.replicas_max or service.replicas > 1)
