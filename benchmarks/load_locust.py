"""Locust's side of ``benchmarks.load``: its fast client, as many users as together make the rate.

``LOCUST_TOLD`` names the file for its figures, ``LOCUST_EACH_RPS`` is the rate of one user.
"""

# mypy: disable-error-code="import-not-found,misc,untyped-decorator"

from __future__ import annotations

import json
import os
import resource
import time
from pathlib import Path

from locust import FastHttpUser, constant_throughput, events, task

latencies_ms: list[float] = []
began: list[float] = []


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


class Visitor(FastHttpUser):
    """Asks at a fixed rate, but never before its last question was answered."""

    wait_time = constant_throughput(float(os.environ["LOCUST_EACH_RPS"]))

    @task
    def ask(self) -> None:
        """One request."""
        self.client.get("/")


@events.test_start.add_listener
def start(**_: object) -> None:
    """Imports are over."""
    began.extend((_cpu_s(), time.monotonic()))


@events.request.add_listener
def note(response_time: float, exception: object, **_: object) -> None:
    """What Locust says that a request took."""
    if exception is None:
        latencies_ms.append(response_time)


@events.test_stop.add_listener
def stop(**_: object) -> None:
    """Tell."""
    told = {
        "latencies_ms": latencies_ms,
        "cpu_s": _cpu_s() - began[0],
        "took_s": time.monotonic() - began[1],
        "trouble": "",
    }
    Path(os.environ["LOCUST_TOLD"]).write_text(json.dumps(told))
