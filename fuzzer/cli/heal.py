"""``knockon heal``: undo what runs that died left behind. Every run does so when it starts, too."""

from __future__ import annotations

from pathlib import Path

import click

from fuzzer.cli.exit_codes import ExitCode
from fuzzer.cli.options import with_config
from fuzzer.config import RunConfig
from fuzzer.session import heal_leftovers, open_runtime, read_target
from fuzzer.shown import complain, echo
from models.errors import RequestError, RuntimeUnavailable
from models.target import Service, Target
from models.topology import Topology


@click.command()
@with_config
def command(config: RunConfig) -> ExitCode:
    """Undo what runs that died left behind. Runs that are alive are left alone.

    Local fleets are found in the state folder. With docker every project is healed that has a
    journal on the engine, or the one that --project or --target names. It may be run as often as you
    like: what is healed is healed.

    \b
    Examples:
      knockon heal
      knockon heal --project shop
    """
    done = []
    if config.runtime in (None, "local"):
        done += heal_local(config.state)
    if config.runtime in (None, "docker"):
        try:
            done += heal_docker(_project(config))
        except RuntimeUnavailable as error:
            if config.runtime == "docker" or config.targets or config.project:
                raise
            complain(f"docker was left out: {error}")
    for line in done or ["nothing to heal"]:
        echo(line)
    return ExitCode.HELD


def _project(config: RunConfig) -> str | None:
    return config.project or (read_target(config).name if config.targets else None)


def heal_local(state: Path) -> list[str]:
    """End fleets whose owner died; what was done, a sentence each."""
    from fuzzer.runtimes.local.fleets import end_stale_fleets

    return [f"local: {line}" for line in end_stale_fleets(state)]


def heal_docker(project: str | None) -> list[str]:
    """Undo what the journals on the engine say, of one project or of all; a sentence each.

    Raises:
        RuntimeUnavailable: no engine answers.
        RequestError: a journal cannot be read; the others were healed.
    """
    from fuzzer.runtimes.docker.claim import sweep_claims
    from fuzzer.runtimes.docker.clients import Clients
    from fuzzer.runtimes.docker.containers import found
    from fuzzer.runtimes.docker.helper import sweep
    from fuzzer.runtimes.docker.journal import JOURNAL, PROJECT

    clients = Clients()
    try:
        sweep(clients)
        sweep_claims(clients)
        with clients.lent("look for journals") as api:
            listed = api.containers(all=True, filters={"label": [JOURNAL]})
            projects = {str(entry["Labels"].get(PROJECT, "")) for entry in listed} - {""}
            services = {
                name: tuple(dict.fromkeys(container.service for container, _ in found(api, name)))
                for name in sorted(projects)
                if project in (None, name)
            }
    finally:
        clients.close()
    done, problems = [], []
    for name, there in services.items():
        # What is undone needs names only, so a compose file that is broken or gone does not matter.
        target = Target(name, Path.cwd(), {one: Service(one) for one in there}, Topology(there))
        try:
            with open_runtime(RunConfig(project=name, runtime="docker"), target) as runtime:
                done += [f"docker: {name}: {line}" for line in heal_leftovers(runtime)]
        except RequestError as error:
            problems.append(f"{name}: {error}")
    if problems:
        raise RequestError("\n".join([*problems, *(f"(done: {line})" for line in done)]))
    return done
