"""``knockon export``: a scenario in the words of another tool."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import click

from fuzzer.cli.exit_codes import ExitCode
from fuzzer.cli.inputs import read_inputs, refuse_foreign
from fuzzer.cli.options import with_config
from fuzzer.config import RunConfig
from fuzzer.exchange.chaostoolkit import experiment
from fuzzer.exchange.deeds import Containers, by_compose, deeds
from fuzzer.exchange.pumba import pumba_lines
from fuzzer.exchange.shell import shell_lines
from fuzzer.files import write_atomically
from fuzzer.fleets import read_target
from fuzzer.shown import echo, shown
from models.errors import RequestError
from models.target import Target


@click.command()
@click.argument("scenario", metavar="SCENARIO|FILE")
@click.option(
    "--as",
    "form",
    type=click.Choice(["docker", "pumba", "chaostoolkit"]),
    default="docker",
    show_default=True,
    help="In whose words.",
)
@click.option("--output", metavar="FILE", type=click.Path(path_type=Path), help="Where to write it.")
@with_config
def command(config: RunConfig, scenario: str, form: str, output: Path | None) -> ExitCode:
    """Write a scenario, a finding or a pin as commands of Docker or Pumba, or as a Chaos Toolkit experiment.

    Whoever has no knockon can then do the same. Containers are named as they run; where none run, as
    compose names them. What the other tool cannot do is left out and told in its text.

    \b
    Examples:
      knockon export 'crash product-service; wait 2s'
      knockon export .knockon/findings/shop-local-isolation-api-gateway.json --as pumba
      knockon export pins/cascade.json --as chaostoolkit --output experiment.json
    """
    (given,) = read_inputs([scenario])
    target = read_target(config)
    refuse_foreign(given, target)
    project = config.project or target.name
    match form:
        case "chaostoolkit":
            made = experiment(given.scenario, target, _containers(project, target))
            text = json.dumps(made, indent=2) + "\n"
        case "pumba":
            text = "".join(f"{line}\n" for line in pumba_lines(given.scenario, project))
        case _:
            lines = shell_lines(deeds(given.scenario, _containers(project, target)))
            text = "".join(f"{line}\n" for line in lines)
    if output is None:
        echo(text.rstrip("\n"))
        return ExitCode.HELD
    try:
        write_atomically(output, shown(text))
    except OSError as error:
        raise RequestError(f"{output}: cannot be written: {error.strerror}") from None
    echo(f"written: {output}")
    return ExitCode.HELD


def _containers(project: str, target: Target) -> Containers:
    """As they run; as compose would name them, where no engine answers or none of them is there."""
    from fuzzer.runtimes.docker.clients import TROUBLE, Clients

    try:
        with closing(Clients().connect()) as client:
            found = client.containers(all=True, filters={"label": f"com.docker.compose.project={project}"})
    except TROUBLE:
        found = []
    names: dict[str, list[str]] = {}
    for one in sorted(found, key=lambda one: one["Labels"].get("com.docker.compose.container-number", "")):
        service = one["Labels"].get("com.docker.compose.service", "")
        names.setdefault(service, []).append(one["Names"][0].lstrip("/"))
    otherwise = by_compose(project)
    return lambda service: names.get(service) or otherwise(service)
