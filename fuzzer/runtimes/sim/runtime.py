"""The simulated runtime: a twin of the target, made from its compose file, in virtual time.

It shows what the file and its hints imply; ``rests_on`` names the assumptions. The same seed does the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from random import Random
from types import TracebackType
from typing import Self

from fuzzer.loads.base import Loads, LoadSink
from fuzzer.runtimes.base import ProcessState, ServiceStatus, Sink, Undo, Undoes
from fuzzer.runtimes.sim.assumptions import Assumed, assume
from fuzzer.runtimes.sim.clients import SimClients
from fuzzer.runtimes.sim.eyes import EVERY_S, ContainerCheck, Eyes
from fuzzer.runtimes.sim.kernel import Kernel, VirtualClock
from fuzzer.runtimes.sim.links import SimLinks
from fuzzer.runtimes.sim.poison import BEARING
from fuzzer.runtimes.sim.replicas import Replicas
from fuzzer.runtimes.sim.requests import Requests
from fuzzer.runtimes.sim.service import SimService
from fuzzer.runtimes.sim.views import Other
from models.answer import Answer
from models.bearing import Bearing
from models.behaviour import Hints
from models.errors import StepInvalid
from models.link import is_link
from models.observation import ProcessChange
from models.target import Condition, HealthCheck, ProbeKind, Target
from models.toxic import Toxic

UP_S = 600.0
"""How long the fleet may take to come up before the first fault, in virtual seconds."""

UP_EVERY_S = 0.25
"""How often whoever brings it up looks."""

TOLD_S = 0.01
"""What a deed takes; nothing is done at the same moment as something else."""

STOPPED_S = 10.0
"""When a stop becomes a kill."""

USUAL_CHECK = HealthCheck()


class MemoryJournal:
    """Undos of a fleet that dies with the fuzzer: they have nothing to survive."""

    def __init__(self) -> None:
        self._entries: dict[str, tuple[Undo, ...]] = {}
        self._written = 0

    def write(self, undos: Sequence[Undo]) -> str:
        """Keep them until they are removed."""
        self._written += 1
        self._entries[str(self._written)] = tuple(undos)
        return str(self._written)

    def remove(self, entry: str) -> None:
        """Forget an entry."""
        self._entries.pop(entry, None)

    def pending(self) -> dict[str, tuple[Undo, ...]]:
        """What is still under way."""
        return dict(self._entries)

    def alone(self) -> AbstractContextManager[None]:
        """Nobody else knows of this fleet."""
        return nullcontext()

    @property
    def unsettled(self) -> bool:
        """Nothing outlives it."""
        return False


class SimRuntime:
    """A fleet in virtual time. Entering brings it up, as compose does.

    Args:
        target: what is simulated.
        learnt: hints from real runs, by service.
        seed: of everything that is not quite the same each time.
        assumed: how all services behave, if that is known already.
    """

    name = "sim"

    def __init__(
        self,
        target: Target,
        learnt: Mapping[str, Hints] | None = None,
        seed: int = 0,
        assumed: Assumed | None = None,
    ) -> None:
        self.target = target
        self.kernel = Kernel()
        self.clock = VirtualClock(self.kernel)
        self.journal = MemoryJournal()
        self._assumed = assumed or assume(target, learnt)
        self._seed = seed
        self.services = {
            name: SimService(name, behaviour, target.services[name].restart, self, self._random(name))
            for name, behaviour in self._assumed.behaviours.items()
        }
        self._minding: dict[str, list[SimService]] = {name: [] for name in self.services}
        for service in self.services.values():
            for other in service.behaviour.minds:
                self._minding[other].append(service)
        self._checks = {
            name: ContainerCheck(one.healthcheck or USUAL_CHECK, self.services[name], self.kernel)
            for name, one in target.services.items()
            if one.health.kind is ProbeKind.ENGINE
        }
        self._links = SimLinks(target, self.kernel, self.services, self._random)
        self._replicas = Replicas(self.kernel, self.services)
        self._requests = Requests(self.kernel, self.services, self._links)
        self._sinks: list[Sink] = []
        self._undoes = Undoes(
            start=lambda undo: self.start(undo.targets),
            unpause=lambda undo: self.unpause(undo.targets),
            cleanse=self._links.cleanse,
            rescale=self._rescale,
        )

    def anew(self) -> SimRuntime:
        """The same fleet once more, before anything happened to it."""
        return SimRuntime(self.target, seed=self._seed, assumed=self._assumed)

    def _random(self, stream: str) -> Random:
        """One stream for each source, so that one more draw here changes nothing there."""
        return Random(f"{self._seed} {stream}")  # noqa: S311 - nothing secret

    def rests_on(self, services: Sequence[str]) -> tuple[str, ...]:
        """What is assumed of these services, and of nobody else."""
        return self._assumed.about(services)

    # Its life.

    def __enter__(self) -> Self:
        """Bring the fleet up: each service as soon as what compose waits for is there.

        What ends meanwhile is started again, as whoever brings up a fleet does. One that does not come up
        is left as it is: nothing will be played on it.
        """
        while not all(map(self._is_up, self.services)) and self.kernel.now_s < UP_S:
            down = [one for one in self.services.values() if one.state is ProcessState.DOWN]
            for service in [one for one in down if self._may_start(one)]:
                service.start()
            self.clock.sleep(UP_EVERY_S)
        for service in self.services.values():
            service.restarts.begin_anew()
        return self

    def _is_up(self, name: str) -> bool:
        """Whether it is well, and its container's own check says so, if it has one."""
        return not self.services[name].away and (name not in self._checks or self._checks[name].passes)

    def _may_start(self, service: SimService) -> bool:
        awaited = self.target.services[service.name].starts_after
        return all(
            self.services[name].was_started and (condition is not Condition.HEALTHY or self._is_up(name))
            for name, condition in awaited.items()
            if name in self.services
        )

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kernel.end()

    # What is seen.

    def watch(self, sink: Sink) -> None:
        """Report health and processes to ``sink`` too, until the runtime is left."""
        self._sinks.append(sink)
        timeout_s = self.target.limits.health_timeout_s
        for number, (name, service) in enumerate(self.services.items()):
            probe, check = self.target.services[name].health.kind, self._checks.get(name)
            eyes = Eyes(probe, check, service, self.kernel, sink, timeout_s)
            self.kernel.spawn(eyes.watch(EVERY_S * number / len(self.services)))

    def tell(self, change: ProcessChange) -> None:
        """A process started, exited, was paused or resumed."""
        for sink in self._sinks:
            sink.saw_process(change)

    def changed(self, service: SimService) -> None:
        """Whoever minds a service notices."""
        for other in self._minding[service.name]:
            other.other_changed(service)

    def seen_by(self, caller: str, name: str) -> Other:
        """A service as another one sees it: through the connection between them."""
        other = self.services[name]
        return self._links.seen_by(caller, other) if self._links.poisoned else other

    def status(self, service: str) -> ServiceStatus:
        """What the service's processes are doing now."""
        one = self.services[service]
        since = f"{one.away_since_s:.1f} s"
        return ServiceStatus(service, one.state, one.instances, one.restarts.count, since)

    def url(self, service: str) -> str | None:
        """A name for it: nobody listens at any address."""
        return f"sim://{service}"

    def loads(self, sink: LoadSink) -> Loads:
        """Clients who live in the same time."""
        return SimClients(self.target, self.kernel, self.services, self._requests, sink)

    # What is done to it.

    def kill(self, services: Sequence[str]) -> None:
        """An operator's kill: no policy acts."""
        self._refuse_down(services, "kill")
        for name in services:
            self.services[name].end(137, by_hand=True)
        self.clock.sleep(TOLD_S)

    def crash(self, services: Sequence[str]) -> None:
        """A death from outside: the policy acts."""
        for name in services:
            if not self.services[name].instances:
                raise StepInvalid(f"cannot crash {name}: it is {self.services[name].state}")
        for name in services:
            self.services[name].end(137, by_hand=False)
        self.clock.sleep(TOLD_S)

    def stop(self, services: Sequence[str]) -> None:
        """SIGTERM, and SIGKILL after 10 s."""
        self._refuse_down(services, "stop")
        self.unpause(services)
        self._end_orderly(services)

    def _end_orderly(self, services: Sequence[str], *, returns: bool = False) -> None:
        began_s = self.kernel.now_s
        takes_s = {name: min(self.services[name].behaviour.stop_s, STOPPED_S) for name in services}
        for name, stop_s in sorted(takes_s.items(), key=lambda one: one[1]):
            self.clock.sleep(began_s + stop_s - self.kernel.now_s)
            code = 137 if stop_s >= STOPPED_S else 0
            self.services[name].end(code, by_hand=True, unclean=code != 0, returns=returns)

    def start(self, services: Sequence[str]) -> None:
        """Start whatever does not run; what its policy is about to start is started now."""
        for name in services:
            if self.services[name].state in (ProcessState.DOWN, ProcessState.RETURNING):
                self.services[name].restarts.begin_anew()
                self.services[name].start()
                self.clock.sleep(TOLD_S)

    def restart(self, services: Sequence[str]) -> None:
        """Stop what runs, and start it."""
        running = [name for name in services if self.services[name].instances]
        self.unpause(running)
        self._end_orderly(running, returns=True)
        self.start(services)

    def pause(self, services: Sequence[str]) -> None:
        """Freeze."""
        for name in services:
            if self.services[name].state is not ProcessState.RUNNING:
                raise StepInvalid(f"cannot pause {name}: it is {self.services[name].state}")
        for name in services:
            self.services[name].pause()
        self.clock.sleep(TOLD_S)

    def unpause(self, services: Sequence[str]) -> None:
        """Let go on whatever is frozen."""
        for name in services:
            if self.services[name].state is ProcessState.PAUSED:
                self.services[name].unpause()
        self.clock.sleep(TOLD_S)

    def scale(self, service: str, replicas: int) -> None:
        """So many replicas; none at all is a stop."""
        self._replicas.scale(service, replicas) if replicas else self.stop([service])
        self.clock.sleep(TOLD_S)

    def running(self, service: str) -> int:
        """How many replicas of a service run."""
        return self._replicas.running(service)

    def serving(self, service: str) -> int:
        """How many of those take work."""
        return self._replicas.serving(service)

    def _rescale(self, undo: Undo) -> None:
        self._replicas.rescale(undo)
        self.start(undo.targets)

    # What is done to its connections.

    def edges(self) -> Sequence[tuple[str, str]]:
        """Caller and dependency of each connection that the target names and allows to harm."""
        return self._links.edges

    def bears(self, caller: str, dependency: str) -> Bearing:
        """All kinds."""
        return BEARING

    def poison(self, link: str, toxics: Sequence[Toxic]) -> None:
        """Add toxics to every connection of a link."""
        self._links.poison(link, toxics)
        self.clock.sleep(TOLD_S)

    def asks(self, caller: str, dependency: str) -> bool:
        """Who is only modelled can be asked anything."""
        return True

    def ask(self, caller: str, dependency: str, timeout_s: float) -> Answer:
        """Ask over the same way as the caller; takes as long as the answer does."""
        answer = self._links.ask(caller, dependency, timeout_s)
        self.clock.sleep(answer.last_ms / 1000)
        return answer

    def undo(self, undo: Undo) -> None:
        """Lift a fault. Services that the target no longer has have nothing to lift."""
        there = tuple(name for name in undo.targets if is_link(name) or name in self.services)
        self._undoes(replace(undo, targets=there))

    def _refuse_down(self, services: Sequence[str], deed: str) -> None:
        for name in services:
            if self.services[name].state is ProcessState.DOWN:
                raise StepInvalid(f"cannot {deed} {name}: it is {self.services[name].state}")
