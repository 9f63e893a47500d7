"""An outside load tool beside one scenario: it runs before, during and after the faults.

It is started, has its fleet to itself for the chaos delay, and ends by itself; then its report becomes
requests of a load like any other. Where it tells only sums, nobody can say which of its requests a fault
excuses: they are shown, and judge nobody.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from urllib.parse import urlsplit

from fuzzer.actions.base import Sending
from fuzzer.loads.outside.base import ToolFailed, ToolReport, ToolRequest, ToolSummary
from fuzzer.loads.outside.process import OutsideTool
from fuzzer.recorder import Recorder
from fuzzer.runtimes.base import Runtime
from fuzzer.traffic import PassTime
from models.errors import StepInvalid
from models.histogram import Histogram
from models.load import Endpoint, Load, LoadRun, Phase, Summary

SLICE_S = 0.05
LOOPBACK = ("localhost", "127.0.0.1", "::1", "0.0.0.0")  # noqa: S104 (compared, not bound)


class ToolTraffic:
    """One run of a tool.

    Args:
        name: what the load is called.
        tool: not started yet.
        delay_s: how long it runs before the first fault.
        limit_s: how long it may run in all.
        services: the services of the target, to tell by its URLs which one it asks.
    """

    def __init__(
        self,
        name: str,
        tool: OutsideTool,
        delay_s: float,
        limit_s: float,
        runtime: Runtime,
        recorder: Recorder,
        services: Sequence[str],
        pass_time: PassTime,
    ) -> None:
        self._tool = tool
        self._delay_s = delay_s
        self._limit_s = limit_s
        self._recorder = recorder
        self._services = {_place(url): name for name in services if (url := runtime.url(name))}
        self._pass_time = pass_time
        self._clock = runtime.clock
        self._run = LoadRun(Load(name, ()), Phase.DURING, 0.0, 0.0)

    @property
    def ends_s(self) -> float:
        """Nobody knows; healing does not wait for it."""
        return float("-inf")

    def before(self) -> None:
        """Start the tool, and let it have the fleet for a while.

        Raises:
            StepInvalid: it ended before any fault.
        """
        self._run = replace(self._run, began_s=self._clock.now())
        self._tool.start()
        self._recorder.saw_load(self._run)
        while (left_s := self._run.began_s + self._delay_s - self._clock.now()) > 0:
            if not self._tool.running:
                self._take_report()
                raise StepInvalid(
                    self._run.trouble
                    or f"{self._run.load.name} ended before the first fault, which comes after "
                    f"{self._delay_s:g} s; let it run longer, or give a shorter --chaos-delay"
                )
            self._pass_time(min(SLICE_S, left_s))

    def send(self, sending: Sending) -> None:
        """Refuse: the scenario has the tool for its load.

        Raises:
            StepInvalid: always.
        """
        raise StepInvalid(f"load {sending.load.name} cannot be sent beside {self._run.load.name}")

    def after(self, excused_until_s: float) -> None:
        """Wait until the tool has ended, and take its report."""
        while self._tool.running and self._clock.now() < self._run.began_s + self._limit_s:
            self._pass_time(SLICE_S)
        self._take_report()

    def end(self) -> None:
        """Stop the tool, if it still runs."""
        self._tool.stop()

    def _take_report(self) -> None:
        trouble = ""
        try:
            if self._tool.running:
                self._tool.stop()
                raise ToolFailed(
                    f"{self._run.load.name} still ran after {self._limit_s:g} s; "
                    "give it a shorter duration, or a longer --load-limit"
                )
            trouble = self._note(self._tool.report())
        except ToolFailed as error:
            trouble = str(error)
        self._run = replace(self._run, ended_s=self._clock.now(), trouble=trouble)
        self._recorder.saw_load(self._run)

    def _note(self, report: ToolReport) -> str:
        """Record what the tool did; returns why it cannot be used, if it cannot."""
        name = self._run.load.name
        ours = [(one, entry) for one in report.requests if (entry := self._entry(one))]
        entries: dict[str, set[str]] = {}
        for one, entry in ours:
            entries.setdefault(one.endpoint, set()).add(entry)
        names = {  # two services may be asked for the same path
            (path, entry): path if len(several) == 1 else f"{path} ({entry})"
            for path, several in entries.items()
            for entry in sorted(several)
        }
        endpoints = tuple(Endpoint(called, entry) for (_, entry), called in names.items())
        self._run = replace(self._run, load=Load(name, endpoints))
        for one, entry in ours:
            self._recorder.saw_request(replace(one, endpoint=names[one.endpoint, entry]).as_request(name))
        self._recorder.summarized(_united(name, report.summaries))
        if report.requests and not ours:
            asked = ", ".join(sorted({one.origin or "?" for one in report.requests})[:3])
            return f"{name} asked {asked}, which is no service of this target"
        return ""

    def _entry(self, request: ToolRequest) -> str | None:
        return self._services.get(_place(request.origin))


def _united(load: str, told: Sequence[ToolSummary]) -> Iterator[Summary]:
    """One summary an endpoint: a tool may tell of each period."""
    for endpoint in dict.fromkeys(one.endpoint for one in told):
        parts = [one for one in told if one.endpoint == endpoint]
        kinds: Counter[str] = Counter()
        latency = Histogram()
        for part in parts:
            kinds.update(part.kinds)
            latency = latency.merged(part.latency)
        sent, failed = sum(part.sent for part in parts), sum(part.failed for part in parts)
        yield Summary(load, endpoint, sent, failed, kinds, latency)


def _place(url: str) -> tuple[str, int | None]:
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    return ("loopback" if host in LOOPBACK else host, port)
