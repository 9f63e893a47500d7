"""One simulated service: its process, and what becomes of it. What it makes of others is in ``views``."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from random import Random
from typing import Protocol

from fuzzer.runtimes.base import ProcessState
from fuzzer.runtimes.sim.kernel import Kernel, Process, Signal
from fuzzer.runtimes.sim.restarts import Restarts
from fuzzer.runtimes.sim.views import USUAL_CALL, Other, Views
from models.behaviour import Away, Behaviour, Response
from models.observation import Change, ProcessChange
from models.target import RestartPolicy

FAILS_AFTER_S = 0.05
"""When a process that cannot start ends."""

FAILED = 1
"""The exit code of a process that gives up."""


class Fleet(Protocol):
    """What a service knows of its surroundings."""

    kernel: Kernel
    services: Mapping[str, SimService]

    def tell(self, change: ProcessChange) -> None:
        """A process started, exited, was paused or resumed."""
        ...

    def changed(self, service: SimService) -> None:
        """Others may notice something."""
        ...

    def seen_by(self, caller: str, name: str) -> Other:
        """A service as somebody else sees it."""
        ...


class SimService:
    """A service, its processes in step.

    Attributes:
        replicas: how many of it there are; they live and die together.
        ready: how many of those take work.
        life: changes whenever its process ends or another is started.
        listening: whether somebody would answer the phone.
        away: how it is away, None if it is well.
        away_since_s: since when it is as it is.
        delay_s: how much later than usual it answers.
        views: how it believes the others to be.
        busy: requests that it works on.
        line: requests that wait for a worker.
        replies: requests under way, which a death resets, each with who sent it, "" for a client.
        store: what was written to it, and when that survives an unclean death.
        changed: fired when whoever watches it may see something new.
        revived: fired when what waits for it may go on.
    """

    def __init__(
        self, name: str, behaviour: Behaviour, policy: RestartPolicy, fleet: Fleet, random: Random
    ) -> None:
        self.name = name
        self.behaviour = behaviour
        self.replicas = self.ready = behaviour.replicas
        self.restarts = Restarts(policy)
        self.random = random
        self.life = 0
        self.state = ProcessState.DOWN
        self.listening = False
        self.away: Away | None = Away.GONE
        self.away_since_s = 0.0
        self.delay_s = 0.0
        self.store: dict[str, float] = {}
        self._fleet = fleet
        self._kernel = fleet.kernel
        self._unclean = False
        self._exit_code = 0
        self._ended: tuple[str, ...] = ()
        self._started_s = 0.0
        self.changed = Signal(self._kernel)
        self.revived = Signal(self._kernel)
        self._begin_life()

    def _begin_life(self) -> None:
        self.views = Views(self.behaviour, self._kernel, self._act, self._see)
        self.busy = 0
        self.ready = self.replicas
        self.line: deque[Signal] = deque()
        self.replies: dict[Signal, str] = {}

    @property
    def instances(self) -> tuple[str, ...]:
        """The names of its processes."""
        if self.state not in (ProcessState.RUNNING, ProcessState.PAUSED):
            return ()
        return tuple(f"{self.name}-{number + 1}-{self.life}" for number in range(self.replicas))

    @property
    def is_full(self) -> bool:
        """Whether every worker of every replica is busy."""
        return self.busy >= self.behaviour.workers * self.ready

    @property
    def was_started(self) -> bool:
        """Whether there was ever a process."""
        return self.life > 0

    # Its life.

    def start(self) -> None:
        """A new process; it listens a moment later."""
        self.life += 1
        self.state = ProcessState.RUNNING
        self._started_s = self._kernel.now_s
        self._begin_life()
        self._tell(Change.STARTED)
        self._kernel.spawn(self._boot(self.life))
        self._look_around()

    def _boot(self, life: int) -> Process:
        behaviour = self.behaviour
        unclean, self._unclean = self._unclean, False
        start_s = behaviour.start_s * self.random.uniform(0.9, 1.1)
        if unclean and behaviour.unclean_start_s is not None:
            start_s = behaviour.unclean_start_s
        fails_s = min(FAILS_AFTER_S, start_s)
        yield fails_s
        while self.life == life and self.state is ProcessState.PAUSED:
            yield self.revived
        if self.life != life:
            return
        if unclean and behaviour.unclean_exit is not None:
            self.end(behaviour.unclean_exit, by_hand=False, unclean=False)
            return
        if any(map(self._misses, behaviour.needs_at_start)):
            self.end(FAILED, by_hand=False)
            return
        yield start_s - fails_s
        while self.life == life and self.state is ProcessState.PAUSED:
            yield self.revived
        if self.life == life:
            self.listening = True
            self._update()

    def _misses(self, name: str) -> bool:
        """Whether somebody does not answer its first call."""
        other, seen = self._fleet.services[name], self._see(name)
        if seen is other:
            return other.away is not None
        return seen.seen_in(self.behaviour.calls.get(name, USUAL_CALL).timeout_s) is not None

    def end(self, code: int, *, by_hand: bool, unclean: bool = True, returns: bool = False) -> None:
        """Its process ends; its policy acts unless that was done by hand.

        ``returns`` tells that whoever did it by hand starts it again. What waits for its policy is called
        off; what is down already stays so.
        """
        if self.state is ProcessState.DOWN:
            return
        if self.state is ProcessState.RETURNING:
            self.life += 1
            self.state = ProcessState.DOWN
            self._tell_exit(returns=returns)
            return
        ran_s = self._kernel.now_s - self._started_s
        pause_s = None if by_hand else self.restarts.after_s(code, ran_s)
        self._ended, self._exit_code, self._unclean = self.instances, code, unclean
        self.life += 1
        self.state = ProcessState.DOWN if pause_s is None else ProcessState.RETURNING
        self.listening = False
        self._keep_what_is_committed(unclean)
        self._tell_exit(returns=returns or pause_s is not None)
        self.views.close()
        self.views.active.clear()
        for reply in self.replies:
            reply.fire("reset")
        self._wake()
        self._update()
        if pause_s is not None:
            self._kernel.at(self._kernel.now_s + pause_s, self._return, self.life)

    def _keep_what_is_committed(self, unclean: bool) -> None:
        """An orderly end writes down what was only acknowledged; any other loses it."""
        now_s = self._kernel.now_s
        self.store = {
            key: min(at_s, now_s) for key, at_s in self.store.items() if at_s <= now_s or not unclean
        }

    def _return(self, life: int) -> None:
        if self.life == life:
            self.start()

    def pause(self) -> None:
        """Freeze it."""
        self.state = ProcessState.PAUSED
        self._tell(Change.PAUSED)
        self.views.close()
        self._update()

    def unpause(self) -> None:
        """Let it go on; it looks around at once."""
        self.state = ProcessState.RUNNING
        self._tell(Change.RESUMED)
        self.views.open()
        self._wake()
        self._look_around()
        self._update()

    def resize(self, replicas: int) -> None:
        """Another number of replicas from now on; what those that go work on, they finish."""
        before, self.replicas, self.ready = self.instances, replicas, min(self.ready, replicas)
        now = self.instances
        more, less = [n for n in now if n not in before], [n for n in before if n not in now]
        for change, instances in ((Change.ADDED, more), (Change.REMOVED, less)):
            for instance in instances:
                self._fleet.tell(ProcessChange(self.name, self._kernel.now_s, change, instance))

    def get_ready(self, replicas: int) -> None:
        """So many take work from now on, if there are as many."""
        self.ready = min(replicas, self.replicas)
        while self.line and not self.is_full:
            self.busy += 1
            self.line.popleft().fire()

    def _wake(self) -> None:
        revived, self.revived = self.revived, Signal(self._kernel)
        revived.fire()

    def _tell(self, change: Change) -> None:
        self.touch()
        for instance in self.instances:
            self._fleet.tell(ProcessChange(self.name, self._kernel.now_s, change, instance))

    def _tell_exit(self, *, returns: bool) -> None:
        self.touch()
        now_s = self._kernel.now_s
        for instance in self._ended:
            self._fleet.tell(
                ProcessChange(self.name, now_s, Change.EXITED, instance, self._exit_code, returns)
            )

    # How it is.

    def _update(self) -> None:
        """See how it is now, and let others notice."""
        active = self.views.active.values()
        delay_s = max((one.delay_ms / 1000 for one in active if one.then is Response.SLOWS), default=0.0)
        if not self.listening:
            away: Away | None = Away.GONE
        elif self.state is ProcessState.PAUSED or self.views.does(Response.HANGS):
            away = Away.HUNG
        elif self.views.stale or self.views.bereft or self.views.does(Response.ERRORS):
            away = Away.SICK
        else:
            away = None
        if (away, delay_s) != (self.away, self.delay_s):
            self.away, self.delay_s = away, delay_s
            self.away_since_s = self._kernel.now_s
            self.touch()
            self._fleet.changed(self)

    def touch(self) -> None:
        """Let whoever watches it look again."""
        changed, self.changed = self.changed, Signal(self._kernel)
        changed.fire()

    def seen_in(self, timeout_s: float) -> Away | None:
        """How it looks to somebody who waits this long for an answer."""
        if self.away is None and self.delay_s >= timeout_s:
            return Away.HUNG
        return self.away

    def other_changed(self, other: SimService) -> None:
        """It will notice."""
        if self.state is ProcessState.RUNNING:
            self.views.notice(other)

    def _see(self, name: str) -> Other:
        return self._fleet.seen_by(self.name, name)

    def _look_around(self) -> None:
        for name in self.behaviour.minds:
            self.views.notice(self._fleet.services[name])

    def _act(self) -> None:
        """Do what its views make it do."""
        if self.views.does(Response.EXITS):
            self.end(FAILED, by_hand=False)
        else:
            self._wake()
            self._update()
