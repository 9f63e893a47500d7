"""One container of several can be harmed on its own, and nobody takes that for more or less than it is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fuzzer.clients import HttpClients
from fuzzer.events import Events
from fuzzer.recorder import Recorder
from fuzzer.runner import Runner
from fuzzer.runtimes.able import HasReplicas
from fuzzer.runtimes.base import ProcessState
from fuzzer.runtimes.docker.runtime import DockerRuntime
from invariants.catalogue import INVARIANTS
from models.errors import ScenarioError, StepInvalid
from models.scenario import Scenario
from models.target import Limits, Target
from models.verdict import Outcome

pytestmark = pytest.mark.docker


@pytest.fixture
def twins(project):
    """Two containers of ``web``, running."""
    project.add("web", "unless-stopped")
    project.add("web", "unless-stopped", number=2)
    project.up()
    return project


def test_each_is_told_apart(twins, saw):
    with twins.runtime() as runtime:
        runtime.watch(saw)
        assert isinstance(runtime, HasReplicas)
        assert runtime.replicas("web") == (1, 2)
        runtime.kill(["web#2"])
        assert runtime.status("web#1").state is ProcessState.RUNNING
        assert runtime.status("web#2").state is ProcessState.DOWN
        assert [seen.instance for seen in saw.exits("web")] == [twins.ids["web"][1][:12]]
        with pytest.raises(StepInvalid, match="web#2: it is down already"):
            runtime.kill(["web#2"])
        runtime.pause(["web#1"])
        assert runtime.status("web#1").state is ProcessState.PAUSED
        runtime.unpause(["web"])
        runtime.start(["web"])
        assert runtime.status("web").state is ProcessState.RUNNING
        assert saw.interference == []


def played(runtime, target: Target, text: str):
    recorder = Recorder(target.topology.services, target.limits)
    runtime.watch(recorder)
    clients = HttpClients(target, recorder, runtime.clock.now)
    runner = Runner(target, runtime, recorder, INVARIANTS, Events(), clients)
    return runner.play(Scenario.parse(text))


@pytest.mark.parametrize("deed", ["kill", "crash", "stop", "pause", "restart"])
def test_a_scenario_harms_one_and_heals_it(twins, deed):
    target = replace(twins.target, limits=Limits(observe_s=0.5, steady_s=0.2, recovery_s_max=10))
    with DockerRuntime(target, project=twins.name) as runtime:
        one = played(runtime, target, f"{deed} web#2; wait 1s")
        assert one.outcome is Outcome.HOLDS, one
        assert [harm.on for harm in one.history.expected.harms] == ["web"]
        assert {p.instance for p in one.history.processes} == {twins.ids["web"][1][:12]}
        assert runtime.status("web").state is ProcessState.RUNNING
        with pytest.raises(ScenarioError, match="no web#3 here; expected one of: web#1, web#2"):
            played(runtime, target, f"{deed} web#3")
