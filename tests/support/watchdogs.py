"""Runs without their watchdog, for tests of what else heals."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from fuzzer import procfs
from tests.support.waiting import until


def end_watchdog_of(pid: int) -> None:
    """Kill it, as somebody does who kills everything of a run."""
    mine = [
        int(entry.name)
        for entry in Path("/proc").iterdir()
        if entry.name.isdigit() and f'-m fuzzer.watchdog {{"pid": {pid},' in procfs.command(int(entry.name))
    ]
    assert len(mine) == 1, mine
    os.kill(mine[0], signal.SIGKILL)
    until(lambda: not procfs.command(mine[0]))
