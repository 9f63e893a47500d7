"""Brings a fleet back to its steady state between scenarios, outside of any history.

Gently first: let go on what is frozen, start what is down. If that does not help, stop everything,
callers before what they call, and start it again, dependencies first, each layer healthy before the
next. A rolling restart would not do: in a fragile fleet it is itself the cause of a cascade.

Whoever was removed by somebody else is nobody's to bring back, and is not waited for here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress

from fuzzer.recorder import Recorder
from fuzzer.runtimes.able import CanRestart, CanStop
from fuzzer.runtimes.base import ProcessState, Runtime, Undo
from models.errors import StepInvalid
from models.link import is_link
from models.target import Target

GENTLE_S = 10.0
"""How long a fleet that was started again may take to become steady."""

LIFTED_S, LOOKED_S = 3.0, 0.25
"""How long a run that ends waits for what it started; how long all has to run before it is believed."""

STARTED_S = 5.0
"""How long a heal waits until what it started is seen to run."""

RENEWALS_MOST = 3
PASSES_MOST = 3
LAYER_S = 20.0
"""How long one layer of services may take to become healthy before the next is started anyway."""


def until_running(runtime: Runtime, service: str) -> None:
    """A start counts as done once the runtime has seen it, so that no law sees it half done."""
    if is_link(service):
        return
    deadline_s = runtime.clock.now() + STARTED_S
    while runtime.status(service).state is not ProcessState.RUNNING:
        if runtime.clock.now() > deadline_s:
            return  # it does not run: that is for the laws to judge
        runtime.clock.sleep(0.005)


class Restorer:
    """Knows how to make a fleet steady; touches only services that are opted in."""

    def __init__(self, runtime: Runtime, recorder: Recorder, target: Target) -> None:
        self._runtime = runtime
        self._recorder = recorder
        self._target = target
        self._clock = runtime.clock

    def calm(self, services: Iterable[str]) -> None:
        """Restart services that a scenario crashed repeatedly.

        An engine waits twice as long before each restart, until the process has run for a while; the
        next scenario must not inherit that. An operator's restart begins anew.
        """
        tired = self._of(tuple(services), ProcessState.RUNNING)
        if tired and isinstance(self._runtime, CanRestart):
            with suppress(StepInvalid):
                self._runtime.restart(tired)

    def wait_until_steady(self, limit_s: float | None = None) -> str:
        """Wait until every service is steady; returns "" or what is not, after ``limit_s``.

        The default limit is the recovery limit and a little more: a fleet that was left alone is
        given as long as one that was harmed.
        """
        limit_s = self._target.limits.recovery_s_max + 5 if limit_s is None else limit_s
        return self._until_steady(limit_s, lambda name: True)

    def _until_steady(self, limit_s: float, counts: Callable[[str], bool]) -> str:
        deadline_s = self._clock.now() + limit_s
        while True:
            unsteady = {n: why for n, why in self._recorder.unsteady(self._clock.now()).items() if counts(n)}
            if not unsteady:
                return ""
            if self._clock.now() > deadline_s:
                return "; ".join(f"{name} is {reason}" for name, reason in unsteady.items())
            self._clock.sleep(0.02)

    def _is_there(self, service: str) -> bool:
        return not self._runtime.status(service).gone

    def restore(self) -> str:
        """Make the fleet steady; returns "" or what is still not."""
        self._revive()
        return self.renew() if self._until_steady(GENTLE_S, self._is_there) else ""

    def lift(self) -> str:
        """Let go on what is frozen and start what is down, at once; "" or what still is not as it should be.

        For a run that ends now: nobody is waited for beyond ``LIFTED_S``, and nothing is stopped. A fault
        that was under way when the run ended may take effect only after its undo, so it is looked twice.
        """
        services = self._target.topology.services
        deadline_s, well_since_s = self._clock.now() + LIFTED_S, None
        while True:
            frozen, down = self._of(services, ProcessState.PAUSED), self._of(services, ProcessState.DOWN)
            now_s = self._clock.now()
            if not frozen and not down:
                well_since_s = now_s if well_since_s is None else well_since_s
                if now_s - well_since_s >= LOOKED_S:
                    return ""
            elif now_s > deadline_s:
                return "; ".join([*(f"{n} is frozen" for n in frozen), *(f"{n} is down" for n in down)])
            else:
                well_since_s = None
                self._let_go(frozen, down)
            self._clock.sleep(0.02)

    def _let_go(self, frozen: tuple[str, ...], down: tuple[str, ...]) -> None:
        if frozen:
            self._runtime.undo(Undo("unpause", frozen))
        for layer in self._target.topology.start_layers():
            if mine := tuple(name for name in layer if name in down):
                self._runtime.undo(Undo("start", mine))

    def renew(self) -> str:
        """Stop and start every service, so that nothing is left of what was; "" or what is not steady."""
        unsteady = ""
        for _ in range(RENEWALS_MOST):
            self._stop_all()
            self._revive()
            unsteady = self._until_steady(GENTLE_S, self._is_there)
            if not unsteady:
                return ""
        return unsteady

    def _stop_all(self) -> None:
        if not isinstance(self._runtime, CanStop):
            return
        self._unfreeze()
        for layer in reversed(self._target.topology.start_layers()):
            running = self._of(layer, ProcessState.RUNNING, ProcessState.RETURNING)
            if running:
                self._stop(running)

    def _stop(self, services: tuple[str, ...]) -> None:
        """Stop several at once; one by one if one of them died meanwhile, and needs no stop."""
        assert isinstance(self._runtime, CanStop)
        try:
            self._runtime.stop(services)
        except StepInvalid:
            for service in services:
                with suppress(StepInvalid):
                    self._runtime.stop((service,))

    def _unfreeze(self) -> None:
        frozen = self._of(self._target.topology.services, ProcessState.PAUSED)
        if frozen:
            self._runtime.undo(Undo("unpause", frozen))

    def _revive(self) -> None:
        """Unfreeze and start, dependencies first; again for what died while others were still down."""
        self._unfreeze()
        for _ in range(PASSES_MOST):
            for layer in self._target.topology.start_layers():
                down = self._of(layer, ProcessState.DOWN)
                if down:
                    self._runtime.undo(Undo("start", down))
                    self._until_healthy(down)
            if not self._of(self._target.topology.services, ProcessState.DOWN):
                return

    def _until_healthy(self, services: tuple[str, ...]) -> None:
        began_s = self._clock.now()
        while self._clock.now() < began_s + LAYER_S:
            if all(self._recorder.healthy_since(name, began_s) for name in services):
                return
            self._clock.sleep(0.02)

    def _of(self, services: tuple[str, ...], *states: ProcessState) -> tuple[str, ...]:
        """Those of these services that faults may touch and that are in one of these states."""
        mine = [self._runtime.status(name) for name in services if name in self._target.faultable]
        return tuple(one.service for one in mine if one.state in states and not one.gone)
