"""What becomes of one request: queues, work, calls to others, timeouts, retries, breakers, fallbacks.

An answer is an HTTP status, or a word for why none came: ``refused``, ``reset``, ``timeout``. Work goes
on when nobody waits for its answer any more, as it does in a real server; a death ends it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from fuzzer.runtimes.base import ProcessState
from fuzzer.runtimes.sim.kernel import Kernel, Process, Signal
from fuzzer.runtimes.sim.links import SimLinks
from fuzzer.runtimes.sim.service import SimService
from fuzzer.runtimes.sim.views import USUAL_CALL
from models.behaviour import Behaviour, Call
from models.topology import Strength, Topology

Reply: TypeAlias = "int | str"

OK, BAD_GATEWAY, UNAVAILABLE, NO_ANSWER = 200, 502, 503, 504

ON_ITS_WAY_S = 0.0002
"""What a request takes to arrive. Nothing is free: who is refused cannot ask again at the same moment."""


@dataclass(frozen=True, slots=True)
class Errand:
    """What a request needs on its way.

    Attributes:
        id: what it writes is stored under this, "" if it writes nothing.
        needed: the services that it cannot do without.
        ways: for each of them, whom it calls.
    """

    id: str
    needed: frozenset[str]
    ways: Mapping[str, tuple[str, ...]]


def ways_of(topology: Topology, needed: frozenset[str]) -> dict[str, tuple[str, ...]]:
    """For each service that a request needs, whom of the others it calls; without going in circles."""
    order = [name for layer in topology.start_layers() for name in layer]
    place = {name: number for number, name in enumerate(order)}
    ways: dict[str, tuple[str, ...]] = {name: () for name in order if name in needed}
    for edge in topology.dependencies:
        both_needed = edge.caller in ways and edge.dependency in ways
        if both_needed and edge.strength is Strength.HARD and place[edge.dependency] < place[edge.caller]:
            ways[edge.caller] += (edge.dependency,)
    return ways


class Requests:
    """Plays requests on services.

    Attributes:
        calls: how many requests each caller has sent to each dependency.
        writers: who was asked to store what a request wrote, by its id.
    """

    def __init__(self, kernel: Kernel, services: Mapping[str, SimService], links: SimLinks) -> None:
        self._kernel = kernel
        self._services = services
        self._poisoned = links.poisoned
        self.calls: dict[tuple[str, str], int] = {}
        self.writers: dict[str, dict[str, None]] = {}

    def send(self, to: str, errand: Errand, timeout_s: float, caller: str = "") -> Signal:
        """Send a request, from outside unless there is a caller; the signal is fired with its reply."""
        kernel = self._kernel
        reply = Signal(kernel)
        served = self._serve(self._services[to], errand, reply, caller)
        if self._poisoned and (way := self._poisoned.get((caller, to))):
            way.go(reply, served, ON_ITS_WAY_S)
        else:
            kernel.at(kernel.now_s + ON_ITS_WAY_S, served)
        kernel.at(kernel.now_s + timeout_s, reply.fire, "timeout")
        return reply

    def _serve(self, service: SimService, errand: Errand, reply: Signal, caller: str) -> Process:
        if not service.listening:
            reply.fire("refused")
            return
        life, behaviour = service.life, service.behaviour
        service.replies[reply] = caller
        while service.state is ProcessState.PAUSED:  # the kernel has accepted it, and nobody comes
            yield service.revived
            if service.life != life:
                return
        if not service.is_full:
            service.busy += 1
        elif len(service.line) < behaviour.queue:
            turn = Signal(self._kernel)
            service.line.append(turn)
            yield turn
        else:
            self._answer(service, reply, UNAVAILABLE)
            return
        status = yield from self._work(service, life, errand)
        if service.life == life:
            # Of one worker too many, since a replica went, nobody gets the place.
            if service.line and service.busy <= behaviour.workers * service.ready:
                service.line.popleft().fire()  # whoever is next gets this worker
            else:
                service.busy -= 1
            self._answer(service, reply, status)

    def _answer(self, service: SimService, reply: Signal, status: Reply) -> None:
        caller = service.replies.pop(reply, "")
        if self._poisoned and (way := self._poisoned.get((caller, service.name))):
            way.come(reply, status)
        else:
            reply.fire(status)

    def _work(self, service: SimService, life: int, errand: Errand) -> Generator[float | Signal, Any, Reply]:
        behaviour, views = service.behaviour, service.views
        yield behaviour.work_ms * (0.0008 + 0.0004 * service.random.random()) + service.delay_s
        while service.life == life and (service.state is ProcessState.PAUSED or views.hangs(errand.needed)):
            yield service.revived
        if service.life != life:
            return "reset"
        if views.errs(errand.needed):
            return UNAVAILABLE
        others = errand.ways.get(service.name, ())
        missed: tuple[str, ...] = ()
        for other in others:
            call = behaviour.calls.get(other, USUAL_CALL)
            reply = yield from self._call(service, life, other, call, errand)
            if service.life != life:
                return "reset"
            if not call.fallback and reply != OK:
                missed += (other,)
                if _are_spared(missed, behaviour):
                    continue
                return NO_ANSWER if reply == "timeout" else BAD_GATEWAY
        if errand.id and len(missed) == len(others):
            service.store[errand.id] = self._kernel.now_s + behaviour.commit_s
            self.writers.setdefault(errand.id, {})[service.name] = None
        return OK

    def _call(
        self, service: SimService, life: int, other: str, call: Call, errand: Errand
    ) -> Generator[float | Signal, Any, Reply]:
        """Ask somebody, again if that fails; not at all while the circuit is open."""
        reply: Reply = BAD_GATEWAY
        views = service.views
        volley: deque[Signal] | None = None
        for number in range(1 + call.retries):
            if call.breaker and (views.failures[other] >= call.breaker or views.of[other]):
                return reply
            reply = yield volley.popleft() if volley else self._ask(service, other, call, errand)
            if service.life != life:
                return "reset"
            if _is_good(reply):
                views.failures[other] = 0
                return reply
            views.failures[other] += 1
            if views.failures[other] == call.breaker:
                views.notice(self._services[other])  # its next good answer closes the circuit
            if call.volley and not number:
                volley = deque(self._ask(service, other, call, errand) for _ in range(call.retries))
        return reply

    def _ask(self, service: SimService, other: str, call: Call, errand: Errand) -> Signal:
        self.calls[service.name, other] = self.calls.get((service.name, other), 0) + 1
        return self.send(other, errand, call.timeout_s, service.name)


def _are_spared(missed: tuple[str, ...], behaviour: Behaviour) -> bool:
    """Whether others stand in for all of these."""
    groups = [behaviour.stand_ins_of(name) for name in missed]
    return all(group is not None and groups.count(group) <= group.tolerates for group in groups)


def _is_good(reply: Reply) -> bool:
    return isinstance(reply, int) and reply < 500
