"""How runs are refused and ended, with real processes: signals, `knockon stop`, stop files, windows."""

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import pytest

from fuzzer.safety.rules import windows
from tests.support.waiting import until

HEALED_S = 5.0
"""From when a stop is seen until all is healed; the tests allow three times that."""


class Run:
    """A run in a process of its own, and what it printed so far."""

    def __init__(self, pair, *words):
        self.out = pair.folder / "out.txt"
        self.process = pair.open(*words, into=self.out)

    def until_told(self, text):
        until(lambda: text in self.out.read_text() or self.process.poll() is not None, text, 120)
        assert self.process.poll() is None, self.out.read_text()

    def ended(self):
        """Its exit code; within the time that healing may take."""
        self.process.wait(timeout=3 * HEALED_S)
        return self.process.returncode


@pytest.fixture
def waiting(pair):
    """Web is killed, and a minute is waited for."""
    run = Run(pair, "kill", "web", "--wait", "60s")
    run.until_told("playing: ")
    time.sleep(0.7)
    return run


def heard(run):
    return run.out.read_text()


def test_stop_ends_a_run_in_mid_wait_healed_and_tells_what_it_did(pair, waiting):
    result = pair.stop()
    assert result.exit_code == 0, result.output
    assert f"pair on local (pid {waiting.process.pid}): over after " in result.stdout
    assert "in the middle of `kill web; wait 60s`; every fault is lifted" in result.stdout
    assert waiting.ended() == 3
    assert "UNKNOWN: ended by `knockon stop`" in heard(waiting)
    assert "Stopped: ended by `knockon stop`; every fault is lifted." in heard(waiting)
    assert pair.is_gone()


def test_a_run_is_found_by_its_project_and_by_no_other(pair, waiting, tmp_path):
    other = pair.stop("--project", "other", state=tmp_path / "elsewhere")
    assert "nothing to stop: no run on other goes on here" in other.stdout
    assert f"but there is pair on local (pid {waiting.process.pid})" in other.stdout
    assert "over after" in pair.stop("--project", "pair", state=tmp_path / "elsewhere").stdout
    assert waiting.ended() == 3


def test_a_stop_file_ends_a_run_and_lets_none_begin(pair, waiting):
    (pair.folder / "state" / "stop").touch()
    assert waiting.ended() == 3
    assert "state/stop is there, and while it is no run begins or goes on; to let runs" in heard(waiting)
    refused = pair("kill", "web", "--wait", "1s")
    assert refused.exit_code == 2
    assert f"rm {pair.folder}/state/stop" in refused.stderr
    refused = pair("fuzz", "--budget", "1s")
    assert refused.exit_code == 2


def test_with_nothing_to_stop_it_says_so(pair):
    result = pair.stop()
    assert result.exit_code == 0
    assert f"nothing to stop: no run with the state folder {pair.folder}/state goes on here" in result.stdout


def test_a_search_that_is_interrupted_tells_what_it_found_and_keeps_it(pair):
    run = Run(pair, "fuzz", "--budget", "100s", "--seed", "3")
    run.until_told("confirming and shrinking it")
    run.process.send_signal(signal.SIGINT)
    assert run.ended() == 130
    assert "; Interrupted" in heard(run)
    assert "VIOLATED isolation: web exited with code 1 after harm to db" in heard(run)
    assert (pair.folder / "state" / "findings" / "pair-local-isolation-web.json").exists()
    assert pair.is_gone()


def test_a_search_that_is_stopped_hides_no_violation(pair):
    run = Run(pair, "fuzz", "--budget", "100s", "--seed", "3")
    run.until_told("confirming and shrinking it")
    assert "over after" in pair.stop().stdout
    assert run.ended() == 1
    assert "VIOLATED isolation: web exited with code 1 after harm to db" in heard(run)


def test_twice_leaves_out_the_report_and_heals_all_the_same(pair):
    python = f'["{sys.executable}", '
    deaf = f'["env", "--ignore-signal=TERM", "{sys.executable}", '  # it takes a second to end them
    pair.file.write_text(pair.file.read_text().replace(python, deaf))
    run = Run(pair, "fuzz", "--budget", "100s", "--seed", "3", "--action", "kill")
    run.until_told("confirming and shrinking it")
    run.process.send_signal(signal.SIGINT)
    until(lambda: "; Interrupted" in heard(run), limit_s=60)
    run.process.send_signal(signal.SIGINT)
    assert run.ended() == 130
    assert "replay it:" not in heard(run)
    assert pair.is_gone()
    assert (pair.folder / "state" / "findings" / "pair-local-isolation-web.json").exists()


def test_so_is_a_simulation(pair):
    run = Run(pair, "fuzz", "--budget", "100s", "--runtime", "sim", "--promise", "durability")
    run.until_told("fuzzing pair on sim")
    assert "over after" in pair.stop().stdout
    assert run.ended() == 3
    assert "ended by `knockon stop`" in heard(run)


def excluding(pair, text):
    """The same target with one more key under safety."""
    content = pair.file.read_text().replace("  limits:", f"  safety: {{{text}}}\n  limits:", 1)
    pair.file.write_text(content)


def test_inside_a_window_nothing_is_started(pair):
    excluding(pair, 'excluded_windows: ["00:00-24:00 UTC"]')
    for words in (("kill", "web"), ("fuzz", "--budget", "1s")):
        refused = pair(*words)
        assert refused.exit_code == 2
        told = refused.stderr + refused.stdout
        assert "x-knockon.safety.excluded_windows: nothing is touched inside `00:00-24:00 UTC`" in told
    assert pair("graph").exit_code == 0


def test_a_run_that_comes_into_a_window_ends_healed(pair, monkeypatch):
    excluding(pair, 'excluded_windows: ["Tue 09:00-17:00 UTC"]')
    began_s = time.monotonic()

    def now():
        """Three seconds after the begin it is nine o'clock."""
        return datetime(2026, 11, 24, 9, tzinfo=UTC) + timedelta(seconds=time.monotonic() - began_s - 3)

    monkeypatch.setattr("fuzzer.guarded.windows", lambda target: windows(target, now))
    result = pair("kill", "web", "--wait", "600s")
    assert result.exit_code == 3
    told = "Stopped: pair: x-knockon.safety.excluded_windows: nothing is touched inside `Tue 09:00-17:00 UTC`"
    assert told in result.stderr
    assert "lasts until Tue 2026-11-24 17:00 UTC" in result.stderr
    assert pair.is_gone()


def test_what_looks_like_production_has_to_be_meant(pair):
    pair.file.write_text(pair.file.read_text().replace("name: pair", "name: pair-prod", 1))
    refused = pair("kill", "web", "--wait", "0.1s")
    assert refused.exit_code == 2
    assert "the project is called 'pair-prod' (like '*prod*')" in refused.stderr
    assert refused.stderr.strip().endswith("--i-mean pair-prod")
    refused = pair("fuzz", "--budget", "1s")
    assert refused.exit_code == 2
    assert "--i-mean pair-prod" in refused.stdout
    meant = pair("kill", "web", "--wait", "0.1s", "--i-mean", "pair-prod")
    assert meant.exit_code == 0, meant.output
    assert pair("kill", "web", "--wait", "0.1s", "--runtime", "sim").exit_code == 0


def test_a_person_at_a_terminal_is_asked_for_the_name(pair):
    pair.file.write_text(pair.file.read_text().replace("name: pair", "name: pair-prod", 1))
    mine, theirs = os.openpty()
    program = pair.command("kill", "web", "--wait", "0.1s")
    with subprocess.Popen(
        program, stdin=theirs, stdout=theirs, stderr=theirs, cwd=pair.folder, env=pair.environ()
    ) as run:
        os.close(theirs)
        os.write(mine, b"pair-prod\n")
        told = b""
        while chunk := _read(mine):
            told += chunk
        run.wait(timeout=60)
    os.close(mine)
    assert b"the project is called pair-prod; type that to go on" in told
    assert run.returncode == 0, told.decode()


def _read(terminal):
    try:
        return os.read(terminal, 4096)
    except OSError:
        return b""  # the other side was closed
