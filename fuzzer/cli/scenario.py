"""``knockon scenario``: the scenarios that have a name, ours and a user's own."""

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
from fuzzer.cli.options import with_config
from fuzzer.cli.output import Output
from fuzzer.cli.playing import Player, playing
from fuzzer.config import RunConfig
from fuzzer.durations import parse_duration
from fuzzer.fleets import read_target
from fuzzer.loads.outside.catalogue import tool_for, words_of
from fuzzer.named.catalogue import FOLDER, OURS, named, template
from fuzzer.named.choosing import choose
from fuzzer.named.template import Kind, Template
from fuzzer.scenarios import check_scenario, is_harmful
from fuzzer.secrecy import SECRETS
from fuzzer.shown import echo
from models.errors import RequestError, ScenarioError
from models.scenario import Scenario
from models.step import Step
from models.target import Target

DELAY_S = 3.0
"""How long an outside tool runs before the first step."""

TOOL_LIMIT_S = 600.0


@click.group()
def command() -> None:
    """List, show and run scenarios that have a name.

    \b
    Examples:
      knockon scenario list
      knockon scenario run cascading_failure --services orders-db product-service
      knockon scenario run load_test_chaos --load-command 'hey -z 20s http://127.0.0.1:8001/products'
    """


@command.command("list")
@with_config
def list_(config: RunConfig) -> ExitCode:
    """List them: what they are about, and which services they choose if you name none.

    \b
    Examples:
      knockon scenario list
    """
    folder = read_target(config).directory
    rows = []
    for path in named(folder).values():
        one = template(path.stem, folder)
        rows.append((one.name, str(one.who), "ours" if path.parent == OURS else str(path), one.summary))
    output = Output()
    output.table(("scenario", "services", "from", "what happens"), rows)
    output.line(f"a file NAME.txt in {folder / FOLDER} is one of yours")
    return ExitCode.HELD


@command.command("show")
@click.argument("name")
@with_config
def show(config: RunConfig, name: str) -> ExitCode:
    """Print the file of one, to read it or to begin one of your own with it.

    \b
    Examples:
      knockon scenario show database_chaos > scenarios/my_database.txt
    """
    path = template(name, read_target(config).directory).path
    echo(path.read_text(encoding="utf-8").rstrip("\n"))
    return ExitCode.HELD


@command.command("run")
@click.argument("name")
@click.argument("more", metavar="[SERVICE...]", nargs=-1)
@click.option("--services", metavar="SERVICE...", multiple=True, help="Whom it is about.")
@click.option("--concurrent", is_flag=True, help="Harm them at the same moment, not one after the other.")
@click.option("--duration", metavar="TIME", help="How long it loads or watches.")
@click.option("--load", "loads", metavar="NAME", multiple=True, help="Load of the target.  [default: all]")
@click.option("--load-command", metavar="COMMAND", help="A tool instead: k6, Artillery, Locust or hey.")
@click.option("--seed", type=int, metavar="N", help="Choose the same random services again.")
@with_config
def run(
    config: RunConfig,
    name: str,
    more: tuple[str, ...],
    services: tuple[str, ...],
    concurrent: bool,
    duration: str | None,
    loads: tuple[str, ...],
    load_command: str | None,
    seed: int | None,
) -> ExitCode:
    """Play one, and judge what happened.

    Steps that the runtime cannot do, such as faults of connections that are led through no proxy, are left
    out and told.

    \b
    Examples:
      knockon scenario run random_kill
      knockon scenario run cascading_failure --services orders-db product-service
      knockon scenario run health_monitor --duration 120s
    """
    target = read_target(config)
    chosen = template(name, target.directory)
    about = (*services, *more)
    if chosen.who.kind is Kind.NONE and about:
        raise click.UsageError(f"{name} harms nobody; leave --services out")
    if load_command and loads:
        raise click.UsageError("--load is for our own engine; leave it out with --load-command")
    if duration:
        parse_duration(duration)
    for one in about:
        if one not in target.services:
            known = ", ".join(target.services)
            raise RequestError(f"--services: there is no service {one!r}; expected one of: {known}")
    seed = random.SystemRandom().getrandbits(16) if seed is None else seed
    SECRETS.learn_text(load_command or "")
    words = words_of(load_command) if load_command else ()
    if words:
        tool_for(words).prepare(words, Path.cwd())
    about = about or choose(chosen, target, seed)
    ours = () if words else loads or tuple(target.loads)
    steps = list(chosen.steps(about, ours, duration or chosen.duration, together=concurrent))
    if chosen.who.kind is Kind.RANDOM and not (services or more):
        echo(f"seed:    {seed}")
    with playing(config) as player, ExitStack() as stack:
        scenario = _playable(chosen, steps, target, player)
        refuse_foreign(Input(scenario), target)
        make = None
        if words:
            make = partial(beside, stack, player.session, words, DELAY_S, TOOL_LIMIT_S)
        played = player.play(Input(scenario), make_traffic=make)
    return of_outcomes(one.outcome for one in played)


def _playable(chosen: Template, steps: Sequence[Step], target: Target, player: Player) -> Scenario:
    """The steps that can be done here; the others are told.

    Raises:
        RequestError: no fault is left of those that there were.
    """
    kept, reasons = [], []
    for step in steps:
        try:
            check_scenario(Scenario((step,)), player.session.target, player.session.runtime)
        except ScenarioError as error:
            reasons.append(str(error))
        else:
            kept.append(step)
    if reasons and not is_harmful(Scenario.of(kept)):
        raise RequestError(f"nothing of {chosen.name} can be done on {target.name} here: {reasons[0]}")
    for reason in reasons:
        player.output.line(f"left out: {reason}", "yellow")
    return Scenario.of(kept)
