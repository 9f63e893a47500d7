"""``knockon wire``: a compose override that puts a proxy on each connection."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import click

from fuzzer.cli.exit_codes import ExitCode
from fuzzer.cli.options import with_config
from fuzzer.config import RunConfig
from fuzzer.files import write_atomically
from fuzzer.fleets import read_target
from fuzzer.override import IMAGE, SERVICE, Override
from fuzzer.shown import complain, shown
from fuzzer.targets.base import Place, Problems
from fuzzer.targets.yaml_source import read_documents
from models.errors import RequestError
from models.proxied import to_text
from models.target import Target

FILE = "edges.yaml"
"""What it is called in what we print."""


@click.command()
@click.option(
    "--image",
    metavar="IMAGE",
    default=IMAGE,
    show_default=True,
    help="What the proxies run in: one with Python 3.11 or later, or Toxiproxy's.",
)
@with_config
def command(config: RunConfig, image: str) -> ExitCode:
    """Print a compose override that puts a proxy on each connection, so that it can be harmed.

    Only connections that a variable names, between services that are both opted in. Nothing is
    started or touched. Toxiproxy can read its list of proxies from a file only: then that is written,
    too, beside the compose file.

    \b
    Examples:
      knockon wire --target compose.yaml > edges.yaml
      docker-compose -f compose.yaml -f edges.yaml up -d
      knockon fuzz --target compose.yaml
    """
    target = read_target(config)
    if not target.files:
        raise RequestError(
            f"the compose files of {target.name} cannot be read here, and an override needs them: name them "
            "with --target, on the machine where they are"
        )
    config_file = target.directory / f"{SERVICE}.json" if is_toxiproxy(image) else None
    override = Override(target, usage(config, target), compose_version(target.files), image, config_file)
    if config_file:
        _write(config_file, to_text(override.proxied) + "\n")
        complain(f"written: {config_file}")
    # Whole where it goes to a file, which is what it is for; a screen shows it without secrets.
    is_seen = sys.stdout.isatty()
    click.echo(shown(override.text()) if is_seen else override.text(), nl=False)
    if is_seen:
        complain(f"secrets are hidden on a screen; write it to a file: > {FILE}")
    return ExitCode.HELD


def _write(path: Path, text: str) -> None:
    try:
        write_atomically(path, text, shared=True)  # a container reads it
    except OSError as error:
        raise RequestError(f"{path}: cannot be written: {error.strerror}") from error


def is_toxiproxy(image: str) -> bool:
    """Whether an image is Toxiproxy's, by the last part of its name."""
    return image.rpartition("/")[2].partition("@")[0].partition(":")[0] == "toxiproxy"


def usage(config: RunConfig, target: Target) -> list[str]:
    """The three commands: write it, use it, fuzz."""
    named = bool(config.targets or config.project)
    files = [str(path) for path in target.files]
    project = [config.project] if config.project else []
    same = [*_each("--target", config.targets if named else target.files), *_each("--project", project)]
    compose = ["docker-compose", *_each("-p", project), *_each("-f", [*files, FILE]), "up", "-d"]
    fuzz = ["knockon", "fuzz", *same, *([] if named else ["--runtime", "docker"])]
    return [f"{shlex.join(['knockon', 'wire', *same])} > {FILE}", shlex.join(compose), shlex.join(fuzz)]


def _each(option: str, values: Iterable[object]) -> list[str]:
    return [word for value in values for word in (option, str(value))]


def compose_version(files: Sequence[Path]) -> str | None:
    """The ``version`` that compose files begin with, if they do."""
    problems = Problems()
    for path in files:
        for document in read_documents(path, problems):
            place = Place(document, "", problems).get("version")
            if place:
                return place.printed("a version")
    return None
