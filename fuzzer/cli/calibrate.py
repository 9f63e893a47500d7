"""``knockon calibrate``: make the simulated twin like the real fleet, or see how far it is that."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from fuzzer.calibration import table
from fuzzer.calibration.check import Compared, compare
from fuzzer.calibration.files import beside, fleet_name, in_state, known_of, read_twin
from fuzzer.calibration.knowledge import KnownFleet
from fuzzer.calibration.learn import learn_all
from fuzzer.calibration.record import read_record, record_path
from fuzzer.calibration.series import series
from fuzzer.cli.exit_codes import ExitCode
from fuzzer.cli.options import touching, with_config
from fuzzer.cli.output import STYLES, Output, Progress
from fuzzer.config import RunConfig
from fuzzer.events import Event, Played, ScenarioEnded
from fuzzer.fleets import read_target
from fuzzer.reports.text import seconds
from fuzzer.scenarios import check_scenario
from fuzzer.session import open_session
from models.errors import RequestError, ScenarioError
from models.scenario import Scenario
from models.target import Target
from models.verdict import Outcome

SIM = "sim"


@click.command()
@click.argument("services", metavar="[SERVICE]...", nargs=-1)
@click.option("--check", is_flag=True, help="Play what was recorded again in the twin, and compare.")
@click.option(
    "--from",
    "record",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="With --check: the record.  [default: played-PROJECT.ndjson in --state]",
)
@with_config
@touching
def command(config: RunConfig, services: tuple[str, ...], check: bool, record: Path | None) -> ExitCode:
    """Learn from the real fleet how each service behaves, for the simulated twin.

    Each service alone is crashed, restarted, stopped, killed and paused, and what the others do is
    written to knockon-twin.json beside the compose file, with the number of samples: commit it. Every
    other run learns on its way, too, into the state folder. --check starts nothing: it tells how
    often the twin says the same as reality did.

    \b
    Examples:
      knockon calibrate --target compose.yaml
      knockon calibrate orders-db --target compose.yaml
      knockon calibrate --check --target compose.yaml
    """
    target = read_target(config)
    if check:
        if services:
            raise click.UsageError("--check compares whatever was recorded; leave the services out")
        return _check(config, target, record)
    if record:
        raise click.UsageError("--from is for --check")
    if config.runtime_name == SIM:
        raise RequestError(
            "a simulation cannot teach how a fleet behaves: calibrate on a real one, with --runtime local "
            "or --runtime docker"
        )
    for name in services:
        if name not in target.faultable:
            known = ", ".join(target.faultable)
            raise RequestError(f"there is no service {name!r} that may be harmed; expected one of: {known}")
    return _calibrate(config, target, services)


class _Audience:
    """A listener that prints a line a scenario, and keeps them all."""

    def __init__(self, output: Output) -> None:
        self.played: list[Played] = []
        self._output = output

    def __call__(self, event: Event) -> None:
        if isinstance(event, ScenarioEnded):
            played = event.played
            self.played.append(played)
            why = f"  ({played.reason})" if played.outcome is Outcome.UNKNOWN else ""
            took = seconds(played.seconds)
            line = f"{len(self.played):>4}  {took:>5}  {played.outcome:8}  {played.scenario}{why}"
            self._output.line(line, STYLES[played.outcome])


def _calibrate(config: RunConfig, target: Target, services: tuple[str, ...]) -> ExitCode:
    files = [in_state(config.state, target), *([beside(target)] if target.files else [])]
    for path in files:
        read_twin(path)  # a damaged one is told before anything is played
    output = Output()
    audience = _Audience(output)
    with Progress("starting the fleet") as progress, open_session(config, progress, audience) as session:
        scenarios = [one for one in series(target, session.actions, services) if _may_play(one, target)]
        output.line(f"calibrating {target.name} on {session.runtime.name}: {len(scenarios)} scenarios")
        for scenario in scenarios:
            session.runner.play(scenario, "calibrate")
    known = learn_all(audience.played, target)
    if not known.scenarios:
        output.line()
        output.line("nothing was learnt: every scenario was inconclusive", "yellow")
        return ExitCode.UNKNOWN
    output.line()
    output.table(table.HEADINGS, table.rows(known, target))
    output.line()
    name = fleet_name(target)
    for path in files:
        # What was known before is out of date, for services that were calibrated.
        file = read_twin(path)
        before = file.fleets.get(name, KnownFleet()) if services else KnownFleet()
        try:
            file.with_fleet(name, known.over(before)).write(path, shared=path == beside(target))
            output.line(f"written: {path}")
        except RequestError as error:
            output.line(f"not written: {error}", "yellow")
    return ExitCode.HELD


def _may_play(scenario: Scenario, target: Target) -> bool:
    """Some services reach more of the fleet than faults may: those are learnt on the way, or not at all."""
    try:
        check_scenario(scenario, target)
    except ScenarioError:
        return False
    return True


def _check(config: RunConfig, target: Target, record: Path | None) -> ExitCode:
    path = record or record_path(config.state, target)
    output = Output()
    if not record and not path.exists():
        return _nothing(output, f"{path} is not there; play something, such as `knockon fuzz`")
    lines = read_record(path)
    fleet = fleet_name(target)
    mine = [line for line in lines if line.fleet == fleet]
    if not known_of(target, config.state).scenarios:
        output.line("nothing was learnt of this fleet yet, so all is assumed: `knockon calibrate`", "yellow")
    with open_session(replace(config, runtime=SIM)) as session:
        compared = list(compare(mine, session.runner))
    if not compared:
        return _nothing(output, f"{path} holds no scenario of this fleet ({fleet})")
    _tell(output, compared, others=len(lines) - len(mine))
    return ExitCode.HELD


def _nothing(output: Output, why: str) -> ExitCode:
    output.line(f"nothing to compare: {why}", "yellow")
    return ExitCode.UNKNOWN


def _tell(output: Output, compared: list[Compared], others: int) -> None:
    differing = [one for one in compared if not one.same_signature]
    if differing:
        rows = [
            (
                str(one.line.scenario),
                one.reality,
                one.foretold,
                "signature" if one.same_verdict else "verdict",
            )
            for one in sorted(differing, key=lambda one: one.same_verdict)
        ]
        output.table(("scenario", "reality", "twin", "differs in"), rows)
        output.line()
    verdicts = sum(one.same_verdict for one in compared)
    signatures = sum(one.same_signature for one in compared)
    output.line(agreement("verdict", verdicts, len(compared)), "bold")
    output.line(agreement("signature", signatures, len(compared)))
    if others:
        output.line(f"left out: {others} of other files or another environment")


def agreement(what: str, same: int, total: int) -> str:
    """``agree in verdict: 93 of 100 (93 %)``."""
    return f"agree in {what}: {same} of {total} ({100 * same / total:.0f} %)"
