"""A scenario as commands of Pumba, which kills, stops and pauses containers and shapes their traffic.

Pumba (https://github.com/alexei-led/pumba) names containers by a regular expression after ``re2:``. It pauses
for a given time, and shapes all that a container sends, not one connection: what it does instead is told.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence

from fuzzer.actions.catalogue import ACTIONS
from models.link import ANY, Link
from models.scenario import Scenario
from models.some import service_of
from models.step import Step

LAST_S = 5.0
"""For how long a fault lasts that nothing in the scenario ends."""


def pumba_lines(scenario: Scenario, project: str) -> Iterator[str]:
    """One line a step; each fault lasts until the step that lifts it."""
    steps = [turn for step in scenario for turn in ACTIONS[step.action].turns(step) or (step,)]
    for number, step in enumerate(steps):
        yield from _lines(step, _lasts_s(steps, number), project)


def _lasts_s(steps: Sequence[Step], number: int) -> float:
    """How long the waits are until something lifts a step's fault."""
    seconds = 0.0
    for later in steps[number + 1 :]:
        if later.action in ("heal", "unpause", "start"):
            break
        seconds += later.number_or("duration_s", 0.0) if later.action == "wait" else 0.0
    return seconds or LAST_S


def _lines(step: Step, lasts_s: float, project: str) -> Iterator[str]:
    match step.action:
        case "wait":
            yield f"sleep {step.number('duration_s'):g}"
        case "kill" | "stop":
            for name in step.targets:
                signal = ("--signal", "SIGKILL") if step.action == "kill" else ()
                yield shlex.join(["pumba", step.action, *signal, _container(project, name)])
        case "pause":
            for name in step.targets:
                words = ["pumba", "pause", "--duration", f"{lasts_s:g}s", _container(project, name)]
                yield f"{shlex.join(words)} &"
        case "restart":
            for name in step.targets:
                yield shlex.join(["pumba", "restart", _container(project, name)])
        case "latency" | "loss" | "bandwidth":
            yield from _shaped(step, lasts_s, project)
        case "heal" | "unpause":
            yield f"# {step}: Pumba ends pauses and shaping by itself; what was killed needs `docker start`"
        case _:
            yield f"# {step}: Pumba has no equivalent"


def _shaped(step: Step, lasts_s: float, project: str) -> Iterator[str]:
    link = Link.parse(step.targets[0])
    callers = link.callers if link and link.callers != (ANY,) else ()
    if not callers:
        yield f"# {step}: Pumba shapes what one container sends; name a caller"
    for caller in callers:
        netem = ["pumba", "netem", "--duration", f"{lasts_s:g}s", "--tc-image", "gaiadocker/iproute2"]
        yield f"{shlex.join([*netem, *_netem(step), _container(project, caller)])} &"
        yield f"# all that {caller} sends is shaped, not only what goes along {step.targets[0]}"


def _netem(step: Step) -> tuple[str, ...]:
    match step.action:
        case "latency":
            jitter = step.number_or("jitter_ms", 0)
            return ("delay", "--time", f"{step.number('delay_ms'):g}", "--jitter", f"{jitter:g}")
        case "loss":
            return ("loss", "--percent", f"{step.number('percent'):g}")
        case _:
            return ("rate", "--rate", f"{step.number('rate_kbps'):g}kbit")


def _container(project: str, name: str) -> str:
    own = f"{project}[-_]{service_of(name)}".replace(".", r"\.")
    return f"re2:^/?{own}[-_][0-9]+$"
