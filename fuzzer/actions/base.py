"""What an action is. A step is data; an action is behaviour.

An action says what it needs of a runtime, which targets may be drawn, what is expected while and
after it, how it is undone, how it is done, and how to see that it took effect. To add one: a file
with a class derived from ``Action`` (or ``Fault``, if it does harm) and one line in
``catalogue.py``. The smallest example is ``wait.py``; the smallest fault is ``pause.py``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from fuzzer.recorder import Recorder
from fuzzer.runtimes.base import ProcessState, Runtime, Undo
from models.errors import ScenarioError, StepInvalid
from models.expected import Effect, Expected
from models.load import Load, Shape
from models.members import is_within, with_members
from models.param import Param, Pick
from models.some import Share
from models.step import Step
from models.target import Target

EFFECT_SEEN_S = 10.0
"""A fault that was not seen to take effect within this did not."""

QUICK_S = 0.3
"""Nominal length of a step that does not wait; plans only."""


@dataclass(frozen=True, slots=True)
class Sending:
    """What a step sends: a load at a rate, for a time, in a shape."""

    load: Load
    rate_rps: float
    duration_s: float
    shape: Shape = Shape.STEADY


@dataclass(frozen=True)
class Stage:
    """Where a scenario plays: everything that an action may touch.

    Attributes:
        send: start to send a load in the background; returns when the first requests were answered.
        pass_time: let seconds pass while the fleet is watched.
        lift: undo the faults on these services; None for all.
        play: play a step that is part of the one that plays now; its harm begins only then.
        hampered: whether a service may fail to answer until somebody heals what was done before this step.
    """

    target: Target
    runtime: Runtime
    recorder: Recorder
    send: Callable[[Sending], None]
    pass_time: Callable[[float], None]
    lift: Callable[[tuple[str, ...] | None], None]
    play: Callable[[Step], None]
    hampered: Callable[[str], bool] = lambda service: False

    def until(
        self, condition: Callable[[], bool], problem: Callable[[], str], limit_s: float = EFFECT_SEEN_S
    ) -> None:
        """Wait until something is seen.

        Raises:
            StepInvalid: it was not seen within the limit.
        """
        clock = self.runtime.clock
        deadline_s = clock.now() + limit_s
        while not condition():
            if clock.now() > deadline_s:
                raise StepInvalid(problem())
            clock.sleep(0.005)

    def until_state(self, service: str, *states: ProcessState, limit_s: float = EFFECT_SEEN_S) -> None:
        """Wait until the runtime says that a service is in one of these states."""
        wanted = " or ".join(states)
        self.until(
            lambda: self.runtime.status(service).state in states,
            lambda: f"{service} is {self.runtime.status(service).state}; expected {wanted}",
            limit_s,
        )


class Action(ABC):
    """One thing that a scenario can do.

    Attributes:
        name: the word in a scenario; also the file's name.
        summary: one line for people.
        example: a step as text.
        needs: the runtime protocol that it calls, None if every runtime can do it.
        params: the numbers that a step carries.
        least_targets: how many targets a drawn step names at least.
        most_targets: how many targets a step may name.
        shares: the parts of a group that may stand for services.
        noun: what a target is.
        harmful: whether it is a fault.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    example: ClassVar[str]
    needs: ClassVar[type | None] = None
    params: ClassVar[tuple[Param, ...]] = ()
    least_targets: ClassVar[int] = 1
    most_targets: ClassVar[int] = 1
    shares: ClassVar[frozenset[Share]] = frozenset()
    noun: ClassVar[str] = "service"
    harmful: ClassVar[bool] = False

    def works_on(self, runtime: Runtime) -> bool:
        """Whether a runtime can do it, as it is now."""
        return self.needs is None or isinstance(runtime, self.needs)

    def refusal(self, runtime: Runtime) -> str:
        """Why a runtime cannot do it, for people."""
        return f"the runtime {runtime.name} cannot {self.name}"

    # What may be drawn.

    def candidates(self, target: Target, expected: Expected) -> tuple[str, ...]:
        """Targets that make sense now, in a fixed order; read from the plan's expectations only."""
        return ()

    def at_once(self, target: Target, expected: Expected) -> int:
        """How many targets a drawn step names at most."""
        return min(1, self.most_targets)

    def numbers(self, param: Param, names: tuple[str, ...], target: Target) -> Sequence[float]:
        """The numbers to draw for a step with targets of these names, the simplest first."""
        return param.numbers

    def draw(self, target: Target, expected: Expected, pick: Pick) -> Step:
        """A step that makes sense now; called only while there are candidates."""
        names = self.draw_targets(target, expected, pick)
        numbers = {p: pick(self.numbers(p, names, target)) for p in self.params}
        given = {p.name: number for p, number in numbers.items() if number or not p.optional}
        return Step.of(self.name, *names, **given)

    def draw_targets(self, target: Target, expected: Expected, pick: Pick) -> tuple[str, ...]:
        """The targets of a drawn step, in the order of the candidates."""
        candidates = self.candidates(target, expected)
        most = min(len(candidates), self.at_once(target, expected))
        picked: list[str] = []
        for _ in range(pick(range(self.least_targets, most + 1)) if most else 0):
            left = (name for name in candidates if name not in picked)
            fit = [name for name in left if self.fits((*picked, name), target, expected)]
            picked += [pick(fit)] if fit else []
        return tuple(name for name in candidates if name in picked)

    def applies(self, step: Step, target: Target, expected: Expected) -> bool:
        """Whether the step could have been drawn now, its numbers aside."""
        candidates = self.candidates(target, expected)
        return (
            len(step.targets) <= (self.at_once(target, expected) if candidates else -1)
            and all(name in candidates for name in step.targets)
            and self.fits(step.targets, target, expected)
        )

    def fits(self, names: tuple[str, ...], target: Target, expected: Expected) -> bool:
        """Whether harm to all of these would reach no more of the fleet now than it may."""
        return not self.harmful or is_within(target, expected, names)

    def obstacle(self, step: Step, target: Target, expected: Expected) -> str:
        """Why it cannot be done after what was done before, and what to do about that; "" if it can."""
        return ""

    # What a step means.

    def resolved(self, step: Step, target: Target, expected: Expected) -> Step:
        """The step with services where it names parts of groups, as far as they are known beforehand.

        Raises:
            ScenarioError: there is no such group, or too few of its members may be harmed.
        """
        return with_members(step, self.shares, target, expected)

    def turns(self, step: Step) -> tuple[Step, ...]:
        """The steps of other actions that it is made of, in their order; none if it is one deed."""
        return ()

    def check(self, step: Step, target: Target) -> None:
        """Refuse a step that makes no sense for this target.

        Raises:
            ScenarioError: with what was found and what is expected.
        """
        if self.most_targets and not step.targets:
            raise ScenarioError(f"`{step}`: names no {self.noun}; expected, for example, `{self.example}`")
        if len(step.targets) > self.most_targets:
            raise ScenarioError(
                f"`{step}`: names {len(step.targets)} targets; {self.name} takes at most {self.most_targets}"
            )
        for name in step.targets:
            self.check_target(name, step, target)
        for name, _ in step.params:
            if name not in {param.name for param in self.params}:
                raise ScenarioError(
                    f"`{step}`: {self.name} takes no {name}; expected, for example, `{self.example}`"
                )
        for param in self.params:
            if param.optional and step.param(param.name) is None:
                continue
            value = step.number(param.name)
            if not param.least <= value <= param.most:
                raise ScenarioError(
                    f"`{step}`: {param.name} is {value:g}; expected {param.least:g} to {param.most:g}"
                )

    def check_target(self, name: str, step: Step, target: Target) -> None:
        """Refuse a target that is not known here.

        Raises:
            ScenarioError: with those that are.
        """
        known = self.known_targets(target)
        if name not in known:
            raise ScenarioError(
                f"`{step}`: there is no {self.noun} {name!r} here; expected one of: "
                f"{', '.join(known) or 'none'}"
            )

    def known_targets(self, target: Target) -> tuple[str, ...]:
        """Every name that a step may give."""
        return target.topology.services

    def begin(self, step: Step, expected: Expected) -> Expected:
        """What is expected from the moment at which the step begins."""
        return expected

    def end(self, step: Step, expected: Expected) -> Expected:
        """What is expected once the step is over."""
        return expected

    def nominal_s(self, step: Step) -> float:
        """How long the step takes in a plan, seconds."""
        return QUICK_S

    def undo(self, step: Step) -> tuple[Undo, ...]:
        """How to lift what the step does."""
        return ()

    def sends(self, step: Step, target: Target) -> Sending | None:
        """The load that the step puts on the fleet, if any."""
        return None

    def simpler(self, step: Step) -> Iterator[Step]:
        """Steps like this one with simpler arguments, the simplest first."""
        for name in step.targets if len(step.targets) > 1 else ():
            yield Step(step.action, (name,), step.params)
        for param in self.params:
            value = step.param(param.name)
            if isinstance(value, int | float) and value > param.low:
                yield step.replacing(**{param.name: param.low})

    def ready(self, step: Step, stage: Stage) -> None:  # noqa: B027 - most actions need nothing
        """Wait until it can be done; the step begins only then.

        Raises:
            StepInvalid: it cannot be done.
        """

    @abstractmethod
    def inject(self, step: Step, stage: Stage) -> None:
        """Do it, and see that it took effect.

        Raises:
            StepInvalid: it did not take effect.
            RuntimeUnavailable: the runtime failed.
        """


def still_harmed(name: str) -> str:
    """What to say of a target that has to be healed first."""
    return f"{name} is still under an earlier fault; expected `heal {name}` before this step"


class Fault(Action):
    """Harm to what the target opted in, at most ``max_faults`` at once; it names its ``effect``."""

    harmful: ClassVar[bool] = True
    effect: ClassVar[Effect]

    def obstacle(self, step: Step, target: Target, expected: Expected) -> str:
        """Nothing is harmed twice at the same time: lifting one fault would lift both."""
        for name in step.targets:
            for other in expected.lasting():
                if set(target.places(name)) & set(target.places(other)):
                    return still_harmed(other)
        return ""

    def begin(self, step: Step, expected: Expected) -> Expected:
        """Its targets are harmed."""
        return expected.harmed(step.targets, self.effect)

    def end(self, step: Step, expected: Expected) -> Expected:
        """A passing harm is over once it was done; from then on recovery counts."""
        return expected.relieved(step.targets, Effect.RETURNING)


class ServiceFault(Fault):
    """Harm to services of the target that are opted in, at most ``max_faults`` at once."""

    def candidates(self, target: Target, expected: Expected) -> tuple[str, ...]:
        """Services that are not under lasting harm, while there is room for one more fault."""
        if len(expected.active()) >= target.safety.max_faults:
            return ()
        harmed = expected.lasting()
        left = (name for name in self.known_targets(target) if name not in harmed)
        return tuple(name for name in left if self.fits((name,), target, expected))

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
