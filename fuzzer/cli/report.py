"""``knockon report``: a run, told again from its log."""

from __future__ import annotations

from pathlib import Path

import click

from fuzzer.cli.exit_codes import ExitCode
from fuzzer.cli.output import STYLES, Output
from fuzzer.files import write_atomically
from fuzzer.runs.folder import LATEST, Runs
from fuzzer.runs.reading import Run, read_run
from models.errors import RequestError


@click.command()
@click.argument("run", metavar="[RUN]", default=LATEST)
@click.option("--html", metavar="FILE", type=click.Path(path_type=Path), help="Where to write the page.")
@click.option("--list", "listed", is_flag=True, help="List the runs that are kept.")
@click.option(
    "--state",
    metavar="DIR",
    type=click.Path(path_type=Path),
    default=Path(".knockon"),
    help="Where runs are kept.  [default: .knockon]",
)
def command(run: str, html: Path | None, listed: bool, state: Path) -> ExitCode:
    """Make a page of a run: one HTML file that opens without a network.

    RUN is an id, its first letters, or a log; without one the latest run. Every command that plays
    scenarios keeps such a log; the latest two hundred stay.

    \b
    Examples:
      knockon report
      knockon report --list
      knockon report 20261124-0222 --html cascade.html
    """
    runs, output = Runs.of(state), Output()
    if listed:
        _list(runs, output)
        return ExitCode.HELD
    log = runs.find(run)
    read = read_run(log)
    path = html or log.with_name("report.html")
    from fuzzer.reports.page.page import page

    try:
        write_atomically(path, page(read))
    except OSError as error:
        raise RequestError(f"{path}: cannot be written: {error.strerror}; name another with --html") from None
    output.line(_told(read), STYLES[read.outcome])
    output.line(f"report: {path}")
    if read.damaged:
        output.line(f"note: lines {', '.join(map(str, read.damaged))} of {log} are damaged and left out")
    return ExitCode.HELD


def _list(runs: Runs, output: Output) -> None:
    rows, styles = [], []
    for id_ in reversed(runs.ids()):
        try:
            run = read_run(runs.path(id_))
        except RequestError as error:
            rows.append((id_, "unreadable", "", str(error)))
            styles.append("yellow")
            continue
        rows.append((id_, str(run.outcome), str(len(run.scenarios)), _first(run)))
        styles.append(STYLES[run.outcome])
    if rows:
        output.table(("run", "verdict", "scenarios", "what was found"), rows, styles)
    else:
        output.line(f"no run is kept in {runs.folder}; knockon fuzz makes one")


def _told(run: Run) -> str:
    return f"{run.outcome.upper()}: {run.head.target} on {run.head.runtime}, {len(run.scenarios)} played"


def _first(run: Run) -> str:
    broken = [f.violation for f in run.findings] or [v for one in run.scenarios for v in one.violations]
    return broken[0].summary if broken else ""
