"""One model on two kernels: ours, and SimPy's, which many know.

Ten services of two replicas with four workers each; a request is worked on, calls two others in turn three
deep, each with a timeout, and is answered. Clients send 200 a second for 30 virtual seconds.
"""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass
from random import Random

from fuzzer.runtimes.sim.kernel import Kernel, Process, Signal
from models.errors import RequestError

SERVICES, WORKERS, DEPTH = 10, 2 * 4, 3
RATE_RPS, DURATION_S, TIMEOUT_S, WORK_S = 200, 30.0, 1.0, 0.003


@dataclass
class Ran:
    """What a kernel did: requests that were answered, events if it counts them, seconds."""

    answered: int
    events: int
    wall_s: float


def _callee(service: int) -> int:
    return (service + 1) % SERVICES


def on_ours(number: int) -> Ran:
    """The model as processes of our kernel."""
    kernel, random = Kernel(), Random(number)
    busy = [0] * SERVICES
    lines: list[deque[Signal]] = [deque() for _ in range(SERVICES)]
    answered = 0

    def send(service: int, depth: int) -> Signal:
        reply = Signal(kernel)
        kernel.spawn(serve(service, depth, reply))
        kernel.at(kernel.now_s + TIMEOUT_S, reply.fire, "timeout")
        return reply

    def serve(service: int, depth: int, reply: Signal) -> Process:
        if busy[service] < WORKERS:
            busy[service] += 1
        else:
            turn = Signal(kernel)
            lines[service].append(turn)
            yield turn
        yield WORK_S * random.uniform(0.8, 1.2)
        if depth:
            yield send(_callee(service), depth - 1)
        if lines[service]:
            lines[service].popleft().fire()
        else:
            busy[service] -= 1
        reply.fire(200)

    def client() -> Process:
        for request in range(int(RATE_RPS * DURATION_S)):
            kernel.spawn(ask(request % SERVICES))
            yield 1 / RATE_RPS

    def ask(service: int) -> Process:
        nonlocal answered
        reply = yield send(service, DEPTH)
        answered += reply == 200

    began_s = time.perf_counter()
    kernel.spawn(client())
    kernel.run(DURATION_S + TIMEOUT_S)
    return Ran(answered, kernel.happened, time.perf_counter() - began_s)


def on_simpy(number: int) -> Ran:
    """The same as processes of SimPy.

    Raises:
        RequestError: it is not installed.
    """
    try:
        import simpy
    except ImportError:
        raise RequestError("SimPy is not installed; expected: pip install -e '.[bench]'") from None
    env, random = simpy.Environment(), Random(number)
    services = [simpy.Resource(env, WORKERS) for _ in range(SERVICES)]
    answered = 0

    def serve(service: int, depth: int):  # type: ignore[no-untyped-def]
        with services[service].request() as turn:
            yield turn
            yield env.timeout(WORK_S * random.uniform(0.8, 1.2))
            if depth:
                yield env.process(serve(_callee(service), depth - 1)) | env.timeout(TIMEOUT_S)

    def client():  # type: ignore[no-untyped-def]
        for request in range(int(RATE_RPS * DURATION_S)):
            env.process(ask(request % SERVICES))
            yield env.timeout(1 / RATE_RPS)

    def ask(service: int):  # type: ignore[no-untyped-def]
        nonlocal answered
        served = env.process(serve(service, DEPTH))
        yield served | env.timeout(TIMEOUT_S)
        answered += served.processed

    began_s = time.perf_counter()
    env.process(client())
    env.run(DURATION_S + TIMEOUT_S)
    return Ran(answered, 0, time.perf_counter() - began_s)
