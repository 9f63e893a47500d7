"""What can be done to the containers of a service: to all of them, at the same moment.

Every deed is announced first (``intents``), so that what follows from it is not taken for somebody
else's doing, and returns only when the sink was told what came of it, so that a history never lacks
what a step has just done.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from docker import APIClient

from fuzzer.runtimes.base import Clock, ProcessState, at_once
from fuzzer.runtimes.docker.clients import Clients
from fuzzer.runtimes.docker.containers import Container, Look, look
from fuzzer.runtimes.docker.fleet import Fleet
from fuzzer.runtimes.docker.helper import Helper, Victim
from fuzzer.runtimes.docker.intents import Intents
from fuzzer.runtimes.docker.stopping import being_stopped
from models.errors import Interference, StepInvalid

T = TypeVar("T")

DIES_S = 5.0
"""How long a process may take to be gone after SIGKILL, until the engine has seen it."""

ECHO_S = 0.1
"""How long the engine may still hear of a freeze or a thaw from its own lower half. It then believes
that echo more than what was done since: a pause within some ms of an unpause is seen to be undone, and
done again. Measured at up to 40 ms on a busy machine, in 1 of 40 pairs without a gap."""


class Deeds:
    """Meets ``CanKill``, ``CanCrash``, ``CanStop``, ``CanStart``, ``CanRestart`` and ``CanPause``.

    Each raises ``StepInvalid`` where there is nothing to do it to, ``Interference`` when a container
    is not there any more, ``RuntimeUnavailable`` when the engine fails.
    """

    def __init__(
        self, clients: Clients, fleet: Fleet, intents: Intents, helper: Helper, clock: Clock
    ) -> None:
        self._clients = clients
        self._fleet = fleet
        self._intents = intents
        self._helper = helper
        self._now = clock.now
        self._sleep = clock.sleep
        self._echo_until_s = float("-inf")

    def replicas(self, service: str) -> tuple[int, ...]:
        """The numbers of a service's containers; ``web#2`` is a service with one container to any deed."""
        return tuple(life.container.number for life in self._fleet.of(service))

    def kill(self, services: Sequence[str]) -> None:
        """``docker kill``: SIGKILL, and the restart policy does not act."""
        self._end("kill", services, lambda api, one: api.kill(one.id))

    def stop(self, services: Sequence[str]) -> None:
        """``docker stop``, with the time that each container asks for."""
        self._end("stop", services, lambda api, one: api.stop(one.id, timeout=one.stop_s))

    def start(self, services: Sequence[str]) -> None:
        """``docker start`` of what is down, service after service.

        What is frozen is not down, and what is about to return needs no start.
        """
        for service in services:
            down = self._those([service], ProcessState.DOWN)
            began_s = self._do("start", down, lambda api, one: api.start(one.id))
            self._await("start", down, began_s)

    def start_again(self, services: Sequence[str]) -> None:
        """The same, and what is still being stopped is started as soon as it is down.

        A stop that was asked for goes on in the engine, whatever becomes of who asked.
        """
        every = self._adopted(services)
        with self._clients.lent("look who is being stopped") as api:
            stopping = being_stopped(api, every, self._fleet.engine_now_s())
        for one in (one for one in every if one.id in stopping):
            was, deadline_s = self._look(one), self._now() + one.stop_s + DIES_S
            while was.pid and self._look(one).pid == was.pid and self._now() < deadline_s:
                self._sleep(0.05)
        self.start(services)

    def restart(self, services: Sequence[str]) -> None:
        """``docker restart``; what is down is only started."""
        every = self._adopted(services)
        began_s = self._do("restart", every, lambda api, one: api.restart(one.id, timeout=one.stop_s))
        self._await("start", every, began_s)

    def pause(self, services: Sequence[str]) -> None:
        """``docker pause``."""
        every = self._adopted(services)
        began_s = self._do("pause", every, lambda api, one: api.pause(one.id))
        self._await("pause", every, began_s)
        self._echo_until_s = self._now() + ECHO_S

    def unpause(self, services: Sequence[str]) -> None:
        """``docker unpause`` of what is frozen; the engine calls any other a server error."""
        frozen = self._those(services, ProcessState.PAUSED)
        began_s = self._do("unpause", frozen, lambda api, one: api.unpause(one.id))
        self._await("unpause", frozen, began_s)
        if frozen:
            self._echo_until_s = self._now() + ECHO_S

    def crash(self, services: Sequence[str]) -> None:
        """SIGKILL from outside the container, so that its restart policy acts."""
        every = self._adopted(services)
        self._refuse_poisoned(services)
        self._helper.prepare()
        with self._intents.meaning("crash", [one.id for one in every]) as began_s:
            looks = [(one, self._look(one)) for one in every]  # as late as can be: pids get old
            alive = [(one, seen) for one, seen in looks if seen.state is not ProcessState.DOWN]
            self._refuse_missing("crash", services, [one for one, _ in alive])
            for one, seen in alive:
                # To a frozen process a signal is only delivered when it thaws (cgroup v1).
                if seen.state is not ProcessState.RUNNING:
                    raise StepInvalid(f"crash {one.name}: it is {seen.state}")
            self._helper.kill([Victim(seen.pid, one.id) for one, seen in alive])
            # The event comes long before the engine answers an inspect of what is just dying.
            if not self._await("die", [one for one, _ in alive], began_s):
                for one, seen in alive:
                    self._until_dead(one, seen)

    # How it is done.

    def _end(self, verb: str, services: Sequence[str], ask: Callable[[APIClient, Container], object]) -> None:
        looks = [(one, self._look(one)) for one in self._adopted(services)]
        alive = [(one, seen) for one, seen in looks if seen.state is not ProcessState.DOWN]
        self._refuse_missing(verb, services, [one for one, _ in alive])
        began_s = self._do(verb, [one for one, _ in alive], ask)
        # No process, no death: between two attempts of a policy, some engines say nothing at all.
        waiting = [one.id for one, seen in alive if seen.state is ProcessState.RETURNING]
        self._fleet.given_up(waiting, self._now())
        self._await("die", [one for one, _ in alive if one.id not in waiting], began_s)

    def _do(
        self, verb: str, every: Sequence[Container], ask: Callable[[APIClient, Container], object]
    ) -> float:
        """Ask the engine for all at the same moment; returns when that was."""
        by_id = {one.id: one for one in every}

        def do(container: str) -> None:
            with self._clients.lent(f"{verb} {by_id[container].name}") as api:
                ask(api, by_id[container])

        with self._intents.meaning(verb, list(by_id)) as began_s:
            if by_id:
                self._telling(lambda: at_once(do, list(by_id)))
        return began_s

    def _await(self, event: str, every: Sequence[Container], since_s: float) -> bool:
        return self._fleet.await_told(event, [one.id for one in every], since_s)

    def _refuse_missing(self, verb: str, services: Sequence[str], alive: Sequence[Container]) -> None:
        for service in services:
            if not {life.container.id for life in self._fleet.of(service)} & {one.id for one in alive}:
                raise StepInvalid(f"{verb} {service}: it is down already")

    def _refuse_poisoned(self, services: Sequence[str]) -> None:
        for life in (life for service in services for life in self._fleet.of(service)):
            if life.poisoned and not life.not_running:
                name = life.container.name
                raise StepInvalid(
                    f"crash {name}: a signal was sent to it through the engine, after which its restart "
                    f"policy does not act; it acts again after: docker restart {name}"
                )

    def _until_dead(self, one: Container, was: Look) -> None:
        """Until the engine has seen the process go."""
        deadline_s = self._now() + DIES_S
        while (seen := self._look(one)).pid == was.pid and seen.started_s == was.started_s:
            if self._now() > deadline_s:
                raise StepInvalid(f"crash {one.name}: its process is still there {DIES_S:g} s after SIGKILL")
            self._sleep(0.005)

    def _those(self, services: Sequence[str], state: ProcessState) -> list[Container]:
        return [one for one in self._adopted(services) if self._look(one).state is state]

    def _adopted(self, services: Sequence[str]) -> tuple[Container, ...]:
        """The containers to do it to; comes before anything else in every deed."""
        self._sleep(max(0.0, self._echo_until_s - self._now()))
        return self._telling(lambda: self._fleet.containers(services))

    def _look(self, one: Container) -> Look:
        def ask() -> Look:
            with self._clients.lent(f"look at {one.name}") as api:
                return look(api, one.id)

        return self._telling(ask)

    def _telling(self, do: Callable[[], T]) -> T:
        """What was removed under our hands goes into the history as well."""
        try:
            return do()
        except Interference as error:
            self._fleet.saw_interference(str(error))
            raise
