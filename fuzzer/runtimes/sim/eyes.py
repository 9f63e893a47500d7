"""How a simulated service is watched: by its health answer, its container's check, or its process.

A real prober asks ten times a second because it cannot know when something happens. Here it is woken by
whatever changes, and asks every quarter of a second in between, so that a history has the same shape.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from fuzzer.runtimes.base import ProcessState, Sink
from fuzzer.runtimes.sim.kernel import Kernel, Process, Signal
from fuzzer.runtimes.sim.service import SimService
from models.behaviour import Away
from models.observation import Health
from models.target import HealthCheck, ProbeKind

EVERY_S = 0.25

AT_ONCE_S = 0.001
"""What a refused connection takes, or a look at a process."""


def ask(
    service: SimService, kernel: Kernel, timeout_s: float
) -> Generator[float | Signal, Any, tuple[bool, str]]:
    """Ask a service for its health: whether it is well, and a word about it. A hang is waited out."""
    until_s = kernel.now_s + timeout_s
    while service.away is Away.HUNG and kernel.now_s < until_s:
        yield kernel.within(until_s - kernel.now_s, service.changed)
    if service.away is Away.HUNG:
        return False, f"timeout after {timeout_s:g} s"
    if service.away is Away.GONE:
        yield AT_ONCE_S
        return False, "not running" if service.state is not ProcessState.RUNNING else "refused"
    life = service.life
    answer_s = service.behaviour.health_ms / 1000 + service.delay_s
    yield min(answer_s, until_s - kernel.now_s)
    if service.life != life:
        return False, "reset"
    if kernel.now_s >= until_s:
        return False, f"timeout after {timeout_s:g} s"
    return (False, "HTTP 503") if service.away is Away.SICK else (True, "HTTP 200")


class ContainerCheck:
    """The container's own health check, as Docker runs it.

    The first look comes an interval after the start, and so many failures in a row count; those of the
    start period do not. While the container is frozen nobody looks.

    Attributes:
        passes: what it says.
    """

    def __init__(self, check: HealthCheck, service: SimService, kernel: Kernel) -> None:
        self.passes = False
        self._check = check
        self._service = service
        self._kernel = kernel
        kernel.spawn(self._run())

    def _run(self) -> Process:
        life = -1
        while True:
            if self._service.instances and self._service.life != life:
                life = self._service.life
                self._say(False)
                self._kernel.spawn(self._look_after(life))
            yield self._service.changed

    def _look_after(self, life: int) -> Process:
        """One container, from its start to its end."""
        check, service = self._check, self._service
        started_s, failed = self._kernel.now_s, 0
        while True:
            yield check.interval_s
            if service.life != life:
                return
            if service.state is ProcessState.PAUSED:
                continue
            well, _ = yield from ask(service, self._kernel, check.timeout_s)
            if service.life != life:
                return
            if well:
                failed = 0
                self._say(True)
            elif self._kernel.now_s - started_s > check.start_period_s:
                failed += 1
                if failed >= check.retries:
                    self._say(False)

    def _say(self, passes: bool) -> None:
        if passes is not self.passes:
            self.passes = passes
            self._service.touch()


class Eyes:
    """Watches one service, and tells a sink.

    Args:
        probe: how its health is told.
        check: the container's own check, which an engine's probe asks.
        timeout_s: how long a probe waits for an answer.
    """

    def __init__(
        self,
        probe: ProbeKind,
        check: ContainerCheck | None,
        service: SimService,
        kernel: Kernel,
        sink: Sink,
        timeout_s: float,
    ) -> None:
        self._probe = probe
        self._check = check
        self._service = service
        self._kernel = kernel
        self._sink = sink
        self._timeout_s = timeout_s

    def watch(self, after_s: float) -> Process:
        """Begin a moment from now, so that not all services are asked at the same moment."""
        yield after_s
        while True:
            at_s, changed = self._kernel.now_s, self._service.changed
            if self._probe is ProbeKind.HTTP:
                healthy, detail = yield from ask(self._service, self._kernel, self._timeout_s)
            else:
                yield AT_ONCE_S
                healthy, detail = self._look()
            self._sink.saw_health(Health(self._service.name, at_s, self._kernel.now_s, healthy, detail))
            if not changed.fired:
                yield self._kernel.within(EVERY_S, changed)

    def _look(self) -> tuple[bool, str]:
        """What can be told without asking the service itself."""
        state = self._service.state
        if state is not ProcessState.RUNNING:
            return False, "frozen" if state is ProcessState.PAUSED else "not running"
        if self._check:
            return self._check.passes, "" if self._check.passes else "its health check does not pass"
        return True, "runs"
