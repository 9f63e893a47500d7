"""``knockon kill``: one fault by hand, through the same corridor as every scenario."""

from __future__ import annotations

from collections.abc import Sequence

import click

from fuzzer.cli.exit_codes import ExitCode
from fuzzer.cli.inputs import Input
from fuzzer.cli.options import touching, with_config
from fuzzer.cli.playing import play_all
from fuzzer.cli.steps import FAULTS, faults, wait
from fuzzer.config import RunConfig
from fuzzer.durations import parse_duration
from models.scenario import Scenario


@click.command()
@click.argument("services", metavar="SERVICE...", nargs=-1, required=True)
@click.option("--action", type=click.Choice(FAULTS), default="kill", show_default=True, help="What is done.")
@click.option(
    "--wait", "heal_after", metavar="TIME", default="3s", show_default=True, help="Time until it is healed."
)
@with_config
@touching
def command(config: RunConfig, services: tuple[str, ...], action: str, heal_after: str) -> ExitCode:
    """Harm services, watch, heal, and judge what happened.

    The fleet has to be healthy before, and is brought back afterwards. Services that are killed or
    stopped stay down until they are healed; a crash is for the restart policy to repair.

    \b
    Examples:
      knockon kill analytics-service
      knockon kill product-service user-service --wait 5s
      knockon kill checkout-service --action crash
    """
    return play_all(config, [Input(scenario_of(action, services, parse_duration(heal_after)))])


def scenario_of(action: str, services: Sequence[str], wait_s: float) -> Scenario:
    """The fault, and a wait."""
    return Scenario.of([*faults(action, services), wait(wait_s)])
