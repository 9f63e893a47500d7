"""How ``benchmarks.load`` runs each load generator, and the server that they are measured against."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
VENV = HERE.parent / ".knockon" / "bench-venv"
INSTALL_S = 300.0
SPARE_S = 60.0
USERS = 50
"""Closed loops (Locust, hey) are given so many users, each with its share of the rate."""


@dataclass
class Run:
    """What one generator says of one run."""

    latencies_ms: list[float]
    cpu_s: float
    took_s: float
    trouble: str = ""

    @property
    def rate_rps(self) -> float:
        """Answers in a second."""
        return len(self.latencies_ms) / self.took_s

    @property
    def cpu_ms(self) -> float:
        """For 1,000 requests."""
        return self.cpu_s * 1e6 / max(1, len(self.latencies_ms))


@dataclass
class Served:
    """What the server says at its end."""

    url: str
    delays_ms: list[float] = field(default_factory=list)
    stall_s: list[float] = field(default_factory=list)


@contextmanager
def serving(stall_after_s: float = 0.0, stall_s: float = 0.0) -> Iterator[Served]:
    """The server, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.load_server"]
    command += ["--stall-after", str(stall_after_s), "--stall", str(stall_s)]
    with subprocess.Popen(
        command, cwd=HERE.parent, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin
        assert process.stdout
        served = Served(f"http://127.0.0.1:{int(process.stdout.readline())}")
        try:
            yield served
            process.stdin.close()
            told = json.loads(process.stdout.read())
            served.delays_ms, served.stall_s = told["delays_ms"], told["stall_s"]
        finally:
            process.kill()


Tool = Callable[[str, float, float], Run]
"""Runs a generator: URL, requests in a second, seconds."""


def _peer(name: str, python: str) -> Tool:
    def run(url: str, rate_rps: float, seconds: float) -> Run:
        command = [python, str(HERE / "load_peers.py"), name, url, str(rate_rps), str(seconds)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + SPARE_S)
        if done.returncode:
            raise RuntimeError(f"{name}: {done.stderr[-500:]}")
        return Run(**json.loads(done.stdout))

    return run


def _locust(python: str) -> Tool:
    def run(url: str, rate_rps: float, seconds: float) -> Run:
        with tempfile.TemporaryDirectory() as folder:
            told = Path(folder) / "told.json"
            environment = os.environ | {"LOCUST_TOLD": str(told), "LOCUST_EACH_RPS": str(rate_rps / USERS)}
            command = [python, "-m", "locust", "-f", str(HERE / "load_locust.py"), "--headless", "-H", url]
            command += ["-u", str(USERS), "-r", str(USERS), "-t", f"{seconds:g}s", "--only-summary"]
            subprocess.run(
                command,
                capture_output=True,
                text=True,
                timeout=seconds + SPARE_S,
                env=environment,
                cwd=folder,
            )
            return Run(**json.loads(told.read_text()))

    return run


def _hey(program: str) -> Tool:
    def run(url: str, rate_rps: float, seconds: float) -> Run:
        with tempfile.TemporaryFile("w+") as answers:
            command = [program, "-z", f"{seconds:g}s", "-c", str(USERS), "-q", f"{rate_rps / USERS:g}"]
            began_s = time.monotonic()
            with subprocess.Popen([*command, "-o", "csv", url], stdout=answers) as process:
                _, _, used = os.wait4(process.pid, 0)
                process.returncode = 0  # it was waited for
            took_s = time.monotonic() - began_s
            answers.seek(0)
            latencies_ms = [float(row["response-time"]) * 1000 for row in csv.DictReader(answers)]
        return Run(latencies_ms, used.ru_utime + used.ru_stime, took_s)

    return run


def tools(tell: Callable[[str], None]) -> dict[str, Tool | None]:
    """Every generator, None for those that are not installed and cannot be."""
    python = _other_libraries(tell)
    hey = shutil.which("hey")
    return {
        "knockon": _peer("ours", sys.executable),
        "knockon, busy core": _peer("ours-busy", sys.executable),
        "requests + threads": _peer("requests", sys.executable),
        "aiohttp": _peer("aiohttp", python) if python else None,
        "Locust": _locust(python) if python else None,
        "hey (Go)": _hey(hey) if hey else None,
    }


def _other_libraries(tell: Callable[[str], None]) -> str:
    """A Python with aiohttp and Locust, apart from everything else; "" if there can be none."""
    python = str(VENV / "bin" / "python")
    check = [python, "-c", "import aiohttp, locust"]
    if VENV.exists() and not subprocess.run(check, capture_output=True).returncode:
        return python
    tell(f"installing aiohttp and Locust into {VENV.relative_to(HERE.parent)}, once")
    try:
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)], check=True, capture_output=True)
        install = [python, "-m", "pip", "install", "--quiet", "aiohttp", "locust"]
        subprocess.run(install, check=True, capture_output=True, timeout=INSTALL_S)
        subprocess.run(check, check=True, capture_output=True)
    except (OSError, subprocess.SubprocessError) as error:
        tell(f"they cannot be installed here: {error}")
        return ""
    return python
