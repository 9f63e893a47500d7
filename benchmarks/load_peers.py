"""Load generators in Python, each as its users would write it; run as a program, one at a time.

    python benchmarks/load_peers.py {ours,ours-busy,requests,aiohttp} URL RATE SECONDS

Prints one line of JSON: ``latencies_ms``, ``cpu_s`` (its own, from the first request to the last answer,
without the time to import libraries; for ours with that of the engine, its start included), ``took_s``
(without any start), ``trouble``. All are open loops, and count latency from the intended send time: one
that stalls with its server would be compared with something else.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

WORKERS = 512
"""Threads beside ``requests``; enough for every request that is due while a server stalls."""

Figures = tuple[list[float], float, str]
"""Latencies in ms, seconds that sending took, trouble."""


def ours(url: str, rate_rps: float, seconds: float) -> Figures:
    """The engine of knockon, with the thread that listens to it."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from fuzzer.loads.running import RunningLoads
    from models.load import Endpoint, Load, LoadRun, Phase, Request, Shape

    latencies_ms: list[float] = []
    runs: list[LoadRun] = []

    class Sink:
        def saw_request(self, seen: Request) -> None:
            assert seen.good, seen
            latencies_ms.append(seen.latency_ms)

        def saw_load(self, run: LoadRun) -> None:
            runs.append(run)

    loads = RunningLoads(Sink(), time.monotonic)
    load = Load("bench", (Endpoint("GET /", "server"),), rate_rps, timeout_s=30.0)
    loads.start(load, {"server": url}, Phase.DURING, Shape.STEADY, rate_rps, seconds)
    while not loads.quiet:
        time.sleep(0.05)
    loads.stop()
    ended_s = runs[-1].ended_s
    assert ended_s
    return latencies_ms, ended_s - runs[-1].began_s, runs[-1].trouble


def ours_busy(url: str, rate_rps: float, seconds: float) -> Figures:
    """The same while the process that listens is busy, as a fuzzer is; both on one and the same core."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})  # the engine inherits it
    over = threading.Event()

    def judge() -> None:
        while not over.is_set():
            sum(number * number for number in range(1000))

    thread = threading.Thread(target=judge)
    thread.start()
    try:
        return ours(url, rate_rps, seconds)
    finally:
        over.set()
        thread.join()


def with_requests(url: str, rate_rps: float, seconds: float) -> Figures:
    """A session for each thread of a pool."""
    import requests

    own = threading.local()
    latencies_ms: list[float] = []

    def send(due_s: float) -> None:
        if not hasattr(own, "session"):
            own.session = requests.Session()
        own.session.get(url).raise_for_status()
        latencies_ms.append((time.monotonic() - due_s) * 1000)

    with ThreadPoolExecutor(WORKERS) as pool:
        began_s = time.monotonic()
        for number in range(int(rate_rps * seconds)):
            due_s = began_s + number / rate_rps
            time.sleep(max(0.0, due_s - time.monotonic()))
            pool.submit(send, due_s)
    return latencies_ms, time.monotonic() - began_s, ""


def with_aiohttp(url: str, rate_rps: float, seconds: float) -> Figures:
    """A task for each request."""
    import aiohttp  # type: ignore[import-not-found,unused-ignore]  # in a venv of its own

    latencies_ms: list[float] = []

    async def send(session: aiohttp.ClientSession, due_s: float) -> None:
        async with session.get(url) as answer:
            await answer.read()
        latencies_ms.append((time.monotonic() - due_s) * 1000)

    async def main() -> float:
        async with (
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session,
            asyncio.TaskGroup() as group,
        ):
            began_s = time.monotonic()
            for number in range(int(rate_rps * seconds)):
                due_s = began_s + number / rate_rps
                await asyncio.sleep(max(0.0, due_s - time.monotonic()))
                group.create_task(send(session, due_s))
        return time.monotonic() - began_s

    return latencies_ms, asyncio.run(main()), ""


GENERATORS: dict[str, Callable[[str, float, float], Figures]] = {
    "ours": ours,
    "ours-busy": ours_busy,
    "requests": with_requests,
    "aiohttp": with_aiohttp,
}


def cpu_s() -> float:
    """What this process and its children that ended have used."""
    both = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(used.ru_utime + used.ru_stime for used in both)


def main() -> None:
    """Import, measure, tell."""
    name, url, rate_rps, seconds = sys.argv[1], sys.argv[2], float(sys.argv[3]), float(sys.argv[4])
    generate = GENERATORS[name]
    if name in ("requests", "aiohttp"):
        __import__(name)
    before_s = cpu_s()
    latencies_ms, took_s, trouble = generate(url, rate_rps, seconds)
    told = {"latencies_ms": latencies_ms, "cpu_s": cpu_s() - before_s, "took_s": took_s, "trouble": trouble}
    print(json.dumps(told))


if __name__ == "__main__":
    main()
