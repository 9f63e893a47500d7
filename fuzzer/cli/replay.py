"""``knockon replay``: play again what was found, and show what happens."""

from __future__ import annotations

import click

from fuzzer.cli.exit_codes import ExitCode
from fuzzer.cli.inputs import read_inputs
from fuzzer.cli.options import touching, with_config
from fuzzer.cli.playing import play_all
from fuzzer.config import RunConfig


@click.command()
@click.argument("scenarios", metavar="SCENARIO|FILE...", nargs=-1, required=True)
@click.option(
    "--times", metavar="N", type=click.IntRange(1, 1000), default=1, help="How often.  [default: 1]"
)
@click.option(
    "--signature", metavar="INVARIANT:SERVICE", help="What counts as reproduced. Default: the pin's own."
)
@with_config
@touching
def command(config: RunConfig, scenarios: tuple[str, ...], times: int, signature: str | None) -> ExitCode:
    """Play scenarios again, each on a freshly restarted fleet.

    A scenario is text such as 'crash checkout-service; wait 2s', the file of a finding or a pin, a
    file with one step a line, or - for standard input. What was done and what came of it is shown in
    the order of time.

    \b
    Examples:
      knockon replay 'crash product-service; wait 2s'
      knockon replay .knockon/findings/shop-local-isolation-api-gateway.json --times 5
      echo 'pause analytics-service' | knockon replay -
    """
    return play_all(config, read_inputs(scenarios), times=times, signature=signature, fresh=True)
