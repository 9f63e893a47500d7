"""``knockon graph``: what was read from the compose file, before anything is started."""

from __future__ import annotations

import click

from fuzzer.cli.exit_codes import ExitCode
from fuzzer.cli.options import with_config
from fuzzer.config import RunConfig
from fuzzer.fleets import read_target
from fuzzer.reports.graph import FORMATS, Blast
from fuzzer.shown import echo
from models.errors import RequestError


@click.command()
@click.option(
    "--format", "name", type=click.Choice(list(FORMATS)), default="text", show_default=True, help="How."
)
@click.option("--blast", metavar="SERVICE", multiple=True, help="Mark what may degrade with it; repeatable.")
@with_config
def command(config: RunConfig, name: str, blast: tuple[str, ...]) -> ExitCode:
    """Show who depends on whom, as it was read. Nothing is started or touched.

    An edge that was only inferred from an address in the environment counts as hard until the
    compose file says otherwise (x-knockon.hard, x-knockon.soft).

    \b
    Examples:
      knockon graph --blast orders-db
      knockon graph --target compose.yaml --format mermaid
      knockon graph --format dot | dot -Tsvg > graph.svg
    """
    target = read_target(config)
    for service in blast:
        if service not in target.services:
            raise RequestError(
                f"--blast: there is no service {service!r}; expected one of: {', '.join(target.services)}"
            )
    for line in FORMATS[name](target, Blast.of(target, blast)):
        echo(line)
    if name == "text":
        for note in target.notes:
            echo(f"note: {note}")
    return ExitCode.HELD
