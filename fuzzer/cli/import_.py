"""``knockon import``: what another tool did, as a scenario."""

from __future__ import annotations

from pathlib import Path

import click

from fuzzer.cli.exit_codes import ExitCode
from fuzzer.cli.options import with_config
from fuzzer.config import RunConfig
from fuzzer.exchange.chaostoolkit import scenario_of
from fuzzer.files import read_limited
from fuzzer.fleets import read_target
from fuzzer.shown import echo
from models.errors import RequestError


@click.command()
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@with_config
def command(config: RunConfig, file: Path) -> ExitCode:
    """Print a Chaos Toolkit experiment as a scenario, one step a line.

    Read are actions that kill, stop, start, restart, pause or unpause containers by the Docker client or
    Pumba, and the pauses between them; anything else is refused by name. Probes are left out: knockon has its
    own.

    \b
    Examples:
      knockon import experiment.json > scenario.txt
      knockon import experiment.json | knockon replay -
    """
    try:
        text = read_limited(file)
    except OSError as error:
        raise RequestError(f"{file}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise RequestError(f"{file}: is no text; expected a Chaos Toolkit experiment as JSON") from None
    for step in scenario_of(text, read_target(config), str(file)):
        echo(str(step))
    return ExitCode.HELD
