"""``knockon report``: a run, told again from its log."""

from __future__ import annotations

import json
from pathlib import Path

import click

from fuzzer.cli.exit_codes import ExitCode
from fuzzer.cli.output import STYLES, Output
from fuzzer.files import write_atomically
from fuzzer.reports.scorecard import Grade, scorecard
from fuzzer.runs.folder import EVENTS, LATEST, STATE, Runs
from fuzzer.runs.reading import Run, read_run
from fuzzer.shown import complain, shown
from models.errors import RequestError
from models.step import Json

STDOUT = "-"


@click.command()
@click.argument("run", metavar="[RUN]", default=LATEST)
@click.option(
    "--html",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Where to write the page; - prints it.  [default: beside the log, named after the run]",
)
@click.option("--json", "document", metavar="FILE", help="Write JSON instead of the page; - prints it.")
@click.option("--list", "listed", is_flag=True, help="List the runs that are kept.")
@click.option(
    "--state",
    metavar="DIR",
    type=click.Path(path_type=Path),
    default=STATE,
    help="Where runs are kept.  [default: .knockon]",
)
def command(run: str, html: Path | None, document: str | None, listed: bool, state: Path) -> ExitCode:
    """Make a page of a run: one HTML file that opens without a network.

    RUN is an id, its first letters, or a log; without one the latest run. Every command that plays
    scenarios keeps such a log; the latest two hundred stay.

    \b
    Examples:
      knockon report
      knockon report --list
      knockon report 20261124-0222 --html cascade.html
      knockon report --json - | jq .verdict
    """
    runs, output = Runs.of(state), Output()
    if listed:
        _list(runs, output, document)
        return ExitCode.HELD
    log = runs.find(run)
    read = read_run(log)
    written = []
    if document:
        from fuzzer.reports.document import document as document_of

        written += _write(document, document_of(read).model_dump_json(indent=2) + "\n")
    if html or not document:
        from fuzzer.reports.page.page import page

        name = log.parent.name if log.name == EVENTS else log.stem
        written += _write(str(html or log.with_name(f"{name}.html")), page(read))
    if STDOUT not in (document, str(html)):
        output.line(_told(read), STYLES[read.outcome])
        _card(read, output)
        for path in written:
            output.line(f"report: {path}")
    if read.damaged:
        lines = ", ".join(map(str, read.damaged))
        complain(f"note: these lines of {log} are damaged and left out: {lines}")
    return ExitCode.HELD


GRADES = {Grade.PASS: "green", Grade.FAIL: "bold red", Grade.NOT_EXERCISED: "yellow"}


def _card(run: Run, output: Output) -> None:
    """The scorecard, as far as there is anything to grade."""
    card = scorecard(run)
    if not run.scenarios:
        return
    rows = [(row.aspect, str(row.grade), "".join(row.shown_by[:1])) for row in card.rows]
    output.table(("aspect", "grade", "shown by"), rows, [GRADES[row.grade] for row in card.rows])
    for figure in card.figures:
        most = "" if figure.limit is None else f", of {figure.limit:g} {figure.unit} at most"
        output.line(f"{figure.name}: {figure.value:.1f} {figure.unit}{most}")


def _write(path: str, text: str) -> list[str]:
    """Write a file, or print it; the files that were written."""
    if path == STDOUT:
        click.echo(shown(text), nl=False)
        return []
    try:
        write_atomically(Path(path), shown(text))
    except OSError as error:
        raise RequestError(
            f"{path}: cannot be written: {error.strerror}; name another file with --html or --json"
        ) from None
    return [path]


def _list(runs: Runs, output: Output, document: str | None) -> None:
    rows, styles = list[tuple[str, str, str, str]](), []
    for id_ in reversed(runs.ids()):
        try:
            run = read_run(runs.path(id_))
        except RequestError as error:
            rows.append((id_, "unreadable", "", str(error)))
            styles.append("yellow")
            continue
        rows.append((id_, str(run.outcome), str(len(run.scenarios)), _first(run)))
        styles.append(STYLES[run.outcome])
    if document:
        _write(document, json.dumps([_as_json(runs, *row) for row in rows], indent=2) + "\n")
    elif rows:
        output.table(("run", "verdict", "scenarios", "what was found"), rows, styles)
    else:
        output.line(f"no run is kept in {runs.folder}; knockon fuzz makes one")


def _as_json(runs: Runs, id_: str, verdict: str, scenarios: str, found: str) -> dict[str, Json]:
    count = int(scenarios) if scenarios else None
    return {
        "id": id_,
        "verdict": verdict,
        "scenarios": count,
        "found": found,
        "log": str(runs.path(id_)),
    }


def _told(run: Run) -> str:
    return f"{run.outcome.upper()}: {run.head.target} on {run.head.runtime}, {len(run.scenarios)} played"


def _first(run: Run) -> str:
    return run.broken[0].summary if run.broken else ""
