"""One container's life, folded from its events. Pure: no engine, no clock.

Whether a dead process comes back is decided by three things, and the fold knows them all: its
restart policy, how often that has already acted, and whether somebody told the engine to signal or
stop it. The last one is easily missed: **any** signal sent through the engine, however harmless,
makes it forget the policy until the next start, so a container that somebody reloaded with
``docker kill -s HUP`` stays down at its next crash. We call that poisoned.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from fuzzer.runtimes.base import ProcessState
from fuzzer.runtimes.docker.containers import Container, Look
from models.observation import Change, ProcessChange


@dataclass(frozen=True, slots=True)
class Event:
    """What the engine reports; ``engine_s`` is its wall clock, ``at_s`` the same on our clock."""

    container: str
    name: str
    service: str
    action: str
    engine_s: float
    at_s: float
    exit_code: int = 0
    one_off: bool = False

    def not_before(self, at_s: float) -> Event:
        """The same, moved to ``at_s`` if it seems to be older: no consequence precedes its cause."""
        return replace(self, at_s=max(self.at_s, at_s))


BY_HAND = {
    "kill": "signalled",
    "stop": "stopped",
    "restart": "restarted",
    "pause": "paused",
    "unpause": "unpaused",
    "start": "started",
    "update": "reconfigured",
    "rename": "renamed",
}
"""Events that only a request causes, except a ``start`` that a policy does."""


class Life:
    """What is known of a container since it was adopted.

    Args:
        container: whose life it is.
        seen: a look at it.
        known_s: the engine's wall clock just before that look; older events are no news.
    """

    def __init__(self, container: Container, seen: Look, known_s: float) -> None:
        self.container = container
        self.state = seen.state
        self.policy = seen.policy
        self.restarts = seen.restarts
        self.exit_code = seen.exit_code
        self.started_s = seen.started_s
        self.finished_s = seen.finished_s
        self.poisoned = False
        self._known_s = known_s

    @property
    def not_running(self) -> str:
        """Why there is no process to ask, or nothing if there is one."""
        if self.state in (ProcessState.RUNNING, ProcessState.PAUSED):
            return ""
        back = ", is being started again" if self.state is ProcessState.RETURNING else ""
        return f"exited with {self.exit_code}{back}" if self.started_s else "was never started"

    def heard(self, event: Event, ours: str | None) -> tuple[ProcessChange | None, str]:
        """What an event changed, and what it says that somebody else did (empty: nobody).

        ``ours`` is our own request behind it, if one is. Events that tell what is known already
        change nothing.
        """
        if event.engine_s < self._known_s:
            # From before we came. A signal still matters if it was sent to the process of today.
            self.poisoned |= event.action == "kill" and event.engine_s > self.started_s
            return None, ""
        policy_started = event.action == "start" and self.state is not ProcessState.DOWN
        somebody = event.action in BY_HAND and not ours and not policy_started
        change = self._changed(event, ours)
        what = f"{self.container.name} was {BY_HAND[event.action]} by somebody else" if somebody else ""
        return change, what

    def _changed(self, event: Event, ours: str | None) -> ProcessChange | None:
        alive = self.state in (ProcessState.RUNNING, ProcessState.PAUSED)
        match event.action:
            case "kill":
                self.poisoned = True
            case "stop":
                self.poisoned = True
                # During the wait between two attempts there is no process, and so no other event.
                return None if ours == "restart" else self.given_up(event.at_s)
            case "die" if alive:
                self.finished_s = event.engine_s
                return self._exited(event.at_s, event.exit_code, ours == "restart")
            case "start" if not alive:
                return self._started(event.at_s, event.engine_s)
            case "pause" if self.state is ProcessState.RUNNING:
                self.state = ProcessState.PAUSED
                return self._change(Change.PAUSED, event.at_s)
            case "unpause" if self.state is ProcessState.PAUSED:
                self.state = ProcessState.RUNNING
                return self._change(Change.RESUMED, event.at_s)
        return None

    def clock_was_set(self, step_s: float) -> None:
        """The engine's clock was: by that one it was known some seconds earlier or later."""
        self._known_s += step_s

    def given_up(self, at_s: float) -> ProcessChange | None:
        """Its policy was about to start it, and was told not to.

        The exit is reported once more, now without a return: whoever waited for one is told.
        """
        if self.state is not ProcessState.RETURNING:
            return None
        self.state, self.poisoned = ProcessState.DOWN, True
        return self._change(Change.EXITED, at_s, self.exit_code, returns=False)

    def returns(self, exit_code: int) -> bool:
        """Whether the policy starts it again if it ends now."""
        limit = self.policy.max_retries
        exhausted = limit is not None and self.restarts >= limit
        return not self.poisoned and not exhausted and self.policy.revives(exit_code)

    def reconciled(
        self, seen: Look, known_s: float, on_our_clock: Callable[[float], float]
    ) -> list[ProcessChange]:
        """What must have happened while nobody listened, from a look at what is there now.

        Args:
            seen: the look.
            known_s: the engine's wall clock just before it.
            on_our_clock: places the engine's moments.
        """
        started_s, finished_s = on_our_clock(seen.started_s), on_our_clock(seen.finished_s)
        now_s, self._known_s = on_our_clock(known_s), known_s
        changes = []
        known, self.policy = self.state, seen.policy
        alive = known in (ProcessState.RUNNING, ProcessState.PAUSED)
        if seen.started_s > self.started_s:  # another process than the one that we knew
            if alive:
                changes.append(self._change(Change.EXITED, finished_s, returns=True))
            changes.append(self._change(Change.STARTED, started_s))
            known, alive, self.poisoned = ProcessState.RUNNING, True, False
        if alive and seen.state in (ProcessState.RETURNING, ProcessState.DOWN):
            back = seen.state is ProcessState.RETURNING
            changes.append(self._change(Change.EXITED, finished_s, seen.exit_code, returns=back))
        elif known is ProcessState.RUNNING and seen.state is ProcessState.PAUSED:
            changes.append(self._change(Change.PAUSED, now_s))
        elif known is ProcessState.PAUSED and seen.state is ProcessState.RUNNING:
            changes.append(self._change(Change.RESUMED, now_s))
        elif known is ProcessState.RETURNING and seen.state is ProcessState.DOWN:
            changes.append(self._change(Change.EXITED, now_s, seen.exit_code, returns=False))
        self.state, self.restarts = seen.state, seen.restarts
        self.exit_code, self.finished_s = seen.exit_code, seen.finished_s
        self.started_s = max(self.started_s, seen.started_s)
        return changes

    def _exited(self, at_s: float, exit_code: int, restarting: bool) -> ProcessChange:
        returns = restarting or self.returns(exit_code)
        self.state = ProcessState.RETURNING if returns else ProcessState.DOWN
        self.exit_code = exit_code
        return self._change(Change.EXITED, at_s, exit_code, returns=returns)

    def _started(self, at_s: float, engine_s: float) -> ProcessChange:
        by_policy = self.state is ProcessState.RETURNING and not self.poisoned
        self.restarts = self.restarts + 1 if by_policy else 0
        self.poisoned = False
        self.state, self.started_s = ProcessState.RUNNING, engine_s
        return self._change(Change.STARTED, at_s)

    def _change(
        self, change: Change, at_s: float, exit_code: int | None = None, *, returns: bool | None = None
    ) -> ProcessChange:
        container = self.container
        return ProcessChange(container.service, at_s, change, container.id[:12], exit_code, returns)
