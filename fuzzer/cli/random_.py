"""``knockon random``: one scenario that the search might have written."""

from __future__ import annotations

import random
from collections.abc import Mapping
from contextlib import redirect_stdout
from io import StringIO

import click
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from fuzzer.actions.base import Action
from fuzzer.cli.exit_codes import ExitCode, of_outcomes
from fuzzer.cli.inputs import Input
from fuzzer.cli.options import touching, with_config
from fuzzer.cli.playing import playing
from fuzzer.config import RunConfig
from fuzzer.search.machine import build_machine
from models.errors import RequestError
from models.scenario import Scenario
from models.target import Target

DRAWS = 30
"""Plans to choose from. Hypothesis begins with the simplest ones, so the first would hardly be random."""


@click.command()
@click.option("--seed", "number", metavar="N", type=int, help="Write the same scenario again.")
@click.option(
    "--steps", metavar="N", type=click.IntRange(1, 50), default=6, help="Steps at most.  [default: 6]"
)
@with_config
@touching
def command(config: RunConfig, number: int | None, steps: int) -> ExitCode:
    """Play one random scenario, written by the rules of the search.

    The seed that is printed writes the same scenario again on the same target and runtime.

    \b
    Examples:
      knockon random
      knockon random --seed 7 --steps 3
    """
    number = random.SystemRandom().getrandbits(32) if number is None else number
    with playing(config) as player:
        scenario = draw(player.session.target, player.session.actions, steps, number)
        player.output.line(f"seed:    {number}")
        played = player.play(Input(scenario))
    return of_outcomes(one.outcome for one in played)


def draw(target: Target, actions: Mapping[str, Action], steps: int, number: int) -> Scenario:
    """One of the plans that the search's machine writes with this seed.

    Raises:
        RequestError: it writes none that does any harm.
    """
    plans: list[Scenario] = []
    machine = seed(number)(build_machine(target, actions, plans.append))
    limits = settings(
        max_examples=DRAWS,
        stateful_step_count=steps,
        phases=[Phase.generate],
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    with redirect_stdout(StringIO()):
        run_state_machine_as_test(machine, settings=limits)
    if not plans:
        raise RequestError(f"seed {number} writes no scenario of at most {steps} steps that does any harm")
    return random.Random(number).choice(plans)  # noqa: S311 (no secret depends on it)
