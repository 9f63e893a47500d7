"""What knockon adds to what has to be waited for anyway, and what shrinking costs.

    python -m benchmarks.overhead [--times 12] [--shrinks 5]

On Docker, in turn: a scenario played by knockon, and the same deeds as bare calls to the engine with a
bare loop that waits for every service's health. Windows that the target asks for are set to the least
for both: nothing is watched after the last fault, and healthy once is steady. Bar: the median of the
ratios, pair by pair, at most 1.15.

Then the two-fault flaw is found and shrunk a few times on ``local``. Bar: the median of the executions
spent on shrinking at most 12.
"""

from __future__ import annotations

import argparse
import time
import urllib.request
from collections.abc import Callable
from statistics import median

import docker

from benchmarks.bars import Bars, run
from benchmarks.shop import HARDENED, session
from fuzzer.search.campaign import SearchOptions
from models.scenario import Scenario
from models.target import Target

RATIO = 1.15
SHRINKS = 12.0
PROJECT_LABEL = "com.docker.compose.project"
SERVICE_LABEL = "com.docker.compose.service"

Bare = Callable[[docker.APIClient, dict[str, str]], None]


def kill_and_start(client: docker.APIClient, ids: dict[str, str]) -> None:
    """The bare calls of ``kill orders-db; start orders-db``."""
    client.kill(ids["orders-db"])
    client.start(ids["orders-db"])


def restart(client: docker.APIClient, ids: dict[str, str]) -> None:
    """The bare call of ``restart product-service``."""
    client.restart(ids["product-service"])


def stop_and_start(client: docker.APIClient, ids: dict[str, str]) -> None:
    """The bare calls of ``stop user-service; start user-service``."""
    client.stop(ids["user-service"])
    client.start(ids["user-service"])


PAIRS: tuple[tuple[str, Bare], ...] = (
    ("kill orders-db; start orders-db", kill_and_start),
    ("restart product-service", restart),
    ("stop user-service; start user-service", stop_and_start),
)


def all_healthy(target: Target) -> bool:
    """Whether every health URL answers well now."""
    for service in target.services.values():
        try:
            with urllib.request.urlopen(str(service.health.url), timeout=1) as answer:
                if answer.status != 200:
                    return False
        except OSError:
            return False
    return True


def bare_s(deeds: Bare, client: docker.APIClient, ids: dict[str, str], target: Target) -> float:
    """Seconds of the bare calls and of the fleet's own recovery."""
    began_s = time.perf_counter()
    deeds(client, ids)
    while not all_healthy(target):
        time.sleep(0.01)
    return time.perf_counter() - began_s


def scenarios(bars: Bars, times: int) -> None:
    """Pairs of a scenario and its bare calls."""
    ratios = []
    with session("docker", HARDENED, limits={"observe_s": 0.0, "steady_s": 0.01}) as opened:
        client = docker.APIClient()
        project = opened.config.project
        ids = {
            c["Labels"][SERVICE_LABEL]: c["Id"]
            for c in client.containers(filters={"label": f"{PROJECT_LABEL}={project}"})
        }
        for number in range(times):
            text, deeds = PAIRS[number % len(PAIRS)]
            played = opened.runner.play(Scenario.parse(text))
            time.sleep(1)  # so that neither meets the other's echo
            bare = bare_s(deeds, client, ids, opened.target)
            time.sleep(1)
            ratios.append(played.seconds / bare)
            bars.console.print(
                f"{text}: {played.seconds:.2f} s with knockon, {bare:.2f} s bare, ratio {ratios[-1]:.2f}"
            )
    bars.hold("median ratio", median(ratios), "<=", RATIO)


def shrinking(bars: Bars, times: int) -> None:
    """Find and shrink the two-fault flaw with several seeds."""
    spent = []
    for seed in range(1, times + 1):
        with session("local", HARDENED, flaws="two-fault") as opened:
            search = SearchOptions(budget_s=300.0, seed=seed, findings=1)
            summary = opened.campaign(search).run()
        if not summary.findings:
            bars.console.print(f"seed {seed}: not found in {summary.scenarios} scenarios")
            continue
        [finding] = summary.findings
        spent.append(finding.shrinking)
        bars.console.print(
            f"seed {seed}: {len(finding.original)} steps to {len(finding.minimal)} "
            f"({finding.minimal}) in {finding.shrinking} executions"
        )
    bars.hold("two-fault found and shrunk", len(spent), ">=", 1)
    bars.hold("median executions of shrinking", median(spent) if spent else float("inf"), "<=", SHRINKS)


def main(bars: Bars) -> None:
    """Both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=12)
    parser.add_argument("--shrinks", type=int, default=5)
    options = parser.parse_args()
    if options.times:
        scenarios(bars, options.times)
    if options.shrinks:
        shrinking(bars, options.shrinks)


if __name__ == "__main__":
    run(main)
