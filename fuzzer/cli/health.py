"""``knockon health``: how every service is, by the same measure as the gate before a scenario."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from statistics import median

import click

from fuzzer.cli.exit_codes import ExitCode
from fuzzer.cli.options import with_config
from fuzzer.cli.output import Output, Progress
from fuzzer.config import RunConfig
from fuzzer.fleets import open_runtime, read_target
from fuzzer.recorder import Recorder
from fuzzer.runtimes.base import Runtime
from fuzzer.shown import echo_json
from models.expected import Expected
from models.scenario import Scenario

HEADINGS = ("service", "state", "health", "latency", "restarts", "process", "told by")


@dataclass(frozen=True, slots=True)
class Row:
    """One service. ``problem`` is empty while the gate would let a scenario begin."""

    service: str
    state: str
    problem: str
    latency_ms: float | None
    restarts: int | None
    since: str
    probe: str

    def cells(self) -> tuple[str, ...]:
        """For people."""
        return (
            self.service,
            self.state,
            self.problem or "healthy",
            "-" if self.latency_ms is None else f"{self.latency_ms:.1f} ms",
            "-" if self.restarts is None else str(self.restarts),
            self.since or "-",
            self.probe,
        )


@click.command()
@click.option("--json", "as_json", is_flag=True, help="A list of objects instead of a table.")
@with_config
def command(config: RunConfig, as_json: bool) -> ExitCode:
    """Show how every service is. Exit code 0 if all are healthy, 1 if not.

    Healthy is what the gate before each scenario calls steady: every answer of the last moments was
    good and prompt, and no process changed. With docker the running project is looked at. The local
    runtime has no fleet while nothing plays: it is started for the measurement, and ended again.

    \b
    Examples:
      knockon health --project shop
      knockon health --target compose.yaml --runtime local
      knockon health --project shop --json
    """
    target = read_target(config)
    with Progress("measuring"), open_runtime(config, target) as runtime:
        rows = list(measure(runtime))
    sick = [row for row in rows if row.problem]
    if as_json:
        echo_json([asdict(row) for row in rows])
        return ExitCode.VIOLATED if sick else ExitCode.HELD
    output = Output()
    output.table(HEADINGS, [row.cells() for row in rows], ["red" if row.problem else "green" for row in rows])
    if sick:
        output.line()
        output.line(f"not healthy: {', '.join(row.service for row in sick)}", "bold red")
    return ExitCode.VIOLATED if sick else ExitCode.HELD


def measure(runtime: Runtime) -> Iterator[Row]:
    """Watch until everything is steady, or for as long as that takes at most in a healthy fleet."""
    target, clock = runtime.target, runtime.clock
    limits = target.limits
    recorder = Recorder(target.topology.services, limits)
    recorder.begin(Scenario(), clock.now())
    runtime.watch(recorder)
    until_s = clock.now() + limits.steady_s + 2 * limits.health_timeout_s + 1.0
    while recorder.unsteady(clock.now()) and clock.now() < until_s:
        clock.sleep(0.02)
    now_s = clock.now()
    problems = recorder.unsteady(now_s)
    history = recorder.snapshot(Expected(target.topology, limits.recovery_s_max, now_s), now_s)
    for name, service in target.services.items():
        status = runtime.status(name)
        good = [seen.latency_ms for seen in history.health_of(name) if seen.healthy]
        yield Row(
            name,
            status.state,
            problems.get(name, ""),
            round(median(good), 2) if good else None,
            status.restarts,
            status.since,
            str(service.health),
        )
