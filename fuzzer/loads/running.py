"""The loads of the scenario that plays: engines, and what they tell, as observations."""

from __future__ import annotations

import json
import select
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from threading import Thread
from typing import Any

from fuzzer import kin
from fuzzer.loads.base import LoadSink
from fuzzer.loads.order import Order
from fuzzer.loads.schedule import due_count
from models.errors import StepInvalid
from models.load import LATE_MS, Load, LoadRun, Phase, Request, Shape

PACKAGE_ROOT = Path(__file__).resolve().parents[2]

LATE_SHARE_MOST = 0.05
"""More late ones than this, and the engine did not keep its schedule."""

PATIENCE_S = 5.0
"""How long after the last answer was due an engine may take to end by itself."""

READY_S = 20.0
"""How long an engine may take to begin. A busy machine needs a second or two."""


class _Sending:
    """One engine and the thread that listens to it."""

    def __init__(
        self, load: Load, run: LoadRun, process: subprocess.Popen[str], duration_s: float, due: int
    ) -> None:
        self.load = load
        self.due = due
        self.run = run
        self.process = process
        self.ends_s = run.began_s + duration_s
        self.stopped = ""
        self.reader: Thread | None = None


class RunningLoads:
    """Engines that run beside the scenario.

    Args:
        sink: told of each request, from threads of its own.
        now: the runtime's clock, which is the system's monotonic clock wherever engines run.
    """

    def __init__(self, sink: LoadSink, now: Callable[[], float]) -> None:
        self._sink = sink
        self._now = now
        self._sending: list[_Sending] = []

    @property
    def ends_s(self) -> float:
        """When the last request of all loads is due."""
        return max((sending.ends_s for sending in self._sending), default=float("-inf"))

    @property
    def quiet(self) -> bool:
        """Whether every load is over, and every answer was told."""
        return not any(sending.reader and sending.reader.is_alive() for sending in self._sending)

    def start(
        self,
        load: Load,
        urls: Mapping[str, str],
        phase: Phase,
        shape: Shape,
        rate_rps: float,
        duration_s: float,
    ) -> None:
        """Start to send; returns when the engine is ready."""
        process = subprocess.Popen(
            [sys.executable, "-m", "fuzzer.loads.engine"],
            cwd=PACKAGE_ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=kin.environment(),
            start_new_session=True,  # Ctrl-C is for the runner, which then ends its engines
        )
        try:
            began_s = _begun_s(process, Order.of(load, urls, rate_rps, duration_s, shape))
        except BaseException as error:
            _end(process)
            if isinstance(error, OSError | ValueError | LookupError):
                raise StepInvalid(f"the engine of load {load.name} did not start") from error
            raise
        run = LoadRun(load, phase, rate_rps, began_s)
        self._sink.saw_load(run)
        sending = _Sending(load, run, process, duration_s, due_count(rate_rps, duration_s))
        sending.reader = Thread(target=self._listen, args=(sending,), daemon=True)
        self._sending.append(sending)
        sending.reader.start()

    def check(self) -> None:
        """End an engine that does not end by itself; what it told so far is kept."""
        for sending in self._sending:
            given_s = sending.ends_s + sending.load.timeout_s + PATIENCE_S
            if self._now() > given_s and sending.process.poll() is None:
                self._stop(sending, "did not end by itself")

    def stop(self) -> None:
        """End every engine; what it told so far is kept."""
        for sending in self._sending:
            self._stop(sending, "was stopped")
        for sending in self._sending:
            if sending.reader:
                sending.reader.join(timeout=5)
            _end(sending.process)
        self._sending.clear()

    def _stop(self, sending: _Sending, why: str) -> None:
        if sending.process.poll() is None:
            sending.stopped = sending.stopped or why
            sending.process.kill()

    def _listen(self, sending: _Sending) -> None:
        assert sending.process.stdout
        late = answers = 0
        done = False
        for line in sending.process.stdout:
            if line == "done\n":
                done = True
                continue
            try:
                seen = _request(sending.load, json.loads(line))
            except (ValueError, LookupError, TypeError):
                continue  # the engine was killed in the middle of a line
            answers += 1
            late += seen.lag_ms > LATE_MS
            self._sink.saw_request(seen)
        trouble = _trouble(sending, done, answers, late)
        if trouble:
            trouble = f"the engine of load {sending.load.name} {trouble}"
        self._sink.saw_load(replace(sending.run, ended_s=self._now(), trouble=trouble))


def _trouble(sending: _Sending, done: bool, answers: int, late: int) -> str:
    if not done:
        return sending.stopped or _death(sending.process)
    if answers != sending.due:
        return f"told of {answers} of {sending.due} requests"
    if late > LATE_SHARE_MOST * answers:
        return (
            f"fell behind its schedule: {late} of {answers} requests were sent, or their answers read, "
            f"more than {LATE_MS:g} ms late"
        )
    return ""


def _begun_s(process: subprocess.Popen[str], order: Order) -> float:
    """Give an engine its order; when it began.

    Raises:
        OSError: it ended, or took too long.
        ValueError, LookupError: it says something else.
    """
    assert process.stdin
    assert process.stdout
    process.stdin.write(order.dumps() + "\n")
    process.stdin.flush()
    if not select.select([process.stdout], [], [], READY_S)[0]:
        raise TimeoutError
    word, began_s = process.stdout.readline().split()
    if word != "ready":
        raise ValueError(word)
    return float(began_s)


def _request(load: Load, told: list[Any]) -> Request:
    index, intended_s, lag_ms, latency_ms, status, error, written = told
    return Request(
        load.name, load.endpoints[index].name, intended_s, latency_ms, status, error, lag_ms, written
    )


def _death(process: subprocess.Popen[str]) -> str:
    try:
        code = process.wait(PATIENCE_S)
    except subprocess.TimeoutExpired:
        return "closed its output before its time"
    how = f"by signal {-code}" if code < 0 else f"with code {code}"
    return f"ended before its time, {how}"


def _end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait()
    for stream in (process.stdin, process.stdout):
        if stream:
            with suppress(OSError):  # what could not be written is of no use now
                stream.close()
