"""Whose fleet this is, and how a fleet is ended: the own one on leaving, an orphaned one later.

Each fleet has a folder ``fleet-…`` with a record of who owns it. All its processes carry the folder's
path in their environment, which children inherit, so every one of them is found: frozen ones, those
that left their parent, and all of them after supervisord itself was killed.

::

    .knockon/local/fleet-k3v9x0ab/
        fleet.json         owner and supervisord, each with pid and time of start
        journal.json       undos
        record.jsonl       every start and exit
        logs/, data/       one file, one folder a service
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import stat
import time
from collections.abc import Callable, Collection
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from fuzzer import procfs
from fuzzer.files import write_atomically
from fuzzer.procfs import Identity
from fuzzer.runtimes.local import inside
from models.errors import RuntimeUnavailable

PREFIX = "fleet-"
RECORD = "fleet.json"
GRACE_S = 1.0
"""From SIGTERM to SIGKILL when a whole fleet ends; its data is thrown away anyway."""
PATIENCE_S = 10.0


@dataclass(frozen=True)
class FleetRecord:
    """What is written down about a fleet.

    Attributes:
        target: the project's name, for people.
        place: see ``procfs.here``.
        owner: the process whose death makes the fleet an orphan.
        supervisord: None until it is launched.
        socket_folder: outside of the fleet's folder, because of the length of its path.
        command: the owner's command line.
        since_s: when it was made, seconds since 1970.
        ports: those that its services publish, whether they run just now or not.
    """

    target: str
    place: str
    owner: Identity
    supervisord: Identity | None
    socket_folder: Path
    command: str = ""
    since_s: float = 0.0
    ports: tuple[int, ...] = ()

    def write(self, folder: Path) -> None:
        """Make it durable."""
        data = {**asdict(self), "socket_folder": str(self.socket_folder)}
        write_atomically(folder / RECORD, json.dumps(data, indent=1) + "\n")

    @classmethod
    def read(cls, folder: Path) -> FleetRecord | None:
        """None when there is no record (any more), or one that this version does not understand."""
        try:
            data = json.loads((folder / RECORD).read_text(encoding="utf-8"))
            supervisord = data["supervisord"]
            return cls(
                target=str(data["target"]),
                place=str(data["place"]),
                owner=Identity(**data["owner"]),
                supervisord=Identity(**supervisord) if supervisord else None,
                socket_folder=Path(data["socket_folder"]),
                command=str(data.get("command", "")),
                since_s=float(data.get("since_s", 0.0)),
                ports=tuple(map(int, data.get("ports", ()))),
            )
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return None


def members(folder: Path) -> list[int]:
    """Pids of all processes of a fleet, supervisord included."""
    return procfs.marked(inside.FOLDER, str(folder))


def holder(ports: Collection[int]) -> FleetRecord | None:
    """The fleet of another run that has one of these ports, wherever its folder is; None if there is none."""
    for folder in procfs.values(inside.FOLDER):
        record = FleetRecord.read(Path(folder))
        if record and {*ports} & {*record.ports} and record.place == procfs.here() and record.owner.alive():
            return record
    return None


def end_fleet(folder: Path, record: FleetRecord, reap: Callable[[], None] = lambda: None) -> int:
    """End every process of a fleet; returns how many there were. Idempotent.

    SIGTERM for all at once, supervisord first (it starts nothing after that), and SIGCONT, because a
    frozen process cannot even end; SIGKILL after a second.

    Args:
        folder: the fleet's.
        record: its record.
        reap: called at the end by supervisord's own parent.

    Raises:
        RuntimeUnavailable: some process does not end even so.
    """
    began_s = time.monotonic()
    handles: dict[int, int] = {}
    count = 0
    with ExitStack() as kept:
        while True:
            passed_s = time.monotonic() - began_s
            for pid in sorted(members(folder), key=lambda pid: not _is(record.supervisord, pid)):
                if pid not in handles or procfs.ended(handles[pid]):
                    handle = kept.enter_context(procfs.held(pid, inside.FOLDER, str(folder)))
                    if handle is not None:
                        procfs.send(handle, signal.SIGTERM, signal.SIGCONT)
                        handles[pid] = handle
                        count += 1
            # By their handles: a process that is ending has lost its environment, but not yet its ports.
            left = {pid: handle for pid, handle in handles.items() if not procfs.ended(handle)}
            if not left:
                break
            if passed_s > PATIENCE_S:
                raise RuntimeUnavailable(f"processes of the fleet in {folder} do not end: {sorted(left)}")
            if passed_s > GRACE_S:
                for handle in left.values():
                    procfs.send(handle, signal.SIGKILL)
            time.sleep(0.01)
    reap()
    remove_sockets(record.socket_folder)
    (folder / RECORD).unlink(missing_ok=True)
    return count


def remove_sockets(folder: Path) -> None:
    """Remove a folder of sockets; it stays if there is anything else in it.

    Its path stands in a file, which may come from anywhere: a whole tree is never removed on its word.
    """
    with suppress(OSError):
        for entry in os.scandir(folder):
            if stat.S_ISSOCK(entry.stat(follow_symlinks=False).st_mode):
                os.unlink(entry.path)
        folder.rmdir()


def end_stale_fleets(state_root: Path, *, everywhere: bool = False, heir_of: int | None = None) -> list[str]:
    """End every fleet below a folder whose owner died; returns what was done, a sentence each.

    Idempotent, and safe to do while other fleets run: one whose owner lives is left alone, and so is
    one of another container that shares the folder, because pids mean nothing across that border.

    Args:
        state_root: the folder.
        everywhere: those below any other folder as well, as far as processes of theirs run.
        heir_of: the pid of the one dead owner whose fleets are meant; None for every dead owner.
    """
    done: list[str] = []
    found = set(state_root.resolve().glob(f"{PREFIX}*"))
    if everywhere:
        found.update(map(Path, procfs.values(inside.FOLDER)))
    folders = sorted(found)
    if not folders:
        return done
    place = procfs.here()
    for folder in folders:
        record = FleetRecord.read(folder)
        if record is None:
            continue  # being made just now, or ended long ago and kept for its logs
        if record.place == place:
            if record.owner.alive() or heir_of not in (None, record.owner.pid):
                continue
            frozen = sum(map(procfs.frozen, members(folder)))
            count = end_fleet(folder, record)
            done.append(
                f"ended the fleet of {record.target} that pid {record.owner.pid} left behind: "
                f"{count} processes" + (f", {frozen} of them frozen" if frozen else "")
            )
        elif record.place.split()[0] == place.split()[0] or heir_of is not None:
            continue
        else:
            done.append(f"removed what was left of a fleet of {record.target} from before the last boot")
            remove_sockets(record.socket_folder)
        shutil.rmtree(folder, ignore_errors=True)
    return done


def _is(identity: Identity | None, pid: int) -> bool:
    return identity is not None and identity.pid == pid
