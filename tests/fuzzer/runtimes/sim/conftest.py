"""Small simulated fleets from compose text, entered and watched."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from fuzzer.runtimes.sim.runtime import SimRuntime
from fuzzer.targets.files import load_target
from models.load import Calls, LoadRun, Phase, Request, Shape
from models.target import Target
from tests.conformance.saw import Saw


@dataclass
class Seen(Saw):
    """Everything that watchers and clients tell."""

    requests: list[Request] = field(default_factory=list)
    loads: list[LoadRun] = field(default_factory=list)
    calls: list[Calls] = field(default_factory=list)

    def saw_request(self, seen: Request) -> None:
        self.requests.append(seen)

    def saw_load(self, run: LoadRun) -> None:
        self.loads.append(run)

    def saw_calls(self, seen: Calls) -> None:
        self.calls.append(seen)


class Fleet:
    """A simulated fleet, and what was seen of it."""

    def __init__(self, runtime: SimRuntime) -> None:
        self.runtime = runtime
        self.target = runtime.target
        self.seen = Seen()
        runtime.watch(self.seen)
        self.clients = runtime.loads(self.seen)
        self.sleep = runtime.clock.sleep
        self.now = runtime.clock.now

    def state(self, service: str) -> str:
        return self.runtime.status(service).state

    def away(self, service: str) -> str | None:
        return self.runtime.services[service].away

    def starts(self, service: str) -> list[float]:
        return [p.at_s for p in self.seen.of(service) if p.change == "started"]

    def exits(self, service: str) -> list[float]:
        return [p.at_s for p in self.seen.exits(service)]

    def send(
        self, load: str, rate_rps: float = 10.0, duration_s: float = 1.0, shape: Shape = Shape.STEADY
    ) -> list[Request]:
        """Send a load and wait until it is over; what became of its requests."""
        before = len(self.seen.requests)
        self.begin(load, rate_rps, duration_s, shape)
        while not self.clients.quiet:
            self.sleep(0.1)
        return self.seen.requests[before:]

    def begin(
        self, load: str, rate_rps: float = 10.0, duration_s: float = 1.0, shape: Shape = Shape.STEADY
    ) -> None:
        self.clients.start(self.target.loads[load], {}, Phase.DURING, shape, rate_rps, duration_s)


Read = Callable[[str], Target]
Twin = Callable[[str], Fleet]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def read(text: str) -> Target:
        file = tmp_path / "compose.yaml"
        file.write_text("x-knockon: {enabled: true}\n" + text if "x-knockon:\n" not in text else text)
        return load_target([file], {})

    return read


@pytest.fixture
def twin(read: Read) -> Iterator[Twin]:
    with ExitStack() as entered:
        yield lambda text: Fleet(entered.enter_context(SimRuntime(read(text))))
