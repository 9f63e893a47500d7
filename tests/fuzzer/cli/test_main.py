"""How any command ends: exit codes, messages, and what the first screen says."""

import subprocess
import sys

import click
import pytest

from fuzzer.cli import graph
from fuzzer.cli.exit_codes import ExitCode, of_outcomes
from fuzzer.cli.main import COMMANDS, cli
from models.errors import Inconclusive, RequestError, RuntimeUnavailable
from models.verdict import Outcome

HELD, VIOLATED, UNKNOWN = Outcome.HOLDS, Outcome.VIOLATED, Outcome.UNKNOWN


def test_the_first_screen_comes_without_loading_what_is_slow():
    program = (
        "import sys; from fuzzer.cli.main import cli\n"
        "try: cli(['--help'])\n"
        "except SystemExit: print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert "Commands:" in done.stdout
    assert not {"hypothesis", "pydantic", "networkx", "docker", "rich", "pytest"} & set(done.stderr.split())


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself_with_an_example(knockon, name):
    result = knockon(name, "--help")
    assert result.exit_code == 0
    assert "Examples:" in result.output
    assert f"  knockon {name}" in result.output


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_takes_the_shared_options(name):
    command = cli.get_command(click.Context(cli), name)
    needs_a_fleet = name != "report"  # it reads what was kept
    wanted = {"--target", "--project", "--runtime", "--state"} if needs_a_fleet else {"--state"}
    for one in command.commands.values() if isinstance(command, click.Group) else [command]:
        assert {option for param in one.params for option in param.opts} >= wanted


def test_the_version_is_told(knockon):
    result = knockon("--version")
    assert result.exit_code == 0
    assert result.output.startswith("knockon ")


@pytest.mark.parametrize(
    ("outcomes", "code"),
    [
        ([], 0),
        ([HELD, HELD], 0),
        ([HELD, UNKNOWN], 3),
        ([UNKNOWN, VIOLATED, HELD], 1),
    ],
)
def test_one_violation_decides_then_one_unknown(outcomes, code):
    assert of_outcomes(outcomes) == code


@pytest.mark.parametrize(
    ("error", "code", "says"),
    [
        (RequestError("no such thing"), 2, "Error: no such thing"),
        (Inconclusive("nobody knows"), 3, "Error: nobody knows"),
        (RuntimeUnavailable("no engine"), 3, "Error: no engine"),
        (KeyboardInterrupt(), 130, "Interrupted."),
        (ZeroDivisionError("oops"), 3, "Error: knockon itself failed: ZeroDivisionError: oops"),
        (BrokenPipeError(), 141, ""),
    ],
)
def test_an_error_is_one_message_and_the_right_code(knockon, monkeypatch, error, code, says):
    def fail(config):
        raise error

    monkeypatch.setattr(graph, "read_target", fail)
    monkeypatch.setattr("fuzzer.cli.main._read_no_more", lambda: None)
    result = knockon("graph")
    assert result.exit_code == code
    assert says in result.stderr
    assert result.stdout == ""


def test_a_note_of_an_error_is_shown_with_it(knockon, monkeypatch):
    def fail(config):
        error = RuntimeUnavailable("supervisord ended")
        error.add_note("the logs are in x")
        raise error

    monkeypatch.setattr(graph, "read_target", fail)
    assert knockon("graph").stderr == "Error: supervisord ended\nthe logs are in x\n"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["fly"], "No such command 'fly'"),
        (["kill"], "Missing argument 'SERVICE...'"),
        (["kill", "db", "--runtime", "k8s"], "no runtime 'k8s'; expected one of: local, docker, sim"),
        (["kill", "db", "--wait", "soon"], "found 'soon'; expected a span of time"),
        (["kill", "orders-db", "--wait", "1h"], "expected 0 to 600"),
        (["kill", "orders-db", "--action", "fry"], "'fry' is not one of 'crash', 'kill'"),
        (["kill", "nobody"], "there is no service 'nobody' here; expected one of: api-gateway"),
        (["replay", "melt db"], "there is no action 'melt'; expected one of: crash, kill"),
        (["replay", "crash orders-db; wait $"], "found '$'"),
        (["replay", "crash", "orders-db"], "quote it: 'crash orders-db'"),
        (["replay", "pins/nothing.json"], "pins/nothing.json: cannot be read: No such file"),
        (["replay", "load nothing 5rps 2s"], "there is no load 'nothing' here; expected one of: checkout"),
        (["replay", ""], "the scenario has no steps"),
        (["fuzz", "--budget", "5x"], "found '5x'; expected a span of time"),
        (["fuzz", "--steps", "0"], "0 is not in the range"),
        (["fuzz", "--min-coverage", "pears=1"], "expected one of: actions, pairs, phases"),
        (["fuzz", "--min-coverage", "pairs=80"], "which is more than all"),
        (["graph", "--target", "nothing.yaml"], "nothing.yaml"),
        (["graph", "--blast", "nobody"], "there is no service 'nobody'"),
        (["graph", "--format", "svg"], "'svg' is not one of 'text', 'mermaid', 'dot'"),
        (["pin", "--guard", "--reopen", "x.json"], "exclude each other"),
        (["pin", "--force", "x.json"], "belong to --guard"),
        (["pin", "--name", "../x", "x.json"], "expected letters"),
        (["pin", "--guard", "crash orders-db"], "give --signature"),
        (
            ["pin", "--guard", "--signature", "x:y", "crash orders-db"],
            "expected INVARIANT:SERVICE, of isolation",
        ),
        (["random", "--steps", "0"], "0 is not in the range"),
    ],
)
def test_a_wrong_request_is_told_before_anything_starts(knockon, words, says):
    result = knockon(*words)
    assert result.exit_code == ExitCode.REQUEST, result.output
    assert says in result.stderr
    assert "Error: " in result.stderr
    assert result.stdout == ""


def test_no_arguments_show_the_help(knockon):
    result = knockon()
    assert result.exit_code == 2
    assert "Commands:" in result.output
