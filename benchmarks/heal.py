"""What is left when the fuzzer is killed: nothing, soon.

    python -m benchmarks.heal [--local 100] [--docker 100] [--seed N]

A fuzzer that plays random scenarios of all actions is sent SIGKILL at random moments, also while it starts.
Before and after, everything is looked at from outside (``heal_fleet``): containers with their state, limits
and networks, rules of the kernel, proxies, processes, files. The time until it is healed counts from the
kill to the end of the watchdog. Bars: nothing is left; half of the fleets are healed within 5 s, and each
within 15 s (who is being stopped is given the time that it has for that, before it is started again).
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from threading import Thread

from benchmarks import heal_fleet as fleet
from benchmarks.bars import Bars, run
from benchmarks.shop import containers
from fuzzer.runtimes.docker.clients import default_client
from fuzzer.watchdog.order import LOG
from models.errors import RuntimeUnavailable

STARTING_SHARE = 0.15
"""So many are killed while they start; the others once they play."""
STARTS_S, PLAYS_S = 6.0, 8.0
READY_S = 120.0
GONE_S = 60.0
SETTLE_S = 15.0
"""Whom a restart policy is bringing back may take that long."""

MEDIAN_S, MOST_S = 5.0, 15.0


@dataclass
class Killed:
    """One fuzzer that was killed: during which step, and what came of it."""

    step: str
    healed_s: float
    watched: bool
    left: set[str] = field(default_factory=set)


def killed(
    runtime: str, folder: Path, dice: random.Random, seen: Callable[[int], set[str]], before: set[str]
) -> Killed:
    """Start a fuzzer, kill it, wait until its watchdog has ended, compare."""
    (folder / "tmp").mkdir(exist_ok=True)
    complaints = folder / "fuzzer.err"
    fuzzer = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.heal_fuzzer", runtime, str(folder), str(dice.getrandbits(32))],
        env={**os.environ, "TMPDIR": str(folder / "tmp")},
        stdout=subprocess.PIPE,
        stderr=complaints.open("w"),
        text=True,
        start_new_session=True,
    )
    steps: list[str] = []
    assert fuzzer.stdout
    lines = fuzzer.stdout
    reader = Thread(target=lambda: [steps.append(line.strip()) for line in lines], daemon=True)
    reader.start()
    if dice.random() < STARTING_SHARE:
        time.sleep(dice.uniform(0.5, STARTS_S))
    else:
        wait(lambda: bool(steps) or fuzzer.poll() is not None, READY_S)
        time.sleep(dice.uniform(0, PLAYS_S))
    if fuzzer.poll() is not None:
        said = complaints.read_text()[-2000:]
        raise RuntimeUnavailable(f"the fuzzer ended by itself with code {fuzzer.returncode}:\n{said}")
    step = steps[-1] if steps else "(starting)"
    watched = any("fuzzer.watchdog" in one for one in fleet.helpers(folder))
    began_s = time.monotonic()
    fuzzer.send_signal(signal.SIGKILL)
    wait(lambda: not any("fuzzer.watchdog" in one for one in fleet.helpers(folder)), GONE_S)
    healed_s = time.monotonic() - began_s
    fuzzer.wait()
    reader.join()
    result = Killed(step, healed_s, watched)
    wait(lambda: seen(fuzzer.pid) == before, SETTLE_S)
    result.left = seen(fuzzer.pid) ^ before
    return result


def wait(condition: Callable[[], bool], limit_s: float) -> None:
    """Until it is so, or the time is over."""
    until_s = time.monotonic() + limit_s
    while not condition() and time.monotonic() < until_s:
        time.sleep(0.02)


def measure(runtime: str, times: int, seed: int, bars: Bars) -> list[Killed]:
    """Kill so many on one runtime."""
    folder = Path(tempfile.mkdtemp(prefix=f"knockonheal{runtime}")).resolve()
    fleet.files(folder, runtime)
    docker = runtime == "docker"
    api = default_client() if docker else None
    results = []
    try:
        with (
            closing(api) if api else nullcontext(),
            containers(folder.name, fleet.all_files(folder)) if docker else nullcontext(),
        ):

            def seen(pid: int) -> set[str]:
                mine = fleet.helpers(folder) | fleet.files_left(folder)
                if api is None:
                    return mine | fleet.ports_open(runtime)
                return mine | fleet.engine(api, folder.name) | fleet.marks_of(api, pid)

            if api:
                time.sleep(3)
            before = seen(0)
            for number in range(times):
                one = killed(runtime, folder, random.Random(f"{seed} {runtime} {number}"), seen, before)
                results.append(one)
                early = "" if one.watched else " (no watchdog yet)"
                bars.console.print(f"{runtime} {number + 1}/{times}: {one.healed_s:.2f} s{early} {one.step}")
                for line in sorted(one.left):
                    bars.console.print(f"  LEFT {line}")
                if one.left:
                    bars.console.print((folder / "state" / LOG).read_text()[-2000:])
                    before = seen(0)  # what is left now is not counted again
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return results


def main(bars: Bars) -> None:
    """Kill, and compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--local", type=int, default=100, help="how many on processes")
    parser.add_argument("--docker", type=int, default=100, help="how many on containers")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().getrandbits(16))
    options = parser.parse_args()
    bars.console.print(f"seed {options.seed}")
    rows: list[tuple[object, ...]] = []
    every: list[Killed] = []
    for runtime, times in (("local", options.local), ("docker", options.docker)):
        results = measure(runtime, times, options.seed, bars) if times else []
        watched = [one.healed_s for one in results if one.watched]
        every += results
        if watched:
            left = sum(bool(one.left) for one in results)
            row = (runtime, len(results), len(watched), left, f"{median(watched):.2f}", f"{max(watched):.2f}")
            rows.append(row)
    steps = Counter(one.step.partition(" ")[0] for one in every)
    told = ", ".join(f"{name} {count}x" for name, count in sorted(steps.items()))
    bars.console.print(f"killed during: {told}")
    columns = ("runtime", "killed", "with a watchdog", "left something", "median s", "most s")
    bars.table("from SIGKILL to the end of the watchdog", columns, rows)
    times_s = [one.healed_s for one in every if one.watched]
    bars.hold("fuzzers that left something", sum(bool(one.left) for one in every), "==", 0)
    bars.hold("median time to healed", median(times_s), "<=", MEDIAN_S, " s")
    bars.hold("longest time to healed", max(times_s), "<=", MOST_S, " s")


if __name__ == "__main__":
    run(main)
