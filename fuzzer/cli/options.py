"""The options that every command takes, and the ``RunConfig`` that they make.

A command that is decorated with ``with_config`` gets that as its first argument::

    @click.command()
    @with_config
    def command(config: RunConfig) -> ExitCode: …
"""

from __future__ import annotations

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
    from fuzzer.session import RUNTIMES

    if runtime is not None and runtime not in RUNTIMES:
        raise click.UsageError(f"there is no runtime {runtime!r}; expected one of: {', '.join(RUNTIMES)}")
    return RunConfig(targets, project, runtime, state=state)


PINS = click.option(
    "--pins",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Folder of pins.  [default: pins, beside the compose file]",
)
