"""``knockon pin``: keep a finding as a regression test, and tell it when the fleet was repaired."""

from __future__ import annotations

import re
from pathlib import Path

import click

from fuzzer.cli.exit_codes import ExitCode, of_outcomes
from fuzzer.cli.inputs import Input, read_inputs, refuse_foreign
from fuzzer.cli.options import PINS, touching, with_config
from fuzzer.cli.pinning import Keeper
from fuzzer.config import RunConfig
from fuzzer.fleets import read_target
from fuzzer.pins import Pin
from models.errors import RequestError


@click.command()
@click.argument("findings", metavar="FILE|SCENARIO...", nargs=-1, required=True)
@click.option("--name", metavar="NAME", help="Name of the pin.  [default: after what it breaks]")
@click.option("--guard", is_flag=True, help="Fixed: from now on it has to hold. Played first.")
@click.option("--reopen", is_flag=True, help="Known to fail again: from guard to open.")
@click.option("--force", is_flag=True, help="With --guard: without playing it.")
@click.option("--signature", metavar="INVARIANT:SERVICE", help="With --guard SCENARIO: what must not show.")
@PINS
@with_config
@touching
def command(
    config: RunConfig,
    findings: tuple[str, ...],
    name: str | None,
    guard: bool,
    reopen: bool,
    force: bool,
    signature: str | None,
    pins: Path | None,
) -> ExitCode:
    """Keep findings as pins, which knockon fuzz and pytest fuzzer play before they search.

    A finding's file is copied to the pins beside the compose file. A scenario is played first, and
    pinned if it breaks a promise. An open pin is a known failure; once the fleet was repaired,
    --guard makes it a test that has to pass, after playing it to see that it does.

    \b
    Examples:
      knockon pin .knockon/findings/shop-local-isolation-api-gateway.json
      knockon pin 'crash product-service' --name gateway-dies
      knockon pin --guard pins/gateway-dies.json
    """
    _refuse_nonsense(guard, reopen, force, signature, name, len(findings))
    target = read_target(config)
    inputs = read_inputs(findings)
    for given in inputs:
        refuse_foreign(given, target)
    keeper = Keeper(config, target, pins or config.pins_folder(target), name)
    if guard:
        return of_outcomes(keeper.guard([_guard(keeper, one, signature) for one in inputs], force=force))
    if reopen:
        keeper.reopen([_pinned(given) for given in inputs])
    else:
        keeper.keep(inputs)
    return ExitCode.HELD


def _guard(keeper: Keeper, given: Input, signature: str | None) -> tuple[Pin, Path | None]:
    if given.pin:
        return given.pin, given.path
    if signature is None:
        raise RequestError(
            "a scenario alone does not say what must not show; give --signature, for example "
            "--signature isolation:api-gateway"
        )
    return keeper.guard_of(given.scenario, signature), None


def _pinned(given: Input) -> tuple[Pin, Path | None]:
    if given.pin is None:
        raise RequestError("--reopen takes the files of pins")
    return given.pin, given.path


def _refuse_nonsense(
    guard: bool, reopen: bool, force: bool, signature: str | None, name: str | None, count: int
) -> None:
    if guard and reopen:
        raise click.UsageError("--guard and --reopen exclude each other")
    if (force or signature) and not guard:
        raise click.UsageError("--force and --signature belong to --guard")
    if name is not None and count > 1:
        raise click.UsageError("--name is for one finding")
    if name is not None and not re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9._-]*", name):
        raise click.UsageError(f"--name {name!r}: expected letters, digits, _, - and dots")
