"""The processes that a run starts beside its fleet: load engines, edge proxies, load tools.

Most of them end with the run, because their input does. A tool of somebody else's knows nothing of us, and
one that is stuck ends with nobody. So each carries a mark in its environment, which its own children
inherit, and whoever heals ends what carries the mark of a run that is dead.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Mapping
from contextlib import ExitStack
from functools import cache

from fuzzer import procfs
from fuzzer.procfs import Identity

RUN = "KNOCKON_RUN"
"""``<pid> <time of start> <place>`` of the run: see ``procfs``."""

PATIENCE_S = 5.0


def environment() -> dict[str, str]:
    """Ours, with our mark: for everything that we start and that is no part of a fleet."""
    return {**os.environ, RUN: _mark(os.getpid())}


def without_mark() -> dict[str, str]:
    """Ours, without the mark of a run that we were started by: for what has to outlive that run."""
    return {name: value for name, value in os.environ.items() if name != RUN}


@cache
def _mark(pid: int) -> str:
    try:
        me = Identity.of(pid)
        return f"{pid} {me.started} {procfs.here()}" if me else ""
    except OSError:
        return ""  # not Linux: nobody could find it


def end_orphans(heir_of: int | None = None) -> list[str]:
    """End what dead runs left running, and wait until it has ended; returns what was done, a sentence each.

    Args:
        heir_of: the pid of the one dead run that is meant; None for every dead run.
    """
    done = []
    for mark in sorted(procfs.values(RUN)):
        owner, place = _read(mark)
        if owner is None or place != procfs.here() or owner.alive() or heir_of not in (None, owner.pid):
            continue
        names = _end(mark)
        if names:
            done.append(f"ended what pid {owner.pid} left running: {', '.join(names)}")
    return done


def _read(mark: str) -> tuple[Identity | None, str]:
    pid, _, rest = mark.partition(" ")
    started, _, place = rest.partition(" ")
    known = pid.isdecimal() and started.isdecimal()
    return Identity(int(pid), int(started)) if known else None, place


def _end(mark: str) -> list[str]:
    """SIGKILL: whoever would read their last words is dead."""
    names: list[str] = []
    until_s = time.monotonic() + PATIENCE_S
    with ExitStack() as kept:
        handles: Mapping[int, int] = {}
        while time.monotonic() < until_s:
            new = [pid for pid in procfs.marked(RUN, mark) if pid != os.getpid() and pid not in handles]
            for pid in new:
                handle = kept.enter_context(procfs.held(pid, RUN, mark))
                if handle is not None:
                    names.append(procfs.command(pid))
                    procfs.send(handle, signal.SIGKILL)
                    handles = {**handles, pid: handle}
            if not new and all(map(procfs.ended, handles.values())):
                break
            time.sleep(0.01)
    return names
