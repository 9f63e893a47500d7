"""Every action. New ones go to the end: the order is part of how Hypothesis shrinks."""

from __future__ import annotations

from collections.abc import Mapping

from fuzzer.actions.bandwidth import Bandwidth
from fuzzer.actions.base import Action
from fuzzer.actions.blackhole import Blackhole
from fuzzer.actions.burst import Burst
from fuzzer.actions.cascade import Cascade
from fuzzer.actions.clock_skew import ClockSkew
from fuzzer.actions.cpu import Cpu
from fuzzer.actions.crash import Crash
from fuzzer.actions.disk_fill import DiskFill
from fuzzer.actions.exhaust import Exhaust
from fuzzer.actions.flap import Flap
from fuzzer.actions.heal import Heal
from fuzzer.actions.http_error import HttpError
from fuzzer.actions.kill import Kill
from fuzzer.actions.latency import Latency
from fuzzer.actions.limit_data import LimitData
from fuzzer.actions.load import Load
from fuzzer.actions.loss import Loss
from fuzzer.actions.memory import Memory
from fuzzer.actions.oom import Oom
from fuzzer.actions.partition import Partition
from fuzzer.actions.pause import Pause
from fuzzer.actions.pids import Pids
from fuzzer.actions.ramp import Ramp
from fuzzer.actions.refuse import Refuse
from fuzzer.actions.reset import Reset
from fuzzer.actions.restart import Restart
from fuzzer.actions.rolling_restart import RollingRestart
from fuzzer.actions.scale import Scale
from fuzzer.actions.slow_close import SlowClose
from fuzzer.actions.start import Start
from fuzzer.actions.stop import Stop
from fuzzer.actions.stress import Stress
from fuzzer.actions.timeout import Timeout
from fuzzer.actions.unpause import Unpause
from fuzzer.actions.wait import Wait
from fuzzer.runtimes.base import Runtime

ACTIONS: Mapping[str, Action] = {
    action.name: action
    for action in (
        Crash(),
        Kill(),
        Stop(),
        Pause(),
        Restart(),
        Wait(),
        Load(),
        Start(),
        Unpause(),
        Heal(),
        Ramp(),
        Burst(),
        Latency(),
        Blackhole(),
        Refuse(),
        Reset(),
        Timeout(),
        Partition(),
        HttpError(),
        Bandwidth(),
        Loss(),
        SlowClose(),
        LimitData(),
        Exhaust(),
        Cpu(),
        Memory(),
        Oom(),
        Pids(),
        DiskFill(),
        Stress(),
        ClockSkew(),
        Cascade(),
        RollingRestart(),
        Flap(),
        Scale(),
    )
}


def available(runtime: Runtime) -> dict[str, Action]:
    """The actions that a runtime can do."""
    return {name: action for name, action in ACTIONS.items() if action.works_on(runtime)}
