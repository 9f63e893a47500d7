"""``knockon doctor``: what works here, and what to do about what does not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import click

from fuzzer.cli.checks import Check, Mark, all_checks
from fuzzer.cli.exit_codes import ExitCode
from fuzzer.cli.options import with_config
from fuzzer.cli.output import Output
from fuzzer.config import RunConfig
from fuzzer.shown import echo_json

STYLES = {Mark.GOOD: "green", Mark.BAD: "red", Mark.NOTE: "yellow"}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="A list of objects instead of lines.")
@with_config
def command(config: RunConfig, as_json: bool) -> ExitCode:
    """Tell what works on this machine, and what to do about the rest. Nothing is harmed.

    Exit code 0 if at least one runtime works, 3 if none does, 2 if the target that was named is
    wrong.

    \b
    Examples:
      knockon doctor
      knockon doctor --target compose.yaml
      knockon doctor --json
    """
    checks = all_checks(config)
    if as_json:
        echo_json([asdict(check) for check in checks])
    else:
        _print(checks)
    if any(check.name == "target" and check.mark is Mark.BAD for check in checks):
        return ExitCode.REQUEST
    works = any(check.name.startswith("runtime ") and check.mark is Mark.GOOD for check in checks)
    return ExitCode.HELD if works else ExitCode.UNKNOWN


def _print(checks: Sequence[Check]) -> None:
    output = Output()
    width = max(len(check.name) for check in checks)
    for check in checks:
        first, *rest = check.found.splitlines() or [""]
        output.line(f"{check.mark:4}  {check.name:{width}}  {first}", STYLES[check.mark])
        for text in rest:
            output.line(f"{'':4}  {'':{width}}  {text}")
        if check.advice:
            output.line(f"{'':4}  {'':{width}}  to do: {check.advice}")
