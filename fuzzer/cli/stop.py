"""``knockon stop``: from another terminal, end the runs that go on, healed."""

from __future__ import annotations

import shlex
import time

import click

from fuzzer.cli.exit_codes import ExitCode
from fuzzer.cli.options import with_config
from fuzzer.config import RunConfig
from fuzzer.durations import parse_duration
from fuzzer.fleets import read_target
from fuzzer.reports.text import counted
from fuzzer.safety.rules import STOP_FILE
from fuzzer.safety.runs import Running, running
from fuzzer.shown import complain, echo


@click.command()
@click.option("--all", "everything", is_flag=True, help="End every run of yours on this machine.")
@click.option("--limit", metavar="TIME", default="60s", show_default=True, help="Time to wait for them.")
@with_config
def command(config: RunConfig, everything: bool, limit: str) -> ExitCode:
    """End runs that go on, and wait until they have healed what they harmed.

    Those are meant that have the same state folder, or, with --project or --target, that run on this
    project, whatever their folder. Each sees it within a second, also in the middle of a step, and tells
    what it found until then. Exit code 0 if none goes on any more, 3 if one does.

    \b
    Examples:
      knockon stop
      knockon stop --project shop
      knockon stop --all
    """
    limit_s = parse_duration(limit)
    project = config.project or (read_target(config).name if config.targets else None)
    folder = config.state.resolve()
    runs = list(running())
    meant = [run for run in runs if everything or _is_meant(run, project, str(folder))]
    if not meant:
        where = f"on {project}" if project else f"with the state folder {folder}"
        echo("nothing to stop: no run " + ("of yours" if everything else where) + " goes on here")
        for run in runs:
            echo(f"but there is {_name(run)}: knockon stop --state {shlex.quote(run.about.state)}")
    began_s = time.monotonic()
    for run in meant:
        run.ask_to_end()
    left = [run for run in meant if not _tell(run, began_s, began_s + limit_s)]
    if left:
        names, path = ", ".join(map(_name, left)), folder / STOP_FILE
        complain(f"{counted(len(left), 'run')} not over after {limit}: {names}; see also {path}")
    return ExitCode.UNKNOWN if left else ExitCode.HELD


def _is_meant(run: Running, project: str | None, folder: str) -> bool:
    return run.about.state == folder if project is None else run.about.project == project


def _tell(run: Running, began_s: float, until_s: float) -> bool:
    """Wait for one run, and tell what became of it; whether it is over."""
    over = run.until_over(until_s - time.monotonic())
    if over is None:
        return False
    after = f"{_name(run)}: over after {time.monotonic() - began_s:.1f} s"
    match over.told:
        case None:
            echo(f"{after}, without a word; if it was killed, `knockon heal` undoes what it left")
        case "":
            echo(f"{after}; nothing was in force")
        case told:
            echo(f"{after}, {told}")
    return True


def _name(run: Running) -> str:
    return f"{run.about.project} on {run.about.runtime} (pid {run.about.pid})"
