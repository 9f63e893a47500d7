"""Every action. New ones go to the end: the order is part of how Hypothesis shrinks."""

from __future__ import annotations

from collections.abc import Mapping

from fuzzer.actions.base import Action
from fuzzer.actions.burst import Burst
from fuzzer.actions.crash import Crash
from fuzzer.actions.heal import Heal
from fuzzer.actions.kill import Kill
from fuzzer.actions.load import Load
from fuzzer.actions.pause import Pause
from fuzzer.actions.ramp import Ramp
from fuzzer.actions.restart import Restart
from fuzzer.actions.start import Start
from fuzzer.actions.stop import Stop
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
    )
}


def available(runtime: Runtime) -> dict[str, Action]:
    """The actions that a runtime can do."""
    return {
        name: action
        for name, action in ACTIONS.items()
        if action.needs is None or isinstance(runtime, action.needs)
    }
