"""The options that every command takes, and the ``RunConfig`` that they make.

A command that is decorated with ``with_config`` gets that as its first argument::

    @click.command()
    @with_config
    def command(config: RunConfig) -> ExitCode: …
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fuzzer.cli.exit_codes import ExitCode

if TYPE_CHECKING:
    from fuzzer.config import RunConfig

_OPTIONS = (
    click.option(
        "--target",
        "targets",
        multiple=True,
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="Compose file; repeat it to merge overrides, as compose does. None: the example shop.",
    ),
    click.option("--project", metavar="NAME", help="Compose project; alone, it is discovered."),
    click.option(
        "--runtime",
        metavar="NAME",
        help="local (processes), docker or sim (simulated). Default: docker, and local for the example shop.",
    ),
    click.option(
        "--edge-proxy",
        metavar="URL",
        help="Toxiproxy server to put between services, instead of proxies of our own; off: none.",
    ),
    click.option(
        "--metrics-port",
        type=click.IntRange(0, 65535),
        metavar="PORT",
        help="Serve metrics of the run for Prometheus on this port of 127.0.0.1; 0: any.",
    ),
    click.option(
        "--state",
        type=click.Path(path_type=Path, file_okay=False),
        default=Path(".knockon"),
        metavar="DIR",
        help="Where findings, logs and journals are kept.  [default: .knockon]",
    ),
)

_TOUCHING = (
    click.option("--allow-remote", is_flag=True, help="Touch an engine that is not this machine's."),
    click.option(
        "--i-mean",
        "meant",
        multiple=True,
        metavar="NAME",
        help="Touch what is called so, although it looks like production; repeatable.",
    ),
)


def with_config(do: Callable[..., ExitCode]) -> Callable[..., ExitCode]:
    """Add the shared options to a command."""

    @wraps(do)
    def configured(
        targets: tuple[Path, ...],
        project: str | None,
        runtime: str | None,
        edge_proxy: str | None,
        metrics_port: int | None,
        state: Path,
        **rest: object,
    ) -> ExitCode:
        config = run_config(targets, project, runtime, state)
        return do(replace(config, edge_proxy=edge_proxy, metrics_port=metrics_port), **rest)

    for option in reversed(_OPTIONS):
        configured = option(configured)
    return configured


def run_config(targets: tuple[Path, ...], project: str | None, runtime: str | None, state: Path) -> RunConfig:
    """The options as one value.

    Raises:
        click.UsageError: there is no such runtime.
    """
    from fuzzer.config import RunConfig
    from fuzzer.fleets import RUNTIMES

    if runtime is not None and runtime not in RUNTIMES:
        raise click.UsageError(f"there is no runtime {runtime!r}; expected one of: {', '.join(RUNTIMES)}")
    return RunConfig(targets, project, runtime, state=state)


def touching(do: Callable[..., ExitCode]) -> Callable[..., ExitCode]:
    """Add the options of commands that harm a fleet; below ``with_config``.

    Where a name looks like production and a person is there, that person is asked to type it.
    """

    @wraps(do)
    def consented(config: RunConfig, allow_remote: bool, meant: tuple[str, ...], **rest: object) -> ExitCode:
        return do(_with_typed(replace(config, allow_remote=allow_remote, meant=meant)), **rest)

    for option in reversed(_TOUCHING):
        consented = option(consented)
    return consented


def _with_typed(config: RunConfig) -> RunConfig:
    """With the names that somebody at a terminal typed; the session refuses what is missing."""
    from fuzzer.fleets import place_of, read_target
    from fuzzer.safety.refusals import unmeant
    from models.errors import KnockonError

    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return config
    try:
        target = read_target(config)
        place = place_of(config, target)
    except KnockonError:
        return config  # the command says it better
    found = unmeant(place, target, config.meant) if place else []
    asked = [(name, _typed(f"{what} is called {name}; type that to go on")) for what, name, _ in found]
    return replace(config, meant=(*config.meant, *(name for name, typed in asked if typed == name)))


def _typed(question: str) -> str:
    answer: str = click.prompt(question, default="", show_default=False, err=True)
    return answer


PINS = click.option(
    "--pins",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Folder of pins.  [default: pins, beside the compose file]",
)
