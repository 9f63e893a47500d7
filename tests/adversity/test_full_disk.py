"""The disk is full when something is to be written: a journal, a pin, a finding, a report, the output."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from rich.console import Console

from fuzzer.events import Finding, FindingBegan, Played
from fuzzer.reports.terminal import Terminal
from fuzzer.search.findings import FindingStore
from models.scenario import Scenario
from models.verdict import Outcome, Violation
from tests.support.fake_fleet import SHOP, target_of
from tests.support.waiting import until

FULL = "cannot be written: No space left on device"


def fill(folder: Path) -> None:
    """Leave not one byte."""
    handle = os.open(folder / "filling", os.O_CREAT | os.O_WRONLY)
    with suppress(OSError):
        while True:
            os.write(handle, b"x" * 4096)
    os.close(handle)


@pytest.fixture
def small_disk(tmp_path):
    """A disk of its own, with room for little."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "knockon-test", str(folder)]
    try:
        subprocess.run(command, capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("only root can mount a small disk")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_fleet_without_room_is_not_started(local_pair, small_disk):
    fill(small_disk)
    local_pair.state = small_disk
    local_pair.write()
    done = local_pair.type("kill", "db")
    assert done.code == 3, done.text
    assert done.errors.startswith(f"Error: {small_disk}/fleet-")
    assert done.errors.rstrip().endswith(FULL)


def test_a_search_whose_disk_fills_up_is_inconclusive(local_pair, small_disk):
    local_pair.state = small_disk
    local_pair.write()
    run = local_pair.open("fuzz", "--budget", "10m", "--steps", "2")
    until(lambda: "fuzzing pair on local" in "".join(run.seen("out")), "no search", 60)
    fill(small_disk)
    done = run.ends()
    assert done.code == 3, done.text
    assert "UNKNOWN: " in done.output
    assert "No space left on device" in done.text or "its disk is full" in done.text


def test_a_pin_without_room_is_no_pin_but_its_verdict_is_shown(local_pair, small_disk):
    fill(small_disk)
    done = local_pair.type("pin", "crash db", "--pins", str(small_disk))
    assert done.code == 3, done.text
    assert "VIOLATED isolation: web exited" in done.output
    assert done.errors == f"Error: {small_disk}/isolation-web.json: {FULL}\n"
    assert not list(small_disk.glob("*.json"))


def test_a_finding_without_room_is_a_finding_all_the_same(small_disk):
    fill(small_disk)
    scenario = Scenario.parse("crash db")
    violation = Violation("isolation", "gateway", 1.0, "gateway exited")
    found = Finding(target_of(*SHOP), "fake", scenario, scenario, violation)
    saved = FindingStore(small_disk / "findings").save(found).saved
    assert saved is None
    console = Console(file=io.StringIO(), width=200)
    played = Played(scenario, Outcome.VIOLATED, violations=(violation,))
    Terminal(console)(FindingBegan(played, saved))
    assert console.file.getvalue().startswith("violated: gateway exited; not saved: is the disk full?\n")


@pytest.mark.parametrize("options", [(), ("--", "--junitxml", "/dev/full")], ids=["output", "report"])
def test_what_cannot_be_printed_is_told_where_it_can_be(desk, options):
    program = "from fuzzer.cli.main import main; main()"
    command = [sys.executable, "-c", program, *(("fuzz", "--examples", "1") if options else ("graph",))]
    with open(os.devnull if options else "/dev/full", "w") as output:
        done = subprocess.run(
            [*command, *(("--runtime", "sim", *options) if options else ())],
            cwd=desk.folder,
            env={**desk.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
            stdout=output,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 3, done.stderr
    assert done.stderr.splitlines()[-1] == f"Error: the output: {FULL}"
    assert "Traceback" not in done.stderr
