"""Brings a fleet back to its steady state between scenarios, outside of any history.

Gently first: let go on what is frozen, start what is down. If that does not help, restart what is
unhealthy; if that does not help either, restart everything. Services start in the order of their
dependencies, each layer healthy before the next.
"""

from __future__ import annotations

from fuzzer.recorder import Recorder
from fuzzer.runtimes.base import CanRestart, ProcessState, Runtime, Undo
from models.target import Target

LAYER_S = 20.0
"""How long one layer of services may take to become healthy before the next is started anyway."""


class Restorer:
    """Knows how to make a fleet steady; touches only services that are opted in."""

    def __init__(self, runtime: Runtime, recorder: Recorder, target: Target) -> None:
        self._runtime = runtime
        self._recorder = recorder
        self._target = target
        self._clock = runtime.clock

    def wait_until_steady(self, limit_s: float | None = None) -> str:
        """Wait until every service is steady; returns "" or what is not, after ``limit_s``.

        The default limit is the recovery limit and a little more: a fleet that was left alone is
        given as long as one that was harmed.
        """
        deadline_s = self._clock.now() + (
            self._target.limits.recovery_s_max + 5 if limit_s is None else limit_s
        )
        while unsteady := self._recorder.unsteady(self._clock.now()):
            if self._clock.now() > deadline_s:
                return "; ".join(f"{name} is {reason}" for name, reason in unsteady.items())
            self._clock.sleep(0.02)
        return ""

    def restore(self) -> str:
        """Make the fleet steady; returns "" or what is still not."""
        self._revive()
        if not self.wait_until_steady(5.0):
            return ""
        self._restart(set(self._recorder.unsteady(self._clock.now())))
        if not self.wait_until_steady(10.0):
            return ""
        return self.renew()

    def renew(self) -> str:
        """Restart every service, so that nothing is left of what was; returns "" or what is not steady."""
        self._revive()
        self._restart(set(self._target.topology.services))
        return self.wait_until_steady()

    def _revive(self) -> None:
        """Unfreeze and start, dependencies first."""
        frozen = [name for name in self._mine() if self._state(name) is ProcessState.PAUSED]
        if frozen:
            self._runtime.undo(Undo("unpause", tuple(frozen)))
        for layer in self._target.topology.start_layers():
            down = tuple(n for n in layer if n in self._mine() and self._state(n) is ProcessState.DOWN)
            if down:
                self._runtime.undo(Undo("start", down))
                self._until_healthy(down)

    def _restart(self, services: set[str]) -> None:
        if not isinstance(self._runtime, CanRestart):
            return
        for layer in self._target.topology.start_layers():
            mine = tuple(name for name in layer if name in services and name in self._mine())
            running = tuple(name for name in mine if self._state(name) is ProcessState.RUNNING)
            if running:
                self._runtime.restart(running)
            down = tuple(name for name in mine if name not in running)
            if down:
                self._runtime.undo(Undo("start", down))
            if mine:
                self._until_healthy(mine)

    def _until_healthy(self, services: tuple[str, ...]) -> None:
        began_s = self._clock.now()
        while self._clock.now() < began_s + LAYER_S:
            if not set(self._recorder.unsteady(self._clock.now(), began_s)) & set(services):
                return
            self._clock.sleep(0.02)

    def _state(self, service: str) -> ProcessState:
        return self._runtime.status(service).state

    def _mine(self) -> tuple[str, ...]:
        return self._target.faultable
