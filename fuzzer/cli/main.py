"""``knockon``: the group of commands, and how any of them ends.

A command is one file here that names its arguments, asks the floors below, prints, and returns an
``ExitCode``. It is imported only when it is called: ``knockon --help`` knows it by its line below.
To add one: that file, with ``command`` in it, and that line.
"""

from __future__ import annotations

import importlib
import io
import os
import sys
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from errno import EDQUOT, EFBIG, ENOSPC
from typing import Any

import click

from fuzzer.cli.exit_codes import ExitCode, NobodyReads, of_error, of_halt
from fuzzer.halts import Halt, Interrupted
from fuzzer.shown import complain
from models.errors import KnockonError

TRACEBACK = "KNOCKON_TRACEBACK"

FULL = (ENOSPC, EDQUOT, EFBIG)
"""Errors of a write for which there is no room."""


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
    "scenario": Entry("fuzzer.cli.scenario", "list, show and run scenarios that have a name"),
    "calibrate": Entry("fuzzer.cli.calibrate", "learn how the real fleet behaves, for the simulation"),
    "health": Entry("fuzzer.cli.health", "show how every service is"),
    "graph": Entry("fuzzer.cli.graph", "show who depends on whom, and how far harm may spread"),
    "lint": Entry("fuzzer.cli.lint", "give the advice that a compose file alone allows"),
    "wire": Entry("fuzzer.cli.wire", "print a compose override that puts proxies on connections"),
    "report": Entry("fuzzer.cli.report", "make a page of a run: one HTML file, from its log"),
    "export": Entry("fuzzer.cli.export", "write a scenario for Docker, Pumba or Chaos Toolkit"),
    "import": Entry("fuzzer.cli.import_", "read a Chaos Toolkit experiment as a scenario"),
    "stop": Entry("fuzzer.cli.stop", "end the runs that go on, from another terminal"),
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
        except OSError as error:  # nothing else is written that late
            _read_no_more()
            code = _unwritten(error)
        sys.exit(code)

    def invoke(self, ctx: click.Context) -> Any:  # as click's own, which would take any halt for Ctrl-C
        """Run the command; one that is halted ends with one message, too."""
        try:
            return super().invoke(ctx)
        except Halt as halt:
            click.echo(f"{halt}." if isinstance(halt, Interrupted) else f"Stopped: {halt}.", err=True)
            return of_halt(halt)

    def _run(self, args: Sequence[str], **extra: Any) -> int:
        try:
            returned = super().main(list(args), **{"prog_name": "knockon", **extra, "standalone_mode": False})
            return returned if isinstance(returned, int) else ExitCode.HELD
        except click.ClickException as error:
            said = io.StringIO()
            error.show(said)
            complain(said.getvalue().rstrip("\n"))
            return ExitCode.REQUEST
        except (KeyboardInterrupt, click.Abort):
            click.echo("Interrupted.", err=True)
            return ExitCode.INTERRUPTED
        except KnockonError as error:
            complain("\n".join([f"Error: {error}", *getattr(error, "__notes__", ())]))
            return of_error(error)
        except (BrokenPipeError, SystemExit):
            # Click leaves with 1 when nobody reads any more; that number means a verdict.
            raise NobodyReads from None
        except OSError as error:
            if error.errno not in FULL:
                _admit(error)
                return ExitCode.UNKNOWN
            _read_no_more()
            return _unwritten(error)
        except Exception as error:
            # Python would end with 1, which means that the fleet broke a promise.
            _admit(error)
            return ExitCode.UNKNOWN


def _read_no_more() -> None:
    """Nobody reads any more: let Python's own flush at the end go nowhere, and in silence."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())


def _unwritten(error: OSError) -> ExitCode:
    click.echo(f"Error: {error.filename or 'the output'}: cannot be written: {error.strerror}", err=True)
    return ExitCode.UNKNOWN


def _admit(error: Exception) -> None:
    if os.environ.get(TRACEBACK):
        complain("".join(traceback.format_exception(error)))
    complain(
        f"Error: knockon itself failed: {type(error).__name__}: {error}. This is a bug in knockon; "
        f"{TRACEBACK}=1 shows where"
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
