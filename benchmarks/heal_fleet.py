"""A tiny fleet for ``benchmarks.heal``, and what can be seen of it from outside, whoever harmed it.

What is seen is plain text, line by line, so that before and after can be compared, and a difference shown.
"""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from docker import APIClient
from docker.errors import APIError

from fuzzer import procfs
from fuzzer.override import Override
from fuzzer.runtimes.docker.containers import PROJECT, SERVICE
from fuzzer.runtimes.docker.limits import NO_MEMORY_LIMIT
from fuzzer.runtimes.docker.owner import LABEL as OWNER
from fuzzer.safety.runs import folder as runs_folder
from fuzzer.targets.files import load_target

IMAGE = "python:3.11-slim"
PORTS = {"local": 8970, "docker": 8980}
EDGES = "knockon-edges"
ADDRESS = re.compile(r"(\d+\.){3}\d+")
SERVER = (
    "import sys; from http.server import *; S = type('S', (BaseHTTPRequestHandler,), dict("
    "protocol_version='HTTP/1.1', log_message=lambda *a: None, do_GET=lambda s: (s.send_response(200), "
    "s.send_header('Content-Length', '0'), s.end_headers()))); "
    "ThreadingHTTPServer(('', int(sys.argv[1])), S).serve_forever()"
)
SERVICES: dict[str, tuple[str, dict[str, str]]] = {
    "db": ("unless-stopped", {}),
    "api": ("no", {"DB_URL": "http://db:8000"}),
    "web": ("on-failure", {"API_URL": "http://api:8000"}),
}


def files(folder: Path, runtime: str) -> tuple[Path, ...]:
    """The compose file, and for containers the override that puts proxies between them; written if needed."""
    path, edges = folder / "compose.yaml", folder / "edges.yaml"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(_compose(runtime), indent=1))
        if runtime == "docker":
            edges.write_text(Override(load_target([path], {}), version="3.8").text())
    return (path,)


def all_files(folder: Path) -> tuple[Path, ...]:
    """What compose is given."""
    return (folder / "compose.yaml", folder / "edges.yaml")


def _compose(runtime: str) -> dict[str, Any]:
    limits = {"recovery_s_max": 10, "observe_s": 0.3, "steady_s": 0.2, "baseline_s": 1}
    loads = {"visit": {"entry": "web", "path": "/", "rate_rps": 20}}
    return {
        "version": "3.8",
        "x-knockon": {"enabled": True, "limits": limits, "loads": loads},
        "services": {
            name: {
                "image": IMAGE,
                "command": ["python3", "-S", "-c", SERVER, "8000"],
                "restart": policy,
                "environment": told,
                "stop_grace_period": "1s",
                "tmpfs": ["/data:size=4m"],
                "ports": [f"127.0.0.1:{PORTS[runtime] + number}:8000"],
                "x-knockon": {
                    "health": f"http://127.0.0.1:{PORTS[runtime] + number}/",
                    "disk": "/data",
                    "clock": "/etc/faketimerc",
                    "local": {"command": [sys.executable, "-S", "-c", SERVER, str(PORTS[runtime] + number)]},
                },
            }
            for number, (name, (policy, told)) in enumerate(SERVICES.items())
        },
    }


def helpers(folder: Path) -> set[str]:
    """Processes that were told of this folder: the fuzzer, its watchdog, proxies and engines, services."""
    return {
        f"process {pid}: {procfs.command(pid)[:100]}"
        for pid in _pids()
        if pid != os.getpid() and (str(folder) in procfs.command(pid) or str(folder) in _environment(pid))
    }


def _pids() -> Iterator[int]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            yield int(entry.name)


def _environment(pid: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/environ").read_bytes().decode(errors="replace")
    return ""


def files_left(folder: Path) -> set[str]:
    """Fleets in the folder of states, and whatever was made for a moment.

    Not the folder in which all runs of a person note themselves: that stays, and each run tidies it.
    """
    left = [*(folder / "state").glob("fleet-*"), *(folder / "tmp").glob("*")]
    left = [path for path in left if path.name != runs_folder().name]
    return {f"file {path.relative_to(folder)}" for path in left}


def ports_open(runtime: str) -> set[str]:
    """Ports of the fleet on which somebody answers."""
    taken = set()
    for number in range(len(SERVICES)):
        with socket.socket() as trial:
            trial.settimeout(1.0)
            if trial.connect_ex(("127.0.0.1", PORTS[runtime] + number)) == 0:
                taken.add(f"port {PORTS[runtime] + number}")
    return taken


def engine(api: APIClient, project: str) -> set[str]:
    """Containers, their limits and networks, the rules of the kernel, and what runs in them."""
    lines = set()
    for entry in api.containers(all=True, filters={"label": [f"{PROJECT}={project}"]}):
        try:
            lines.update(_container(api, entry["Id"]))
        except APIError as error:
            lines.add(f"{entry['Names'][0]}: {error.explanation}")  # it is just dying or being born
    for network in api.networks(filters={"label": [f"{PROJECT}={project}"]}):
        lines.add(f"network {network['Name']} {network['Driver']}")
        lines.update(_rules(f"br-{network['Id'][:12]}"))
    return lines


def _container(api: APIClient, container: str) -> Iterator[str]:
    data = api.inspect_container(container)
    name, host, state = data["Config"]["Labels"][SERVICE], data["HostConfig"], data["State"]
    yield f"{name}: {state['Status']}, restart {host['RestartPolicy']['Name']}"
    unlimited = host["Memory"] in (0, NO_MEMORY_LIMIT)
    yield f"{name}: memory {None if unlimited else (host['Memory'], host['MemorySwap'])}"
    yield f"{name}: cpu {host['NanoCpus'] or 0} {max(0, host['CpuQuota'] or 0)}"
    yield f"{name}: pids {max(0, host['PidsLimit'] or 0)}"
    for network, end in data["NetworkSettings"]["Networks"].items():
        yield f"{name}: on {network} as {sorted(end['Aliases'] or ())}"
    if state["Status"] == "running":
        with suppress(OSError):
            likely = Path(f"/proc/{state['Pid']}/oom_score_adj").read_text().strip()
            yield f"{name}: oom_score_adj {likely}"
        for row in api.top(container, ps_args="-eo pid,args")["Processes"]:
            yield f"{name}: runs {' '.join(row[1:])[:60]}"
        if name != EDGES:
            yield f"{name}: disk {_inside(api, container, 'ls', '-A', '/data')}"
            offset = _inside(api, container, "sh", "-c", "cat /etc/faketimerc 2>/dev/null || echo +0")
            yield f"{name}: clock {offset}"
        else:
            yield from _toxics(data)


def _inside(api: APIClient, container: str, *words: str) -> str:
    made = api.exec_create(container, list(words))
    said: bytes = api.exec_start(made["Id"])
    return said.decode(errors="replace").strip()


def _toxics(data: dict[str, Any]) -> Iterator[str]:
    port = data["NetworkSettings"]["Ports"]["8474/tcp"][0]["HostPort"]
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/proxies", timeout=5) as answer:
            for name, proxy in json.loads(answer.read()).items():
                yield f"proxy {name}: enabled {proxy['enabled']}, toxics {proxy['toxics']}"
    except (urllib.error.URLError, OSError) as error:
        yield f"proxies: {error}"


def _rules(bridge: str) -> Iterator[str]:
    """Rules of the project's own bridge; addresses may change when a container is started again."""
    for table in ("filter", "nat", "mangle"):
        done = subprocess.run(["iptables", "-t", table, "-S"], capture_output=True, text=True, check=False)
        for line in done.stdout.splitlines():
            if bridge in line:
                yield f"rule {table} {ADDRESS.sub('ADDRESS', line)}"


def marks_of(api: APIClient, pid: int) -> set[str]:
    """Containers that a run labelled as its own."""
    listed = api.containers(all=True, filters={"label": [OWNER]})
    ours = [one for one in listed if json.loads(one["Labels"][OWNER])["pid"] == pid]
    return {f"container {one['Names'][0]}" for one in ours}
