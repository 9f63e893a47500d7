"""The pytest door: options, the session fixture, one test a pin, and the exit code.

Loaded by pytest in every project of the environment, so it imports little and does nothing unless
the tests of the ``fuzzer`` folder are collected.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest

if TYPE_CHECKING:
    from fuzzer.config import RunConfig
    from fuzzer.events import Event, Listener
    from fuzzer.halts import Halt
    from fuzzer.session import Session

HERE = Path(__file__).resolve().parent
EXIT_REQUEST, EXIT_UNKNOWN, EXIT_INTERRUPTED = 2, 3, 130
_CONFIG = pytest.StashKey["RunConfig"]()
_CODE = pytest.StashKey[int]()
_INTERRUPTED = pytest.StashKey[bool]()
_NOTES = pytest.StashKey[list[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of ``pytest fuzzer``."""
    group = parser.getgroup("knockon", "knockon: chaos fuzzing of a compose fleet (pytest fuzzer)")
    group.addoption(
        "--target",
        action="append",
        default=[],
        metavar="FILE",
        help="compose file; repeat to merge overrides",
    )
    group.addoption("--project", metavar="NAME", help="a compose project that runs")
    group.addoption("--runtime", metavar="NAME", help="local, docker or sim")
    group.addoption(
        "--budget", default="60s", metavar="TIME", help="time to search: 90s, 5m, 1h (default 60s)"
    )
    group.addoption("--examples", type=int, default=10_000, metavar="N", help="scenarios at most")
    group.addoption("--findings", type=int, default=5, metavar="N", help="findings that end it (default 5)")
    group.addoption("--steps", type=int, metavar="N", help="steps a scenario at most (default: 8; 30 on sim)")
    group.addoption(
        "--promise", action="append", default=[], metavar="NAME", help="judge only this promise; repeatable"
    )
    group.addoption(
        "--action", action="append", default=[], metavar="NAME", help="draw only this action; repeatable"
    )
    group.addoption("--edge-proxy", metavar="URL", help="a Toxiproxy server to use, or off (default: ours)")
    group.addoption(
        "--metrics-port", type=int, metavar="PORT", help="serve metrics on this port of 127.0.0.1; 0: any"
    )
    group.addoption(
        "--min-coverage",
        action="append",
        default=[],
        metavar="NAME=SHARE",
        help="less is inconclusive: actions, pairs or phases, as pairs=0.8 or pairs=80%%; repeatable",
    )
    group.addoption("--coverage", action="store_true", help="print the whole coverage map at the end")
    group.addoption("--under-load", action="store_true", help="play only scenarios that send a load")
    group.addoption("--seed", type=int, metavar="N", help="write the same scenarios again")
    group.addoption("--allow-remote", action="store_true", help="touch an engine of another machine")
    group.addoption(
        "--i-mean",
        action="append",
        default=[],
        metavar="NAME",
        help="touch what is called so, although it looks like production; repeatable",
    )
    group.addoption("--pins", type=Path, metavar="DIR", help="folder of pins (default: beside the target)")
    group.addoption(
        "--state", type=Path, default=Path(".knockon"), metavar="DIR", help="findings, logs, journals"
    )


def run_config(config: pytest.Config) -> RunConfig:
    """The options as one value.

    Raises:
        RequestError: an option makes no sense.
    """
    from fuzzer.config import RunConfig
    from fuzzer.durations import parse_duration
    from fuzzer.search.campaign import SearchOptions
    from fuzzer.thresholds import parse_min_coverage

    if _CONFIG not in config.stash:
        option = config.getoption
        config.stash[_CONFIG] = RunConfig(
            targets=tuple(Path(path) for path in option("target")),
            project=option("project"),
            runtime=option("runtime"),
            pins=option("pins"),
            state=option("state"),
            promises=tuple(option("promise")),
            edge_proxy=option("edge_proxy"),
            actions=tuple(option("action")),
            metrics_port=option("metrics_port"),
            allow_remote=option("allow_remote"),
            meant=tuple(option("i_mean")),
            min_coverage=parse_min_coverage(option("min_coverage")),
            search=SearchOptions(
                budget_s=parse_duration(option("budget")),
                examples=option("examples"),
                steps=option("steps"),
                findings=option("findings"),
                seed=option("seed"),
                under_load=option("under_load"),
            ),
        )
    return config.stash[_CONFIG]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test a pin, named by its file."""
    if metafunc.definition.path != HERE / "test_pins.py":
        return
    from fuzzer.fleets import read_target
    from fuzzer.pins import pin_files
    from models.errors import Inconclusive, RequestError

    try:
        config = run_config(metafunc.config)
        files = pin_files(config.pins_folder(read_target(config)))
    except (RequestError, Inconclusive) as error:
        _leave(metafunc.config, error)
    metafunc.parametrize("pin_file", files, ids=[path.stem for path in files])


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Pins come before the search; without any there is nothing to skip."""
    items[:] = [item for item in items if item.name != "test_pin[NOTSET]"]
    items.sort(key=lambda item: item.path == HERE / "test_fuzz.py")


@pytest.fixture(scope="session")
def knockon_session(request: pytest.FixtureRequest) -> Iterator[Session]:
    """A fleet that is up and watched; its progress is shown while it goes on."""
    from fuzzer.halts import Halt
    from fuzzer.session import open_session
    from models.errors import Inconclusive, RequestError

    try:
        config = run_config(request.config)
        with open_session(config, _progress(request.config, config.options())) as session:
            yield session
            if session.report:
                note(request.config, f"report:  {session.report}")
    except (RequestError, Inconclusive) as error:
        _leave(request.config, error)
    except Halt as halt:
        leave_halted(request.config, halt)


def _leave(config: pytest.Config, error: Exception) -> NoReturn:
    """End pytest with a message and no traceback."""
    from fuzzer.shown import shown
    from models.errors import RequestError

    code = EXIT_REQUEST if isinstance(error, RequestError) else EXIT_UNKNOWN
    config.stash[_CODE] = code = min(code, config.stash.get(_CODE, code))
    pytest.exit(shown(str(error)), returncode=code)


def note_halt(config: pytest.Config, halt: Halt) -> None:
    """Whoever interrupts a run is told so in the end, whatever else is told."""
    from fuzzer.halts import Interrupted

    config.stash[_INTERRUPTED] = isinstance(halt, Interrupted)


def leave_halted(config: pytest.Config, halt: Halt, told: str = "") -> NoReturn:
    """End pytest because the run has to end; ``told`` is what was violated."""
    note_halt(config, halt)
    code = pytest.ExitCode.TESTS_FAILED if told else EXIT_UNKNOWN
    config.stash[_CODE] = code = min(code, config.stash.get(_CODE, code))
    lines = filter(None, (told, str(halt)))
    pytest.exit("\n".join(lines), returncode=EXIT_INTERRUPTED if config.stash[_INTERRUPTED] else code)


def _progress(config: pytest.Config, options: str) -> Listener:
    """A listener that prints past pytest's capturing; a finding is left to the test's own report."""
    from rich.console import Console

    from fuzzer.events import FindingMade
    from fuzzer.reports.coverage import CoverageTable
    from fuzzer.reports.terminal import Terminal

    capture = config.pluginmanager.getplugin("capturemanager")
    console = Console(highlight=False)
    listeners: list[Listener] = [Terminal(console, options)]
    if config.getoption("coverage"):
        listeners.append(CoverageTable(console))

    def show(event: Event) -> None:
        if isinstance(event, FindingMade):
            return
        with capture.global_and_fixture_disabled():
            for listener in listeners:
                listener(event)

    return show


def note(config: pytest.Config, text: str) -> None:
    """A line for the end of the report."""
    config.stash.setdefault(_NOTES, []).append(text)


def violated(config: pytest.Config, text: str) -> NoReturn:
    """Fail the running test because a promise was broken."""
    _fail(config, pytest.ExitCode.TESTS_FAILED, text)


def refused(config: pytest.Config, text: str) -> NoReturn:
    """Fail the running test because what it was asked for is wrong."""
    _fail(config, EXIT_REQUEST, text)


def inconclusive(config: pytest.Config, reason: str) -> NoReturn:
    """Fail the running test because nothing can be said."""
    _fail(config, EXIT_UNKNOWN, f"UNKNOWN: {reason}")


def _fail(config: pytest.Config, code: int, text: str) -> NoReturn:
    """Of several failures the smallest code wins: violated, then refused, then inconclusive."""
    from fuzzer.shown import shown

    config.stash[_CODE] = min(code, config.stash.get(_CODE, code))
    pytest.fail(shown(text), pytrace=False)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Tell wrong requests, inconclusive runs and interruptions apart; pytest itself knows only failures.

    A failure that nobody meant is an error of knockon itself: it accuses no fleet.
    """
    stash = session.config.stash
    if _CONFIG not in stash:
        return
    if stash.get(_INTERRUPTED, False):
        session.exitstatus = EXIT_INTERRUPTED
    elif exitstatus == pytest.ExitCode.TESTS_FAILED:
        session.exitstatus = stash.get(_CODE, EXIT_UNKNOWN)
    elif exitstatus == pytest.ExitCode.INTERRUPTED and stash.get(_CODE, None) != EXIT_REQUEST:
        session.exitstatus = EXIT_INTERRUPTED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Show what pins have to say."""
    from fuzzer.shown import shown

    for text in config.stash.get(_NOTES, []):
        terminalreporter.write_line(shown(text))
