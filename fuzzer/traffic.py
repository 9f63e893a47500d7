"""What is sent beside one scenario: before, during and after it; and what is left of it.

    before   the same loads on a fleet that is well: what is normal here and now
    during   the scenario's own load steps
    after    the same loads again, until clients are served as before or all excuses are over
    at last  every acknowledged write is read back

A scenario without a load step sends nothing and spends no time here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeAlias

from fuzzer.actions.base import Sending
from fuzzer.actions.catalogue import ACTIONS
from fuzzer.loads.base import Loads
from fuzzer.recorder import Recorder
from fuzzer.runtimes.base import Runtime
from invariants.metastability import served_as_before
from models.errors import StepInvalid
from models.history import History
from models.load import Phase, Shape, Written
from models.scenario import Scenario
from models.statistics import SAMPLES_LEAST, exceeds
from models.target import Target

BASELINE_S_MOST = 5.0
"""A baseline is not stretched beyond this to collect samples at a low rate."""

FIRST_ANSWER_S = 1.0
"""How long a load step waits for its first answer; one that hangs is under way all the same."""

SLICE_S = 0.02

CONTROL = 50
"""So many of the newest writes are read back in any case, to tell whether reading works at all."""


class Beside(Protocol):
    """What goes on beside one scenario."""

    @property
    def ends_s(self) -> float:
        """When the last request is due that was ordered so far; the fleet is healed after that."""
        ...

    def before(self) -> None:
        """Before the first step: measure what is normal.

        Raises:
            StepInvalid: the scenario cannot begin.
        """
        ...

    def send(self, sending: Sending) -> None:
        """Start a load of the scenario's own; returns when its first request was answered."""
        ...

    def after(self, excused_until_s: float) -> None:
        """When all is healed: see how clients are served, on a fleet that is steady or had its time."""
        ...

    def end(self) -> None:
        """Send nothing more, however the scenario ended."""
        ...


PassTime: TypeAlias = Callable[[float], None]
MakeTraffic: TypeAlias = Callable[[Scenario, PassTime, Callable[[], History]], Beside]
"""Lets seconds pass while the fleet is watched; makes what goes on beside a scenario."""


class Traffic:
    """The loads of one scenario.

    Args:
        pass_time: lets seconds pass while the fleet is watched.
        history: the record so far.
    """

    def __init__(
        self,
        scenario: Scenario,
        target: Target,
        runtime: Runtime,
        recorder: Recorder,
        loads: Loads,
        pass_time: PassTime,
        history: Callable[[], History],
    ) -> None:
        self._target = target
        self._runtime = runtime
        self._recorder = recorder
        self._loads = loads
        self._pass_time = pass_time
        self._history = history
        self._clock = runtime.clock
        sent = (ACTIONS[step.action].sends(step, target) for step in scenario)
        self._normal = _normal([sending for sending in sent if sending], target)

    @property
    def ends_s(self) -> float:
        """When the last request is due that was ordered so far."""
        return self._loads.ends_s

    def before(self) -> None:
        """Measure what is normal.

        Raises:
            StepInvalid: a load is not answered well although nothing was done to the fleet yet.
        """
        if not self._normal:
            return
        self._loads.count_calls()
        self._send_normal(Phase.BEFORE)
        self._refuse_sick_baseline()

    def send(self, sending: Sending) -> None:
        """Start a load of the scenario's own; returns when its first request was answered."""
        seen = self._recorder.requests_of(sending.load.name)
        self._start(sending, Phase.DURING)
        deadline_s = self._clock.now() + FIRST_ANSWER_S
        while self._recorder.requests_of(sending.load.name) == seen and self._clock.now() < deadline_s:
            self._clock.sleep(SLICE_S)

    def after(self, excused_until_s: float) -> None:
        """See whether clients are served as before; in time, or not at all. Then read back."""
        if not self._normal:
            return
        self._until_quiet()
        while True:
            began_s = self._clock.now()
            self._send_normal(Phase.AFTER)
            if began_s > excused_until_s or served_as_before(self._history(), self._target):
                break
        self._read_back()

    def end(self) -> None:
        """Send nothing more, and count nothing more."""
        self._loads.stop()

    def _start(self, sending: Sending, phase: Phase) -> None:
        urls = {}
        for service in sending.load.services:
            url = self._runtime.url(service)
            if url is None:
                raise StepInvalid(f"{service} has no address now: the runtime published no port for it")
            urls[service] = url
        self._loads.start(sending.load, urls, phase, sending.shape, sending.rate_rps, sending.duration_s)

    def _send_normal(self, phase: Phase) -> None:
        for sending in self._normal:
            self._start(sending, phase)
        self._until_quiet()

    def _until_quiet(self) -> None:
        while not self._loads.quiet:
            self._loads.check()
            self._pass_time(SLICE_S)

    def _refuse_sick_baseline(self) -> None:
        history = self._history()
        for run in history.loads:
            if run.trouble:
                raise StepInvalid(run.trouble)
        for sending in self._normal:
            sent = [request for request in history.requests if request.load == sending.load.name]
            bad = [request for request in sent if not request.good]
            if sent and all(request.status in range(400, 500) for request in sent):
                raise StepInvalid(
                    f"load {sending.load.name}: every request was answered with {sent[0].status} before any "
                    "fault; look at its path, method and body"
                )
            if exceeds(len(bad), len(sent), self._target.limits.error_rate_max):
                kinds = ", ".join(sorted({request.kind for request in bad}))
                raise StepInvalid(
                    f"load {sending.load.name} is not answered well before any fault: "
                    f"{len(bad)} of {len(sent)} requests failed ({kinds})"
                )

    def _read_back(self) -> None:
        history = self._history()
        written = [
            Written(request.load, request.endpoint, request.written, request.ended_s, durable)
            for request in history.requests
            if request.written and (durable := history.endpoint_of(request).durable)
        ]
        if written:
            urls = {one.durable.entry: self._runtime.url(one.durable.entry) or "" for one in written}
            self._recorder.read_back(self._loads.read_back(_at_risk_first(written, history), urls))


def _at_risk_first(written: list[Written], history: History) -> list[Written]:
    """Not all may be read: first some of the newest, which are the control, then those nearest a fault."""
    newest_first = sorted(written, key=lambda one: -one.at_s)
    control, rest = newest_first[:CONTROL], newest_first[CONTROL:]
    faults_s = [harm.since_s for harm in history.expected.harms]
    return control + sorted(rest, key=lambda one: min((abs(one.at_s - at) for at in faults_s), default=0.0))


def _normal(sendings: list[Sending], target: Target) -> list[Sending]:
    """Each load once, at its highest rate, evenly, for long enough to tell something."""
    rates: dict[str, Sending] = {}
    for sending in sendings:
        known = rates.get(sending.load.name)
        if known is None or sending.rate_rps > known.rate_rps:
            rates[sending.load.name] = sending
    return [
        Sending(
            sending.load,
            sending.rate_rps,
            max(target.limits.baseline_s, min(BASELINE_S_MOST, SAMPLES_LEAST / sending.rate_rps)),
            Shape.STEADY,
        )
        for sending in rates.values()
    ]
