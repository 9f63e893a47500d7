"""A runner over the fake fleet, put together as the session does it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from fuzzer.actions.catalogue import available
from fuzzer.clients import HttpClients
from fuzzer.events import Event, Events
from fuzzer.player import Player
from fuzzer.recorder import Recorder
from fuzzer.runner import Runner
from fuzzer.search.campaign import Campaign, SearchOptions
from fuzzer.search.findings import FindingStore
from invariants.catalogue import INVARIANTS
from models.scenario import Scenario
from models.target import Target
from tests.support.fake_fleet import SHOP, FakeFleet, target_of


@dataclass
class Rig:
    fleet: FakeFleet
    runner: Runner
    recorder: Recorder
    events: list[Event] = field(default_factory=list)

    def play(self, text: str, **options):
        return self.runner.play(Scenario.parse(text), **options)

    def campaign(self, folder, twin: Player | None = None, **options) -> Campaign:
        return Campaign(
            self.fleet.target,
            self.fleet,
            self.runner,
            available(self.fleet),
            INVARIANTS,
            FindingStore(folder),
            Events(self.events.append),
            SearchOptions(**{"seed": 7, "findings": 1, **options}),
            kept=folder / "examples",
            twin=twin,
            now=self.fleet.clock.now,
        )


def rig(
    misbehave: Callable[[FakeFleet], None] = lambda fleet: None,
    target: Target | None = None,
    kind: type[FakeFleet] = FakeFleet,
) -> Rig:
    target = target or target_of(*SHOP)
    fleet = kind(target, misbehave)
    recorder = Recorder(target.topology.services, target.limits)
    fleet.watch(recorder)
    events: list[Event] = []
    runner = Runner(
        target,
        fleet,
        recorder,
        INVARIANTS,
        Events(events.append),
        HttpClients(target, recorder, fleet.clock.now),
    )
    return Rig(fleet, runner, recorder, events)
