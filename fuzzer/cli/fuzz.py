"""``knockon fuzz``: what ``pytest fuzzer`` does, from wherever you are and however it is installed."""

from __future__ import annotations

import os
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fuzzer.cli.exit_codes import ExitCode
from fuzzer.cli.options import PINS, touching, with_config
from fuzzer.config import RunConfig
from fuzzer.durations import parse_duration
from fuzzer.fleets import read_target
from fuzzer.thresholds import parse_min_coverage

if TYPE_CHECKING:
    import pytest

FOLDER = Path(__file__).resolve().parents[1]
"""The package, whose two tests are the pins and the search."""


@click.command()
@click.option(
    "--budget", metavar="TIME", default="60s", show_default=True, help="Time to search: 90s, 5m, 1h."
)
@click.option("--examples", metavar="N", type=click.IntRange(1), help="Scenarios at most.")
@click.option("--findings", metavar="N", type=click.IntRange(1), help="Findings that end it.  [default: 5]")
@click.option("--steps", metavar="N", type=click.IntRange(1), help="Steps a scenario at most.")
@click.option("--seed", metavar="N", type=int, help="Write the same scenarios again.")
@click.option("--promise", "promises", metavar="NAME", multiple=True, help="Judge only this one; repeatable.")
@click.option("--action", "actions", metavar="NAME", multiple=True, help="Draw only this one; repeatable.")
@click.option("--under-load", is_flag=True, help="Play only scenarios that send a load.")
@click.option(
    "--min-coverage",
    "min_coverage",
    metavar="NAME=SHARE",
    multiple=True,
    help="Less is inconclusive: actions, pairs or phases, as pairs=0.8 or pairs=80%; repeatable.",
)
@click.option("--coverage", is_flag=True, help="Print the whole coverage map at the end.")
@PINS
@click.argument("pytest_args", metavar="[-- PYTEST ARGS...]", nargs=-1, type=click.UNPROCESSED)
@with_config
@touching
def command(
    config: RunConfig,
    budget: str,
    examples: int | None,
    findings: int | None,
    steps: int | None,
    seed: int | None,
    promises: tuple[str, ...],
    actions: tuple[str, ...],
    under_load: bool,
    min_coverage: tuple[str, ...],
    coverage: bool,
    pins: Path | None,
    pytest_args: tuple[str, ...],
) -> ExitCode:
    """Play every pin, then search for cascades until the time is over or one is found.

    What is found is saved, confirmed, made small and printed with the command that replays it. What
    follows -- goes to pytest as it is.

    \b
    Examples:
      knockon fuzz --budget 5m
      knockon fuzz --target compose.yaml --target compose.hardened.yaml --runtime local
      knockon fuzz -- -k pin                    only the pins
      knockon fuzz --action latency --action blackhole --action load
      knockon fuzz --budget 10m --min-coverage pairs=80%
      knockon fuzz --seed 4711 -- --junitxml report.xml
    """
    parse_duration(budget)
    parse_min_coverage(min_coverage)
    if config.targets or config.project:
        read_target(config)  # its mistakes are told better without pytest around them
    given = {"budget": budget, "examples": examples, "steps": steps, "seed": seed, "pins": pins}
    given |= {"project": config.project, "runtime": config.runtime, "state": config.state}
    given |= {"edge-proxy": config.edge_proxy, "findings": findings, "metrics-port": config.metrics_port}
    words = [f"--target={path}" for path in config.targets] + [f"--promise={name}" for name in promises]
    words += [f"--action={name}" for name in actions]
    words += [f"--min-coverage={text}" for text in min_coverage]
    words += ["--under-load"] if under_load else []
    words += ["--coverage"] if coverage else []
    words += ["--allow-remote"] if config.allow_remote else []
    words += [f"--i-mean={name}" for name in config.meant]
    words += [f"--{name}={value}" for name, value in given.items() if value is not None]
    return run_pytest([*words, *pytest_args])


def run_pytest(words: list[str]) -> ExitCode:
    """Run pytest on the package, deaf to the configuration of the project that we are called in."""
    import pytest

    isolated = [f"-c{os.devnull}", f"--rootdir={FOLDER}", "-pno:cacheprovider", "--import-mode=importlib"]
    # We have read the options already, with the modules that this is about.
    isolated += ["-Wignore::pytest.PytestAssertRewriteWarning"]
    interrupt = _Interrupt()
    words = [str(FOLDER), *isolated, f"-p{_plugin()}", "--no-header", "-q", "-rN", *words]
    code = int(pytest.main(words, plugins=[interrupt]))
    if interrupt.seen:  # pytest's own code for that is 2, which is what a wrong request has here
        return ExitCode.INTERRUPTED
    if code == pytest.ExitCode.USAGE_ERROR:
        return ExitCode.REQUEST
    return ExitCode(code) if code in (0, 1, 2, ExitCode.INTERRUPTED) else ExitCode.UNKNOWN


class _Interrupt:
    """A plugin that notices Ctrl-C; pytest calls the same hook for its own exits."""

    seen = False

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        self.seen = isinstance(excinfo.value, KeyboardInterrupt)


def _plugin() -> str:
    """By its entry point where knockon is installed; pytest refuses it under a second name."""
    return "knockon" if entry_points(group="pytest11", name="knockon") else "fuzzer.plugin"
