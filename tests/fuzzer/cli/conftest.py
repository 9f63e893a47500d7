"""Commands as a person calls them: on a fleet in memory, or on two real processes."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from fuzzer import session
from fuzzer.cli.main import cli
from tests.support.fake_fleet import FakeFleet
from tests.support.ports import free_ports

HERE = Path(__file__).parent

SHOP = """\
name: fake
x-knockon:
  enabled: true
  limits: {health_latency_ms_max: 200}
services:
  gateway: {image: x, restart: always, depends_on: [checkout]}
  checkout:
    image: x
    restart: always
    depends_on: [db]
    x-knockon: {soft: [analytics]}
  db: {image: x, restart: always}
  analytics: {image: x, restart: always}
"""


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """Whatever a command writes by default is written here."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COMPOSE_PROJECT_NAME", raising=False)


class Knockon:
    """Calls the command line in this process."""

    def __init__(self, *always: str) -> None:
        self.always = always

    def __call__(self, *words: str, given: str | None = None) -> Result:
        result = CliRunner().invoke(cli, [*words[:1], *self.always, *words[1:]], input=given)
        assert "Traceback" not in result.output
        return result

    def json(self, *words: str):
        return json.loads(self(*words).stdout)


@pytest.fixture
def knockon() -> Knockon:
    return Knockon()


class FakeShop(Knockon):
    """The same, on a fleet in memory that misbehaves as a test tells it to."""

    misbehave: Callable[[FakeFleet], None] = staticmethod(lambda fleet: None)
    started: list[FakeFleet]

    def __init__(self, folder: Path) -> None:
        self.file = folder / "compose.yaml"
        self.file.write_text(SHOP, encoding="utf-8")
        self.pins = folder / "pins"
        self.started = []
        super().__init__("--target", str(self.file), "--runtime", "fake")

    def start(self, target, config) -> FakeFleet:
        self.started.append(FakeFleet(target, self.misbehave))
        return self.started[-1]


@pytest.fixture
def shop(tmp_path, monkeypatch) -> FakeShop:
    fake = FakeShop(tmp_path)
    monkeypatch.setitem(session.RUNTIMES, "fake", fake.start)
    return fake


def analytics_takes_checkout_along(fleet: FakeFleet) -> None:
    """A cascade over a soft dependency."""
    if not fleet.is_up("analytics"):
        fleet.exit("checkout")


# Real processes.

PAIR = """\
name: pair
x-knockon:
  enabled: true
  limits: {{recovery_s_max: 10, observe_s: 0.3, steady_s: 0.2, baseline_s: 1}}
  loads:
    visit: {{entry: web, path: /, rate_rps: 30}}
services:
  db:
    image: x
    restart: unless-stopped
    ports: ["127.0.0.1:{db}:80"]
    x-knockon:
      health: http://127.0.0.1:{db}/health
      local: {{command: ["{python}", "{program}", "{db}"]}}
  web:
    image: x
    restart: unless-stopped
    depends_on: [db]
    ports: ["127.0.0.1:{web}:80"]
    x-knockon:
      health: http://127.0.0.1:{web}/health
      local: {{command: ["{python}", "{program}", "{web}", "{db}"]}}
"""


class RealPair(Knockon):
    """Two processes: ``web`` needs ``db``, and exits when it is gone."""

    def __init__(self, folder: Path) -> None:
        db, web = free_ports(2)
        self.folder, self.ports = folder, (db, web)
        self.file = folder / "compose.yaml"
        text = PAIR.format(db=db, web=web, python=sys.executable, program=HERE / "tiny.py")
        self.file.write_text(text, encoding="utf-8")
        super().__init__("--target", str(self.file), "--runtime", "local", "--state", str(folder / "state"))

    def command(self, *words: str) -> list[str]:
        """The words that start the console script."""
        program = "from fuzzer.cli.main import main; main()"
        return [sys.executable, "-c", program, *words[:1], *self.always, *words[1:]]

    def environ(self) -> dict[str, str]:
        return {**os.environ, "PYTHONPATH": str(HERE.parents[2])}

    def open(self, *words: str, into: Path | None = None) -> subprocess.Popen[str]:
        """The console script, as a process of its own; its whole output goes into a file, if one is named."""
        with ExitStack() as stack:
            out = stack.enter_context(into.open("w")) if into else subprocess.PIPE
            return subprocess.Popen(
                self.command(*words),
                cwd=self.folder,
                env=self.environ(),
                stdout=out,
                stderr=subprocess.STDOUT if into else subprocess.PIPE,
                text=True,
                start_new_session=True,
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
            )

    def stop(self, *words: str, state: Path | None = None) -> Result:
        """`knockon stop`, from somewhere else."""
        return Knockon()("stop", "--state", str(state or self.folder / "state"), *words)

    def is_gone(self) -> bool:
        """Whether nobody listens any more."""
        for port in self.ports:
            with socket.socket() as trial:
                if trial.connect_ex(("127.0.0.1", port)) == 0:
                    return False
        return True


@pytest.fixture
def pair(tmp_path) -> Iterator[RealPair]:
    real = RealPair(tmp_path)
    yield real
    assert real.is_gone()
