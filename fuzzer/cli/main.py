"""``knockon``: the group of commands, and how any of them ends.

A command is one file here that names its arguments, asks the floors below, prints, and returns an
``ExitCode``. It is imported only when it is called: ``knockon --help`` knows it by its line below.
To add one: that file, with ``command`` in it, and that line.
"""

from __future__ import annotations

import importlib
import os
import sys
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import click

from fuzzer.cli.exit_codes import ExitCode, NobodyReads, of_error
from models.errors import KnockonError

TRACEBACK = "KNOCKON_TRACEBACK"


@dataclass(frozen=True, slots=True)
class Entry:
    """Where a command is, and what it does in a few words."""

    module: str
    summary: str


COMMANDS: Mapping[str, Entry] = {
    "fuzz": Entry("fuzzer.cli.fuzz", "search for cascades, pins first (the same as pytest fuzzer)"),
    "replay": Entry("fuzzer.cli.replay", "play scenarios, findings or pins again, and show what happens"),
    "pin": Entry("fuzzer.cli.pin", "keep a finding as a regression test; turn fixed ones into guards"),
    "random": Entry("fuzzer.cli.random_", "play one random scenario"),
    "kill": Entry("fuzzer.cli.kill", "kill, crash, stop, pause or restart services, and judge what follows"),
    "load-chaos": Entry("fuzzer.cli.load_chaos", "harm services under load, and show what clients saw"),
    "calibrate": Entry("fuzzer.cli.calibrate", "learn how the real fleet behaves, for the simulation"),
    "health": Entry("fuzzer.cli.health", "show how every service is"),
    "graph": Entry("fuzzer.cli.graph", "show who depends on whom, and how far harm may spread"),
    "wire": Entry("fuzzer.cli.wire", "print a compose override that puts proxies on connections"),
    "report": Entry("fuzzer.cli.report", "make a page of a run: one HTML file, from its log"),
    "heal": Entry("fuzzer.cli.heal", "undo what runs that died left behind"),
    "doctor": Entry("fuzzer.cli.doctor", "tell what works here, and what to do about the rest"),
}

EPILOG = """\
\b
Try it on the example shop:
  knockon graph
  knockon kill analytics-service
  knockon fuzz --budget 1m

Exit codes: 0 everything held, 1 a promise was broken, 2 the request or the target is wrong,
3 inconclusive, 130 interrupted. The fleet is healed in each case.
"""


class Commands(click.Group):
    """A group whose commands are imported when they are called, and whose errors end in one message."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order in which a person meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import it."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(COMMANDS[cmd_name].module).command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List them without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.summary) for name, entry in COMMANDS.items()])

    def main(self, args: Sequence[str] | None = None, *rest: Any, **extra: Any) -> Any:  # as click's own
        """Run, and leave the process with the right code."""
        try:
            code = self._run(sys.argv[1:] if args is None else args, **extra)
            sys.stdout.flush()
        except (BrokenPipeError, NobodyReads):
            _read_no_more()
            code = ExitCode.PIPE
        sys.exit(code)

    def _run(self, args: Sequence[str], **extra: Any) -> int:
        try:
            returned = super().main(list(args), **{"prog_name": "knockon", **extra, "standalone_mode": False})
            return returned if isinstance(returned, int) else ExitCode.HELD
        except click.ClickException as error:
            error.show()
            return ExitCode.REQUEST
        except (KeyboardInterrupt, click.Abort):
            click.echo("Interrupted.", err=True)
            return ExitCode.INTERRUPTED
        except KnockonError as error:
            click.echo("\n".join([f"Error: {error}", *getattr(error, "__notes__", ())]), err=True)
            return of_error(error)
        except (BrokenPipeError, SystemExit):
            # Click leaves with 1 when nobody reads any more; that number means a verdict.
            raise NobodyReads from None
        except Exception as error:
            # Python would end with 1, which means that the fleet broke a promise.
            _admit(error)
            return ExitCode.UNKNOWN


def _read_no_more() -> None:
    """Nobody reads any more: let Python's own flush at the end go nowhere, and in silence."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())


def _admit(error: Exception) -> None:
    if os.environ.get(TRACEBACK):
        traceback.print_exception(error)
    click.echo(
        f"Error: knockon itself failed: {type(error).__name__}: {error}. This is a bug in knockon; "
        f"{TRACEBACK}=1 shows where",
        err=True,
    )


def _show_version(ctx: click.Context, option: click.Parameter, asked: bool) -> None:
    if asked and not ctx.resilient_parsing:
        from fuzzer.version import version

        click.echo(f"knockon {version()}")
        ctx.exit()


@click.group(cls=Commands, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_show_version)
def cli() -> None:
    """Find cascading failures in a Docker Compose fleet, make them small, and keep them found."""


def main() -> None:
    """The console script."""
    cli()
