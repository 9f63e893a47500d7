"""``knockon kill``: one fault by hand, through the same corridor as every scenario."""

from __future__ import annotations

from collections.abc import Sequence

import click

from fuzzer.actions.catalogue import ACTIONS
from fuzzer.cli.exit_codes import ExitCode
from fuzzer.cli.inputs import Input
from fuzzer.cli.options import with_config
from fuzzer.cli.playing import play_all
from fuzzer.durations import parse_duration
from fuzzer.session import RunConfig
from models.scenario import Scenario
from models.step import Step

FAULTS = tuple(name for name, action in ACTIONS.items() if action.harmful)


@click.command()
@click.argument("services", metavar="SERVICE...", nargs=-1, required=True)
@click.option("--action", type=click.Choice(FAULTS), default="kill", show_default=True, help="What is done.")
@click.option("--wait", metavar="TIME", default="3s", show_default=True, help="Time until it is healed.")
@with_config
def command(config: RunConfig, services: tuple[str, ...], action: str, wait: str) -> ExitCode:
    """Harm services, watch, heal, and judge what happened.

    The fleet has to be healthy before, and is brought back afterwards. Services that are killed or
    stopped stay down until they are healed; a crash is for the restart policy to repair.

    \b
    Examples:
      knockon kill analytics-service
      knockon kill product-service user-service --wait 5s
      knockon kill checkout-service --action crash
    """
    return play_all(config, [Input(scenario_of(action, services, parse_duration(wait)))])


def scenario_of(action: str, services: Sequence[str], wait_s: float) -> Scenario:
    """The fault, on all services at once where the action can do that, and a wait."""
    together = ACTIONS[action].most_targets >= len(services)
    faults = [Step.of(action, *services)] if together else [Step.of(action, name) for name in services]
    seconds = round(wait_s, 3)
    return Scenario.of(
        [*faults, Step.of("wait", duration_s=int(seconds) if seconds.is_integer() else seconds)]
    )
