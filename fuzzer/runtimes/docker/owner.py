"""Whose a labelled container is, and whether that run still lives.

A run that was killed leaves its helper and its journal behind, and the next one has to know them
from those of a run that is busy right now. On the same machine the process tells: its pid and when
it started, because pids come round again. A run on another machine cannot be asked: it has a lease
in the engine, which it renews (``lease.py``).
"""

from __future__ import annotations

import json
import os
import socket
import time
from dataclasses import asdict, dataclass
from pathlib import Path

LABEL = "knockon.owner"


@dataclass(frozen=True, slots=True)
class Owner:
    """One run of knockon, as it stood when it labelled something.

    Attributes:
        place: host, boot and pid namespace: within one place a pid means one process.
        started: when the process started, in the kernel's own words; empty where it cannot be read.
        written_ns: nanoseconds since 1970; orders what one run has written.
    """

    place: str
    pid: int
    started: str
    written_ns: int

    @classmethod
    def me(cls) -> Owner:
        """This process, now."""
        return cls(_place(), os.getpid(), _started(os.getpid()), time.time_ns())

    @classmethod
    def from_label(cls, text: str) -> Owner | None:
        """Read a label; None if it is none of ours."""
        try:
            return cls(**json.loads(text))
        except (ValueError, TypeError):
            return None

    def to_label(self) -> str:
        """What ``from_label`` reads."""
        return json.dumps(asdict(self))

    @property
    def here(self) -> bool:
        """Whether its pid means something to us."""
        return self.place == _place()

    @property
    def gone(self) -> bool:
        """Whether its process has ended; only of one that was here."""
        return not _exists(self.pid) or _started(self.pid) != self.started

    @property
    def host(self) -> str:
        """The name of its machine or container."""
        return self.place.partition(" ")[0]

    def is_process(self, pid: int) -> bool:
        """Whether it was this process, of which only the pid is known; it may have ended."""
        return self.here and self.pid == pid and self.gone


def _place() -> str:
    parts = [socket.gethostname()]
    try:
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text().strip())
        parts.append(os.readlink("/proc/self/ns/pid"))
    except OSError:
        pass  # not Linux: the host has to do
    return " ".join(parts)


def _started(pid: int) -> str:
    """The start time of a process in ticks since boot; a zombie has ended."""
    try:
        # After the command, which stands in brackets and may itself contain some.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "ended" if fields[0] in "ZX" else fields[19]


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
