"""The loads of the scenario that plays: sender processes, and their answers as observations."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

from models.errors import StepInvalid
from models.observation import Request
from models.target import Load

TIMEOUT_S = 10.0
PACKAGE_ROOT = Path(__file__).resolve().parents[2]


@dataclass
class _Sending:
    process: subprocess.Popen[str]
    reader: Thread
    ends_s: float


class RunningLoads:
    """Senders that run beside the scenario.

    Args:
        report: called with each request, from a thread of its own.
        now: the runtime's clock, which is the system's monotonic clock wherever senders run.
    """

    def __init__(self, report: Callable[[Request], None], now: Callable[[], float]) -> None:
        self._report = report
        self._now = now
        self._sending: list[_Sending] = []

    @property
    def ends_s(self) -> float:
        """When the last load is over, answers included where they come."""
        return max((sending.ends_s for sending in self._sending), default=float("-inf"))

    def start(self, load: Load, url: str, rate_rps: float, duration_s: float) -> None:
        """Start to send; returns when the sender is ready.

        Raises:
            StepInvalid: the sender did not start.
        """
        order = {
            "url": url,
            "method": load.method,
            "path": load.path,
            "body": load.body,
            "rate_rps": rate_rps,
            "duration_s": duration_s,
            "timeout_s": TIMEOUT_S,
        }
        process = subprocess.Popen(
            [sys.executable, "-m", "fuzzer.loads.sender"],
            cwd=PACKAGE_ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,  # Ctrl-C is for the runner, which then ends its senders
        )
        assert process.stdin
        assert process.stdout
        try:
            process.stdin.write(json.dumps(order) + "\n")
            process.stdin.flush()
            ready = process.stdout.readline().strip() == "ready"
        except OSError:
            ready = False
        if not ready:
            process.kill()
            process.wait()
            raise StepInvalid(f"the sender of load {load.name} did not start")
        reader = Thread(target=self._read, args=(load.name, process), daemon=True)
        reader.start()
        self._sending.append(_Sending(process, reader, self._now() + duration_s))

    def _read(self, name: str, process: subprocess.Popen[str]) -> None:
        assert process.stdout
        for line in process.stdout:
            try:
                intended_s, latency_ms, status, error = json.loads(line)
            except ValueError:
                continue  # the sender was killed in the middle of a line
            self._report(Request(name, intended_s, latency_ms, status, error))

    def stop(self) -> None:
        """End every sender; what it sent so far is kept."""
        for sending in self._sending:
            sending.process.kill()
        for sending in self._sending:
            sending.process.wait()
            sending.reader.join(timeout=5)
            for stream in (sending.process.stdin, sending.process.stdout):
                if stream:
                    stream.close()
        self._sending.clear()
