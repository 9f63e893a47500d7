"""All lives of the project, and whom they are reported to.

Two threads meet here: the one that reads the engine's events, and the one that does harm. What the
first heard is folded into lives and told to the sink, in order; the second asks for the lives of a
service, and waits until the consequence of its own request was told, so that a history never misses
what a step has just done.

A container may stand *aside*: a replica that we took away, or are about to add. It is no part of its
service then, and what we do to it is neither a death nor a restart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from threading import Condition
from typing import Protocol

from fuzzer.runtimes.base import ProcessState, Sink
from fuzzer.runtimes.docker.containers import Container, Look
from fuzzer.runtimes.docker.intents import Intents
from fuzzer.runtimes.docker.lives import Event, Life
from models.errors import Interference
from models.observation import Change, ProcessChange
from models.some import replica_of, service_of

PATIENCE_S = 2.0
"""How long a consequence may take from the engine to us; it takes 1 ms on a local one."""


_EVENTS = {
    Change.EXITED: "die",
    Change.STARTED: "start",
    Change.PAUSED: "pause",
    Change.RESUMED: "unpause",
}


class Looker(Protocol):
    """Looks at one container."""

    def __call__(self, container: str) -> tuple[Container, Look] | None:
        """None when it is gone."""
        ...


class Fleet:
    """The containers that were adopted.

    Args:
        services: those of the target; containers of others are left alone.
        intents: our own requests.
        inspect: looks at one container; None when it is gone.
        engine_now_s: the engine's wall clock.
    """

    def __init__(
        self,
        services: Iterable[str],
        intents: Intents,
        inspect: Looker,
        engine_now_s: Callable[[], float],
    ) -> None:
        self._services = frozenset(services)
        self._intents = intents
        self._inspect = inspect
        self.engine_now_s = engine_now_s
        self._lives: dict[str, Life] = {}
        self._aside: set[str] = set()
        self._told: dict[tuple[str, str], float] = {}
        self._changed = Condition()
        self._sink: Sink | None = None
        self._woken: Callable[[str], None] = lambda service: None

    def adopt(self, found: Iterable[tuple[Container, Look]], known_s: float) -> None:
        """Take in containers of the target's services, as they are found when a run begins."""
        self._lives.clear()
        for container, seen in found:
            if container.service in self._services:
                self._lives[container.id] = Life(container, seen, known_s)

    def report_to(self, sink: Sink, woken: Callable[[str], None]) -> None:
        """From now on tell ``sink`` what happens, and ``woken`` which service it happened to."""
        self._sink, self._woken = sink, woken

    def of(self, service: str) -> tuple[Life, ...]:
        """The lives of a service's containers, in the order of their numbers; of a replica its own."""
        name, number = service_of(service), replica_of(service)
        with self._changed:
            mine = [
                life
                for life in self._lives.values()
                if life.container.service == name
                and number in (None, life.container.number)
                and life.container.id not in self._aside
            ]
        return tuple(sorted(mine, key=lambda life: life.container.number))

    def every(self, service: str) -> tuple[Container, ...]:
        """The containers of a service, those that stand aside included, in the order of their numbers."""
        mine = (life.container for life in self.lives if life.container.service == service)
        return tuple(sorted(mine, key=lambda container: container.number))

    def containers(self, services: Sequence[str]) -> tuple[Container, ...]:
        """The containers of some services, in their order.

        Raises:
            Interference: one of these services has none any more.
        """
        both = [(service, self.of(service)) for service in services]
        for service, lives in both:
            if not lives:
                raise Interference(f"{service} has no container any more: somebody removed it")
        return tuple(life.container for _, lives in both for life in lives)

    @property
    def lives(self) -> tuple[Life, ...]:
        """All of them."""
        with self._changed:
            return tuple(self._lives.values())

    def not_running(self, service: str) -> str:
        """Why a service has no process to ask, or nothing if it has one."""
        reasons = [life.not_running for life in self.of(service)]
        return "" if "" in reasons else (reasons[0] if reasons else "its container was removed")

    def trouble(self, service: str) -> str:
        """What keeps a service from running as it should, or nothing."""
        frozen = [one for one in self.of(service) if one.state is ProcessState.PAUSED]
        stopped = [one.not_running for one in self.of(service) if one.not_running]
        return (stopped or (["frozen"] if frozen else [self.not_running(service)]))[0]

    # What the reader of events calls.

    def heard(self, event: Event) -> None:
        """Fold one event, and tell the sink what it means."""
        life = self._lives.get(event.container)
        if life is None:
            self._stranger(event)
            return
        request = self._intents.behind(event.action, event.container, event.at_s)
        if request:  # the clock of an engine elsewhere is only known to some ms
            event = event.not_before(request[1])
        with self._changed:
            change, what = life.heard(event, request[0] if request else None)
            change = self._beside(change, event.container) if change else None
        if event.action == "destroy":
            self._forget(life)
            what = f"{life.container.name} was removed by somebody else"
        elif event.action == "update" and (now := self._inspect(event.container)):
            life.policy = now[1].policy
        self.tell([change] if change else [], what)
        with self._changed:
            self._told[event.container, event.action] = event.at_s
            self._changed.notify_all()

    def tell(self, changes: Iterable[ProcessChange], what: str = "") -> None:
        """Report changes, and what somebody else did."""
        for change in changes:
            if self._sink:
                self._sink.saw_process(change)
            self._woken(change.service)
        if what:
            self.saw_interference(what)

    def saw_interference(self, what: str) -> None:
        """Tell that somebody else changed the fleet."""
        if self._sink:
            self._sink.saw_interference(what)

    def reconcile(self, lives: Iterable[Life], on_our_clock: Callable[[float], float]) -> None:
        """Look at containers, and tell what nobody was told while nobody listened."""
        for life in lives:
            known_s = self.engine_now_s()
            now = self._inspect(life.container.id)
            if now is None:
                self._forget(life)
                self.tell([], f"{life.container.name} was removed by somebody else")
            else:
                with self._changed:
                    returning = life.state is ProcessState.RETURNING
                    changes = life.reconciled(now[1], known_s, on_our_clock)
                self.tell(changes, self._unexplained(life, changes, returning))

    def _unexplained(self, life: Life, changes: Sequence[ProcessChange], returning: bool) -> str:
        """What nobody heard the reason of: another service's fall, a person, or the engine's own end."""
        for change in changes:
            by_policy = change.change is Change.STARTED and returning
            ours = self._intents.behind(_EVENTS[change.change], life.container.id, change.at_s)
            if not by_policy and not ours:
                return f"{life.container.name} {change.change} while the engine could not be heard"
            returning = change.returns is True
        return ""

    def clock_was_set(self, step_s: float) -> None:
        """The engine's clock was: what it says of before and of now cannot be compared."""
        with self._changed:
            for life in self._lives.values():
                life.clock_was_set(step_s)
        self.saw_interference(f"the engine's clock was set by {step_s:+.1f} s")

    def _stranger(self, event: Event) -> None:
        """A container that was not there: a service was scaled, or made anew."""
        if event.action != "start" or event.one_off or event.service not in self._services:
            return
        known_s = self.engine_now_s()
        now = self._inspect(event.container)
        if now:
            with self._changed:
                self._lives[event.container] = Life(*now, known_s)
            self.tell([], f"{event.name} was added to {event.service} by somebody else")
            self._woken(event.service)

    def _forget(self, life: Life) -> None:
        self.forget(life.container)

    def _beside(self, change: ProcessChange, container: str) -> ProcessChange:
        """What a change means: of who stands aside, only that there is one more or less."""
        if container in self._aside and change.change is Change.STARTED:
            self._aside.discard(container)
            return replace(change, change=Change.ADDED)
        if container in self._aside and change.change is Change.EXITED:
            return replace(change, change=Change.REMOVED, exit_code=None, returns=None)
        return change

    # What the doer of harm calls.

    def await_told(self, action: str, containers: Iterable[str], since_s: float) -> bool:
        """Wait until the sink was told of this event of each container; False if it was not."""

        def all_told() -> bool:
            return all(self._told.get((one, action), float("-inf")) >= since_s for one in containers)

        if not self._sink:
            return False
        with self._changed:
            return self._changed.wait_for(all_told, PATIENCE_S)

    def set_aside(self, containers: Iterable[Container]) -> None:
        """From now on these are no part of their services, until they start or are taken back."""
        with self._changed:
            self._aside.update(container.id for container in containers)

    def take_back(self, containers: Iterable[Container]) -> None:
        """They are part of their services again."""
        with self._changed:
            self._aside.difference_update(container.id for container in containers)

    def join(self, container: Container, seen: Look) -> None:
        """A container that we made and did not start yet: it stands aside."""
        known_s = self.engine_now_s()
        with self._changed:
            self._aside.add(container.id)
            self._lives[container.id] = Life(container, seen, known_s)

    def forget(self, container: Container) -> None:
        """It is gone, or about to go; what is heard of it from now on is no news."""
        with self._changed:
            self._lives.pop(container.id, None)
            self._aside.discard(container.id)

    def given_up(self, containers: Iterable[str], now_s: float) -> None:
        """We told a policy to let it be while it was waiting; some engines have no event for that."""
        for container in containers:
            with self._changed:
                life = self._lives.get(container)
                change = life.given_up(now_s) if life else None
            self.tell([change] if change else [])
