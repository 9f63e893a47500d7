"""What can be done to the processes of a local fleet.

| deed | how |
|---|---|
| kill | SIGKILL by supervisord itself, which therefore knows that it was meant |
| crash | SIGKILL behind supervisord's back, so its policy acts |
| stop, start, restart | supervisord's; SIGKILL follows SIGTERM after 10 s |
| pause, unpause | SIGSTOP, SIGCONT |

All signals go to the service's process group, so to its workers too. Several services get theirs within
microseconds of each other, by one call or one loop. Each deed returns once the sink was told what came
of it, so that a history never lacks what a step has just done.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from fuzzer import procfs
from fuzzer.runtimes.base import ProcessState
from fuzzer.runtimes.local.processes import Processes
from fuzzer.runtimes.local.supervisord import STOP_S, Supervisord
from models.errors import RuntimeUnavailable, StepInvalid

EFFECT_S = 5.0
"""A signal that had no effect within this has none."""


class Deeds:
    """Meets ``CanKill``, ``CanCrash``, ``CanStop``, ``CanStart``, ``CanRestart`` and ``CanPause``.

    Each raises ``StepInvalid`` where there is nothing to do it to or it has no effect, and
    ``RuntimeUnavailable`` when supervisord fails.
    """

    def __init__(self) -> None:
        self._live: tuple[Supervisord, Processes] | None = None

    @property
    def _supervisord(self) -> Supervisord:
        return self._running[0]

    @property
    def _processes(self) -> Processes:
        return self._running[1]

    @property
    def _running(self) -> tuple[Supervisord, Processes]:
        if self._live is None:
            raise RuntimeUnavailable("the local fleet does not run: enter the runtime first")
        return self._live

    def kill(self, services: Sequence[str]) -> None:
        """Kill all of these at the same moment; they stay down until started."""
        self._refuse_down(services, "kill")
        self._supervisord.call("knockon.kill", list(services))
        self._await_down(services, "kill", EFFECT_S)

    def crash(self, services: Sequence[str]) -> None:
        """Kill the processes behind supervisord's back."""
        pids = self._pids(services, "crash")
        for pid in pids.values():
            _signal_group(pid, signal.SIGKILL)
        self._await_told(pids, "crash", EFFECT_S)

    def stop(self, services: Sequence[str]) -> None:
        """SIGTERM, after 10 s SIGKILL. What is frozen goes on, so that it can end in good order."""
        self._refuse_down(services, "stop")
        self._supervisord.call("knockon.stop", list(services))
        self.unpause(services)
        self._await_down(services, "stop", STOP_S + EFFECT_S)

    def start(self, services: Sequence[str]) -> None:
        """Start whatever of these does not run, in the given order, without waiting for health.

        What its policy is about to start is started now.
        """
        problems = self._supervisord.call("knockon.start", list(services))
        if problems:
            raise RuntimeUnavailable(f"supervisord cannot start {'; '.join(problems)}")
        self._processes.catch_up()

    def restart(self, services: Sequence[str]) -> None:
        """Stop what runs of these; start each as soon as it has ended, and what was down at once."""
        old = {name: pid for name in services if (pid := self._pid(name))}
        self._supervisord.call("knockon.restart", list(services))
        self.unpause(list(old))
        self._await_told(old, "restart", STOP_S + EFFECT_S)
        self._await(
            lambda: all(self._processes.pid(name) for name in services), services, "restart", EFFECT_S
        )

    def pause(self, services: Sequence[str]) -> None:
        """Freeze."""
        pids = self._pids(services, "pause")
        for name, pid in pids.items():
            if procfs.frozen(pid):
                raise StepInvalid(f"pause {name}: it is frozen already")
        for pid in pids.values():
            _signal_group(pid, signal.SIGSTOP)
        for name, pid in pids.items():
            self._await_frozen(name, pid)
            self._processes.mark_frozen(name, True)

    def unpause(self, services: Sequence[str]) -> None:
        """Let go on whatever of these is frozen."""
        for name in services:
            if (pid := self._processes.pid(name)) and procfs.frozen(pid):
                _signal_group(pid, signal.SIGCONT)
            self._processes.mark_frozen(name, False)

    # How it is done.

    def _pid(self, service: str) -> int:
        """The pid of the process that runs now, 0 if none does."""
        self._processes.status(service)  # reads what was recorded until now
        return self._processes.pid(service)

    def _pids(self, services: Sequence[str], deed: str) -> dict[str, int]:
        pids = {name: self._pid(name) for name in services}
        for name, pid in pids.items():
            if not pid:
                raise StepInvalid(f"{deed} {name}: {self._why_down(name)}")
        return pids

    def _refuse_down(self, services: Sequence[str], deed: str) -> None:
        for name in services:
            if self._processes.status(name).state is ProcessState.DOWN:
                raise StepInvalid(f"{deed} {name}: {self._why_down(name)}")

    def _why_down(self, service: str) -> str:
        return f"it is down already ({self._processes.absence(service)})"

    def _await(self, seen: Callable[[], bool], services: Sequence[str], deed: str, limit_s: float) -> None:
        if not self._processes.wait_until(seen, limit_s):
            raise StepInvalid(f"{deed} {' '.join(services)}: no effect on all of them within {limit_s:.0f} s")

    def _await_down(self, services: Sequence[str], deed: str, limit_s: float) -> None:
        def down() -> bool:
            return all(self._processes.is_down(name) for name in services)

        self._await(down, services, deed, limit_s)

    def _await_told(self, pids: dict[str, int], deed: str, limit_s: float) -> None:
        def told() -> bool:
            return all(self._processes.was_told(name, pid) for name, pid in pids.items())

        self._await(told, list(pids), deed, limit_s)

    def _await_frozen(self, service: str, pid: int) -> None:
        deadline_s = time.monotonic() + EFFECT_S
        while not procfs.frozen(pid):
            if time.monotonic() > deadline_s or self._processes.pid(service) != pid:
                raise StepInvalid(f"pause {service}: its process {pid} did not freeze")
            time.sleep(0.0005)


def _signal_group(pid: int, sig: signal.Signals) -> None:
    with suppress(ProcessLookupError):  # it died by itself a moment ago, which its exit will tell
        os.killpg(pid, sig)
