"""Somebody sets the wall clock by an hour while a fault lasts: real processes under libfaketime."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.waiting import until

if TYPE_CHECKING:
    from tests.adversity.conftest import Desk


# Of libfaketime 0.9.10 a sleep until a moment of the monotonic clock, as Python sleeps, is an error.
SLEEP = "import select, time; time.sleep = lambda seconds: select.select((), (), (), seconds); "


@pytest.fixture
def wall_clock(tmp_path):
    """Puts a desk under a wall clock of its own, and gives the way to set that."""
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
    if not found:
        pytest.skip("there is no libfaketime: apt-get install libfaketime")
    file = tmp_path / "clock"

    def set_by(seconds: int) -> None:
        other = tmp_path / "clock.new"
        other.write_text(f"{seconds:+d}s\n")
        other.rename(file)

    def put(desk: Desk) -> Callable[[int], None]:
        set_by(0)
        desk.first = SLEEP
        desk.environ |= {
            "LD_PRELOAD": str(found[0]),
            "FAKETIME_TIMESTAMP_FILE": str(file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }
        return set_by

    return put


@pytest.mark.docker
def test_a_clock_that_is_set_back_under_a_docker_run_changes_no_verdict(engine_pair, wall_clock):
    engine_pair.up()
    set_by = wall_clock(engine_pair)
    run = engine_pair.open("kill", "db", "--wait", "2s")
    until(lambda: engine_pair.state("db") == "exited", "the fault is not seen", 60)
    set_by(-3600)
    done = run.ends()
    assert done.code == 0, done.text
    assert "db healthy again" in done.output
    assert engine_pair.leftovers() == []


def test_a_clock_that_is_put_ahead_under_a_local_run_changes_no_verdict(local_pair, wall_clock):
    local_pair.write(web="well")
    set_by = wall_clock(local_pair)
    run = local_pair.open("kill", "db", "--action", "pause", "--wait", "2s")
    until(lambda: "playing: " in "".join(run.seen("out")), "no run", 60)
    set_by(3600)
    done = run.ends()
    assert done.code == 0, done.text
    assert "db healthy again" in done.output
