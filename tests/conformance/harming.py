"""The fuzzer that ``test_killed.py`` kills: it does every fault that its runtime has, and goes on waiting.

    python -m tests.conformance.harming RUNTIME STATE COMPOSE_FILE

Each fault is done as the runner does it: its undo is journaled first. Those that take their time are begun
last, side by side, so that they are all under way when it dies. Prints the name of each that was begun, then
``all``.
"""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from pathlib import Path
from threading import Thread

from fuzzer.actions.base import Stage
from fuzzer.actions.base_resource import ResourceFault
from fuzzer.actions.catalogue import ACTIONS, available
from fuzzer.config import RunConfig
from fuzzer.fleets import open_runtime, read_target
from fuzzer.recorder import Recorder
from models.errors import StepInvalid
from models.scenario import Scenario
from models.step import Step

HUB = "hub"
"""The dependency of every service; nothing is done to it."""

AT_ONCE = {
    "kill": "kill dies",
    "crash": "crash crashes",
    "flap": "flap flaps times=1",
    "oom": "oom starves",
    "pause": "pause freezes",
    "exhaust": "exhaust limited connections=20",
    "disk_fill": "disk_fill full",
    "clock_skew": "clock_skew full offset_s=3600",
    "stress": "stress busy workers=1",
    "cpu": "cpu limited 20%",
    "memory": "memory limited 64mib",
    "pids": "pids busy count=2",
    "latency": "latency dies -> hub 2000ms",
    "bandwidth": "bandwidth crashes -> hub 1kbps",
    "loss": "loss flaps -> hub 100%",
    "slow_close": "slow_close starves -> hub 2000ms",
    "reset": "reset freezes -> hub",
    "refuse": "refuse limited -> hub",
    "blackhole": "blackhole full -> hub",
    "partition": "partition busy -> hub",
    "timeout": "timeout stops -> hub 400ms",
    "limit_data": "limit_data restarts -> hub bytes=20",
    "http_error": "http_error rolls -> hub status=503 100%",
}
TAKE_THEIR_TIME = {
    "stop": "stop stops",
    "scale": "scale shrinks 0",
    "restart": "restart restarts",
    "rolling_restart": "rolling_restart rolls spare",
    "cascade": "cascade falls spare gap_s=60",
}
CASES = AT_ONCE | TAKE_THEIR_TIME
SERVICES = tuple(dict.fromkeys(Step.parse(text).targets[0].split(" ->")[0] for text in CASES.values()))


def main() -> None:
    """Harm, and wait."""
    runtime_name, state, *files = sys.argv[1:]
    paths = tuple(map(Path, files))
    config = RunConfig(paths, paths[0].parent.name, runtime_name, state=Path(state))
    target = read_target(config)
    with open_runtime(config, target) as runtime:
        recorder = Recorder(target.topology.services, target.limits)
        runtime.watch(recorder)
        recorder.begin(Scenario.of(map(Step.parse, CASES.values())), runtime.clock.now())

        def play(turn: Step) -> None:
            ACTIONS[turn.action].inject(turn, stage)

        stage = Stage(target, runtime, recorder, lambda sending: None, time.sleep, lambda names: None, play)
        able = available(runtime)

        def harm(name: str) -> None:
            step, action = Step.parse(CASES[name]), ACTIONS[name]
            runtime.journal.write(action.undo(step))
            if isinstance(action, ResourceFault):
                action.take(step, stage)  # its effect is seen from outside
            else:
                with suppress(StepInvalid):  # likewise
                    action.inject(step, stage)

        for name in (name for name in AT_ONCE if name in able):
            harm(name)
            print(name, flush=True)
        for name in (name for name in TAKE_THEIR_TIME if name in able):
            Thread(target=harm, args=(name,), daemon=True).start()
            print(name, flush=True)
        time.sleep(1.0)  # until they are under way
        print("all", flush=True)
        time.sleep(600)


if __name__ == "__main__":
    main()
