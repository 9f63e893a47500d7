"""``knockon lint``: what can be said of a compose file before anything is started."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

import click

from fuzzer.cli.exit_codes import ExitCode
from fuzzer.cli.options import with_config
from fuzzer.cli.output import Output
from fuzzer.config import RunConfig
from fuzzer.fleets import read_target
from fuzzer.lint.rules import RULES
from fuzzer.reports.text import counted
from fuzzer.shown import echo_json


@click.command()
@click.argument("files", metavar="[FILE...]", nargs=-1, type=click.Path(path_type=Path))
@click.option("--ignore", metavar="RULE", multiple=True, help="Leave a rule out; repeatable.")
@click.option("--json", "as_json", is_flag=True, help="A list of objects instead of text.")
@with_config
def command(config: RunConfig, files: tuple[Path, ...], ignore: tuple[str, ...], as_json: bool) -> ExitCode:
    """Give the advice that a compose file alone allows. Nothing is started or touched.

    FILE is the same as --target. Several are merged as compose merges them; without one the example shop is
    read. Each piece of
    advice says what stands there, what comes of it when something breaks, and what to write instead. Exit
    code 0 if there is none, 1 if there is.

    \b
    Examples:
      knockon lint compose.yaml
      knockon lint compose.yaml compose.hardened.yaml --ignore memory
      knockon lint compose.yaml --json
    """
    for name in ignore:
        if name not in RULES:
            raise click.UsageError(f"there is no rule {name!r}; expected one of: {', '.join(RULES)}")
    target = read_target(replace(config, targets=(*config.targets, *files)))
    found = [advice for name, rule in RULES.items() if name not in ignore for advice in rule(target)]
    code = ExitCode.VIOLATED if found else ExitCode.HELD
    if as_json:
        echo_json([asdict(advice) for advice in found])
        return code
    output = Output()
    for service in ("", *target.topology.services):
        mine = [advice for advice in found if advice.service == service]
        if mine:
            output.line(service or target.name, "bold")
        for advice in mine:
            output.line(f"  {advice.key}: {advice.found}  [{advice.rule}]", "yellow")
            output.line(f"    {advice.reason}")
            output.line(f"    write: {advice.fix}")
    count = len(target.services)
    if found:
        output.line(f"{counted(len(found), 'piece')} of advice for {counted(count, 'service')}")
    else:
        output.line(f"nothing to say about {counted(count, 'service')}", "green")
    return code
