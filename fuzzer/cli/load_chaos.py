"""``knockon load-chaos``: load and a fault in one command, as the incident's load test had it."""

from __future__ import annotations

import random
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import click

from fuzzer.cli.beside import beside
from fuzzer.cli.exit_codes import ExitCode, of_outcomes
from fuzzer.cli.inputs import Input, refuse_foreign
from fuzzer.cli.options import touching, with_config
from fuzzer.cli.playing import Player, playing
from fuzzer.cli.steps import FAULTS, faults, number, wait
from fuzzer.config import RunConfig
from fuzzer.durations import parse_duration
from fuzzer.fleets import read_target
from fuzzer.loads.outside.catalogue import tool_for, words_of
from fuzzer.secrecy import SECRETS
from fuzzer.shown import echo
from fuzzer.traffic import MakeTraffic
from models.errors import RequestError
from models.scenario import Scenario
from models.step import Step
from models.target import Target

REST_S = 3.0
"""How long the load goes on after healing, so that clients' recovery is seen, too."""


@click.command()
@click.argument("services", metavar="[SERVICE]...", nargs=-1)
@click.option("--action", type=click.Choice(FAULTS), default="kill", show_default=True, help="What is done.")
@click.option("--load", "loads", multiple=True, metavar="NAME", help="Load of the target.  [default: all]")
@click.option("--rate", type=click.FloatRange(0.1, 5000), metavar="RPS", help="Not the load's own rate.")
@click.option("--chaos-delay", metavar="TIME", default="3s", show_default=True, help="Load before the fault.")
@click.option("--outage", metavar="TIME", default="5s", show_default=True, help="Time until it is healed.")
@click.option("--load-command", metavar="COMMAND", help="A tool instead: k6, Artillery, Locust or hey.")
@click.option(
    "--load-limit", metavar="TIME", default="10m", show_default=True, help="The tool is stopped then."
)
@click.option("--seed", type=int, metavar="N", help="Choose the same random service again.")
@with_config
@touching
def command(
    config: RunConfig,
    services: tuple[str, ...],
    action: str,
    loads: tuple[str, ...],
    rate: float | None,
    chaos_delay: str,
    outage: str,
    load_command: str | None,
    load_limit: str,
    seed: int | None,
) -> ExitCode:
    """Harm services under load; show what clients saw before, during and after; judge it.

    Without a SERVICE one is chosen at random. The load is what the target names, or an outside tool, whose
    requests are read from its own report. It runs for a while before the fault, through it, and on when
    all is healed.

    \b
    Examples:
      knockon load-chaos checkout-service
      knockon load-chaos --action pause --load browse --rate 100
      knockon load-chaos orders-db --load-command 'hey -z 20s http://127.0.0.1:8001/products'
    """
    delay_s, outage_s = parse_duration(chaos_delay), parse_duration(outage)
    target = read_target(config)
    if load_command and (loads or rate):
        raise click.UsageError("--load and --rate are for our own engine; leave them out with --load-command")
    seed = random.SystemRandom().getrandbits(16) if seed is None else seed
    chosen = services or (_random_service(target, seed),)
    fault = [*faults(action, chosen), wait(outage_s), Step.of("heal", "all")]
    SECRETS.learn_text(load_command or "")
    words = words_of(load_command) if load_command else () if loads or rate else target.load_command
    if words:
        tool_for(words).prepare(words, Path.cwd())  # refuse a wrong one before anything is started
        limit_s = parse_duration(load_limit)
        refuse_foreign(Input(Scenario.of(fault)), target)
        _tell_seed(services, seed)
        with playing(config) as player, ExitStack() as stack:
            make = partial(beside, stack, player.session, words, delay_s, limit_s)
            return _play(player, Scenario.of(fault), make)
    names = loads or tuple(target.loads)
    if not names:
        raise RequestError(
            f"{target.name} names no load; expected x-knockon.loads in the compose file, or --load-command"
        )
    total_s = delay_s + outage_s + REST_S
    begin = [_load(name, rate, total_s) for name in names]
    scenario = Scenario.of([*begin, wait(delay_s), *fault])
    refuse_foreign(Input(scenario), target)
    _tell_seed(services, seed)
    with playing(config) as player:
        return _play(player, scenario, None)


def _tell_seed(services: Sequence[str], seed: int) -> None:
    if not services:
        echo(f"seed:    {seed}")


def _play(player: Player, scenario: Scenario, make_traffic: MakeTraffic | None) -> ExitCode:
    played = player.play(Input(scenario), make_traffic=make_traffic)
    return of_outcomes(one.outcome for one in played)


def _random_service(target: Target, seed: int | None) -> str:
    if not target.faultable:
        raise RequestError(f"{target.name}: no service may be touched; set x-knockon.enabled to true")
    return random.Random(seed).choice(target.faultable)  # noqa: S311 (no secret depends on it)


def _load(name: str, rate_rps: float | None, seconds: float) -> Step:
    params = {"duration_s": number(seconds)}
    if rate_rps is not None:
        params["rate_rps"] = number(rate_rps)
    return Step.of("load", name, **params)
