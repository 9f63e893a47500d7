"""How well knockon measures a recovery: its own figure against what really happened.

    python -m benchmarks.recovery [--runtime docker] [--times 20]

Truth: from the death as the engine's (or the kernel's) own record has it, to the moment at which the
service's log says that it is ready. Services without hard dependencies are crashed, since those answer
health probes as soon as they are ready. Bar: median error at most 50 ms.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from benchmarks.bars import Bars, run
from benchmarks.shop import HARDENED, session
from fuzzer.session import Session
from models.history import Recovered
from models.scenario import Scenario

SERVICES = ("product-service", "analytics-service", "orders-db")
MEDIAN_ERROR_MS = 50.0
READY = re.compile(r"ready ts=([\d.]+)")


def docker_log(opened: Session, service: str) -> str:
    """What a container wrote."""
    container = opened.runtime.status(service).instances[0]
    done = subprocess.run(["docker", "logs", container], capture_output=True, text=True, check=True)
    return done.stdout + done.stderr


def local_log(opened: Session, service: str) -> str:
    """What a process wrote."""
    folder = getattr(opened.runtime, "logs")  # noqa: B009 - only the local runtime has it
    assert isinstance(folder, Path)
    return (folder / f"{service}.log").read_text()


def truth_s(recovered: Recovered, log: str) -> float:
    """From the death to the first readiness after it."""
    wall_minus_clock_s = time.time() - time.monotonic()
    died_s = recovered.died_s + wall_minus_clock_s
    ready = [float(at) for at in READY.findall(log) if float(at) > died_s]
    return ready[0] - died_s


def main(bars: Bars) -> None:
    """Crash, measure, compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runtime", default="docker")
    parser.add_argument("--times", type=int, default=20)
    options = parser.parse_args()
    read_log: Callable[[Session, str], str] = docker_log if options.runtime == "docker" else local_log
    truths, errors_ms = [], []
    with session(options.runtime, HARDENED) as opened:
        for number in range(options.times):
            service = SERVICES[number % len(SERVICES)]
            played = opened.runner.play(Scenario.parse(f"crash {service}"))
            assert played.history, played.reason
            [recovered] = played.history.recoveries()
            true_s = truth_s(recovered, read_log(opened, service))
            truths.append(true_s)
            errors_ms.append((recovered.recovery_s - true_s) * 1000)
            bars.console.print(
                f"{service}: {recovered.recovery_s * 1000:.0f} ms measured, {true_s * 1000:.0f} ms in truth"
            )
    bars.console.print(f"recoveries: {len(truths)}, median {median(truths) * 1000:.0f} ms in truth")
    bars.hold("median error", median(abs(error) for error in errors_ms), "<=", MEDIAN_ERROR_MS, " ms")


if __name__ == "__main__":
    run(main)
