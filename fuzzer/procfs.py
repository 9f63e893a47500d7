"""What the kernel tells about processes that are not our children.

A pid alone names nobody: once a process is gone, its number is given to the next. Together with the
time at which the process started it is unique for as long as the machine is up.
"""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Identity:
    """One process: its pid and when it started, in the kernel's ticks since the machine's start."""

    pid: int
    started: int

    @classmethod
    def of(cls, pid: int) -> Identity | None:
        """Who has this pid now; None when nobody does, or only the remains of somebody."""
        fields = _stat(pid)
        return None if not fields or fields[0] in "ZX" else cls(pid, int(fields[19]))

    def alive(self) -> bool:
        """Whether that very process still runs (a frozen one does)."""
        return Identity.of(self.pid) == self


def frozen(pid: int) -> bool:
    """Whether a process is stopped by a signal."""
    fields = _stat(pid)
    return bool(fields) and fields[0] == "T"


def address_space(pid: int) -> int:
    """How many bytes of addresses a process uses; 0 when there is none."""
    fields = _stat(pid)
    return int(fields[20]) if fields else 0


def group(leader: int) -> list[int]:
    """Pids of a process group."""
    return [pid for pid in _pids() if (fields := _stat(pid)) and int(fields[2]) == leader]


def threads_of(user: int) -> int:
    """How many processes and threads a user has."""
    count = 0
    for pid in _pids():
        with suppress(OSError):
            if (PROC / str(pid)).stat().st_uid == user:
                count += len(os.listdir(PROC / str(pid) / "task"))
    return count


def here() -> str:
    """This start of this machine, and this space of pids: elsewhere a pid means somebody else."""
    boot = (PROC / "sys/kernel/random/boot_id").read_text().strip()
    return f"{boot} {os.readlink(PROC / 'self/ns/pid')}"


def marked(variable: str, value: str) -> list[int]:
    """Pids of all processes that were started with this variable in their environment.

    A process passes its environment on, so this finds grandchildren too, and those that have left
    their process group, session or parent.
    """
    mark = os.fsencode(f"{variable}={value}")
    return [pid for pid in _pids() if mark in _environment(pid).split(b"\0")]


def values(variable: str) -> set[str]:
    """What all processes were told in this variable when they were started, each once."""
    start = f"{variable}=".encode()
    told = (entry for pid in _pids() for entry in _environment(pid).split(b"\0"))
    return {os.fsdecode(entry[len(start) :]) for entry in told if entry.startswith(start)}


def command(pid: int) -> str:
    """The words that a process was started with; "" when there is none."""
    try:
        words = (PROC / str(pid) / "cmdline").read_bytes().split(b"\0")
    except OSError:
        return ""
    return " ".join(os.fsdecode(word) for word in words if word)


@contextmanager
def held(pid: int, variable: str, value: str) -> Iterator[int | None]:
    """A handle (pidfd) of a process that has this mark; None if there is none, or it has not.

    Looking and, later, signalling go by the same handle, so a pid that is given away is no danger.
    """
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        yield None
        return
    try:
        marked_still = os.fsencode(f"{variable}={value}") in _environment(pid).split(b"\0")
        yield handle if marked_still and not ended(handle) else None
    finally:
        os.close(handle)


def ended(handle: int) -> bool:
    """Whether the process of a handle has ended: then its ports are free, too."""
    poll = select.poll()
    poll.register(handle, select.POLLIN)
    return bool(poll.poll(0))


def send(handle: int, *signals: signal.Signals) -> None:
    """Send signals to the process of a handle, if it has not ended yet."""
    with suppress(ProcessLookupError):
        for each in signals:
            signal.pidfd_send_signal(handle, each)


def _pids() -> Iterator[int]:
    for entry in os.listdir(PROC) if PROC.is_dir() else ():
        if entry.isdigit():
            yield int(entry)


def _environment(pid: int) -> bytes:
    try:
        return (PROC / str(pid) / "environ").read_bytes()
    except OSError:  # gone, or somebody else's
        return b""


def _stat(pid: int) -> list[str]:
    """The fields of /proc/<pid>/stat from the third (state) on; the second may hold anything."""
    try:
        text = (PROC / str(pid) / "stat").read_text(errors="replace")
    except OSError:
        return []
    return text.rpartition(")")[2].split()
