"""``knockon heal``: undo what runs that died left behind. Their watchdogs and every later run do so, too."""

from __future__ import annotations

from collections.abc import Sequence

import click

from fuzzer.cli.exit_codes import ExitCode
from fuzzer.cli.options import with_config
from fuzzer.config import RunConfig
from fuzzer.fleets import read_target
from fuzzer.healing import heal_docker, heal_local
from fuzzer.shown import complain, echo
from models.errors import RuntimeUnavailable


@click.command()
@with_config
def command(config: RunConfig) -> ExitCode:
    """Undo what runs that died left behind. Runs that are alive are left alone.

    Local fleets are found by their processes, and in the state folder; only there if --state, --project or
    --target names anything. With docker every project is healed that has a journal on the engine, or the one
    that --project or --target names. It may be run as often as you like: what is healed is healed.

    \b
    Examples:
      knockon heal
      knockon heal --project shop
    """
    done = 0
    if config.runtime in (None, "local"):
        named = config.targets or config.project or config.state != RunConfig().state
        done += _told(heal_local(config.state, everywhere=not named))
    if config.runtime in (None, "docker"):
        try:
            done += _told(heal_docker(config.state, project=_project(config)))
        except RuntimeUnavailable as error:
            if config.runtime == "docker" or config.targets or config.project:
                raise
            complain(f"docker was left out: {error}")
    if not done:
        echo("nothing to heal")
    return ExitCode.HELD


def _told(lines: Sequence[str]) -> int:
    for line in lines:
        echo(line)
    return len(lines)


def _project(config: RunConfig) -> str | None:
    return config.project or (read_target(config).name if config.targets else None)
