"""A few tiny containers that call each other directly: no proxy stands on any of their connections."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from typing import Any

from fuzzer.runtimes.docker.runtime import DockerRuntime
from fuzzer.targets.files import load_target
from models.target import Target

OUTSIDE = Path(__file__).with_name("outside.py")

SERVE = (
    "import http.server as h\n"
    "class H(h.BaseHTTPRequestHandler):\n"
    "    protocol_version = 'HTTP/1.1'\n"
    "    def do_GET(self):\n"
    "        self.send_response(200); self.send_header('Content-Length', '100'); self.end_headers()\n"
    "        self.wfile.write(b'well' * 25)\n"
    "h.ThreadingHTTPServer(('', 8000), H).serve_forever()\n"
)
"""Every one of them answers on port 8000."""


def compose(calls: Mapping[str, Sequence[str]]) -> str:
    """A compose file: who calls whom."""
    services = {
        name: {
            "image": "python:3.11-slim",
            "command": ["python3", "-c", SERVE],
            "stop_grace_period": "0s",
            "restart": "unless-stopped",
            "environment": {
                f"{other.upper().replace('-', '_')}_URL": f"http://{other}:8000" for other in others
            },
            "ports": ["127.0.0.1::8000"],
            "x-knockon": {"soft": list(others)},
        }
        for name, others in calls.items()
    }
    limits = {"recovery_s_max": 20, "observe_s": 0.3, "steady_s": 0.2}
    return json.dumps(
        {"version": "3.8", "x-knockon": {"enabled": True, "limits": limits}, "services": services}
    )


class Unwired:
    """A project of such containers, up."""

    def __init__(self, folder: Path, calls: Mapping[str, Sequence[str]]) -> None:
        self.name = f"kdirect{token_hex(3)}"
        self.file = folder / "compose.yaml"
        self.file.write_text(compose(calls))

    @property
    def target(self) -> Target:
        return load_target([self.file], {"COMPOSE_PROJECT_NAME": self.name})

    def runtime(self) -> DockerRuntime:
        return DockerRuntime(self.target, project=self.name)

    def compose(self, *words: str) -> str:
        done = subprocess.run(
            ["docker-compose", "-p", self.name, "-f", str(self.file), *words],
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def ask(
        self, caller: str, dependency: str, times: int = 1, timeout_s: float = 5.0
    ) -> list[dict[str, Any]]:
        """What the caller would see, from a process of its own in its container; many ask at once.

        Nothing while the caller is down.
        """
        url = f"http://{dependency}:8000/health"
        at_once = ["at-once"] if times > 10 else []
        program = ["python3", "-c", OUTSIDE.read_text(), url, str(times), str(timeout_s), *at_once]
        words = ["docker", "exec", f"{self.name}_{caller}_1", *program]
        done = subprocess.run(words, capture_output=True, text=True, timeout=times * timeout_s + 30)
        asked: list[dict[str, Any]] = [] if done.returncode else json.loads(done.stdout)
        return asked


@contextmanager
def unwired(folder: Path, calls: Mapping[str, Sequence[str]]) -> Iterator[Unwired]:
    """Such a project, for as long as the context lasts."""
    assert shutil.which("docker-compose"), "there is no docker-compose: make engine"
    made = Unwired(folder, calls)
    try:
        made.compose("up", "-d")
        yield made
    finally:
        with suppress(AssertionError):
            made.compose("down", "-t", "0", "-v")
