"""Does a fuzzer on Docker keep its hands off everybody else?

    python -m benchmarks.neighbours [--scenarios 500] [--seconds 1200] [--action kill --action crash]

Three tiny services are fuzzed, one of them not opted in, beside two projects: one that nobody opted in, and
one whose services have the very names of those that are fuzzed. Bar: not one container of the neighbours was
restarted, replaced, stopped, paused, limited or attached elsewhere, and so for the service that is not opted
in; while the fuzzed ones were harmed as often as that.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import docker

from benchmarks.bars import Bars, run
from benchmarks.shop import compose
from fuzzer.config import RunConfig
from fuzzer.reports.terminal import Terminal
from fuzzer.search.campaign import SearchOptions
from fuzzer.session import open_session

IMAGE = "python:3.11-slim"
FUZZED, STRANGERS, NAMESAKES = "knockon-bench-fuzzed", "knockon-bench-strangers", "knockon-bench-namesakes"
FIRST_PORT = {FUZZED: 18_940, STRANGERS: 18_950, NAMESAKES: 18_960}
NAMES = ("front", "middle", "back")
LIMITS = {
    "steady_s": 0.2,
    "observe_s": 0.2,
    "baseline_s": 0.5,
    "recovery_s_max": 30,
    "health_latency_ms_max": 500,
}
PROJECT_LABEL = "com.docker.compose.project"
SERVICE_LABEL = "com.docker.compose.service"
UNTOUCHED = "back"
"""Of the fuzzed project; it is not opted in."""
MEANT = tuple(name for name in NAMES if name != UNTOUCHED)


def file_of(project: str, folder: Path) -> Path:
    """A compose file of three services, each a process that answers."""
    services: dict[str, object] = {}
    for number, name in enumerate(NAMES):
        port = FIRST_PORT[project] + number
        services[name] = {
            "image": IMAGE,
            "command": ["python3", "-m", "http.server", "8000", "--directory", "/"],
            "init": True,
            "restart": "unless-stopped",
            "ports": [f"127.0.0.1:{port}:8000"],
            "x-knockon": {
                "enabled": project == FUZZED and name != UNTOUCHED,
                "health": f"http://127.0.0.1:{port}/",
            },
        }
    path = folder / project / "compose.yaml"
    path.parent.mkdir()
    own = {"enabled": project == FUZZED, "limits": LIMITS}
    path.write_text(json.dumps({"version": "2.4", "x-knockon": own, "services": services}))
    return path


@contextmanager
def up(project: str, folder: Path) -> Iterator[Path]:
    """A project that runs, taken down at the end."""
    path = file_of(project, folder)
    try:
        compose(project, (path,), "up", "-d")
        yield path
    finally:
        compose(project, (path,), "down", "-t", "0")


def seen(client: docker.APIClient, project: str) -> dict[str, dict[str, object]]:
    """What must not change, by container."""
    found = {}
    for listed in client.containers(all=True, filters={"label": f"{PROJECT_LABEL}={project}"}):
        told = client.inspect_container(listed["Id"])
        found[told["Config"]["Labels"][SERVICE_LABEL]] = {
            "id": told["Id"],
            "started": told["State"]["StartedAt"],
            "restarts": told["RestartCount"],
            "state": told["State"]["Status"],
            "pid": told["State"]["Pid"],
            "limits": {
                key: told["HostConfig"][key] for key in ("Memory", "CpuQuota", "NanoCpus", "PidsLimit")
            },
            "networks": {
                name: (one["NetworkID"], one["IPAddress"])
                for name, one in told["NetworkSettings"]["Networks"].items()
            },
            "processes": len(client.top(told["Id"])["Processes"]),
        }
    return found


def main(bars: Bars) -> None:
    """Fuzz between two neighbours."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenarios", type=int, default=500)
    parser.add_argument("--seconds", type=float, help="stop after so long, however many were played")
    parser.add_argument("--action", action="append", default=[], help="only these faults, which is quicker")
    options = parser.parse_args()
    client = docker.APIClient()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="knockon-neighbours-")))
        files = {project: stack.enter_context(up(project, folder)) for project in FIRST_PORT}
        before = {project: seen(client, project) for project in FIRST_PORT}
        config = RunConfig(
            (files[FUZZED],), FUZZED, "docker", state=folder / "state", actions=tuple(options.action)
        )
        until_s = time.monotonic() + (options.seconds or float("inf"))
        played, touched = 0, Counter[str]()
        with open_session(config, Terminal(bars.console)) as session:
            while played < options.scenarios and (left_s := until_s - time.monotonic()) > 0:
                search = SearchOptions(options.seconds and left_s, options.scenarios - played, findings=10**6)
                summary = session.campaign(search).run()
                played, touched = played + summary.executions, touched + Counter(summary.touched)
        after = {project: seen(client, project) for project in FIRST_PORT}
    kept = {"left alone in the fuzzed project": (before[FUZZED][UNTOUCHED], after[FUZZED].get(UNTOUCHED))}
    for project in (STRANGERS, NAMESAKES):
        for name in NAMES:
            kept[f"{project} {name}"] = before[project][name], after[project].get(name)
    for place, (then, now) in kept.items():
        if then != now:
            bars.console.print(f"{place} was {then}, is {now}")
    bars.hold("neighbours that changed", sum(then != now for then, now in kept.values()), "==", 0)
    bars.console.print(f"faults that took effect: {touched.total()}, {dict(touched)}, in {played} scenarios")
    bars.hold(
        "faults on anybody else", sum(count for name, count in touched.items() if name not in MEANT), "==", 0
    )
    bars.hold("scenarios", played, ">=", options.scenarios)


if __name__ == "__main__":
    run(main)
