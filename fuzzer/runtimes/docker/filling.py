"""A full disk, in the one folder that a service named for it, and only if that is bounded.

A named volume mostly lies on the engine's own disk, which belongs to everybody. So the folder has to be
on a filesystem of its own (a tmpfs, or a volume with a size), with no more than ``ROOM_MIB`` to fill.
"""

from __future__ import annotations

from collections.abc import Sequence

from fuzzer.runtimes.base import ProcessState, Undo
from fuzzer.runtimes.docker.containers import Container
from fuzzer.runtimes.docker.execs import Program
from fuzzer.runtimes.docker.helper import HELPER, confined, remove
from fuzzer.runtimes.docker.limiting import Limiting, detail_of
from fuzzer.runtimes.docker.limits import MIB
from fuzzer.runtimes.docker.owner import LABEL as OWNER
from fuzzer.runtimes.docker.owner import Owner
from models.errors import StepInvalid
from models.target import Target

ROOM_MIB = 512
"""More than this is never filled."""
FILLING = ".knockon-fill"
BLOCK = 65_536
RETURN_S = 5.0
"""How long the undo waits for a container that is about to be started again."""

_LOOK = Program(
    'df -P -k "$1" / /etc/hosts | tail -n +2',
    "import os, sys\nfor p in (sys.argv[1], '/', '/etc/hosts'):\n"
    " s = os.statvfs(p)\n"
    " print(os.stat(p).st_dev, s.f_blocks * s.f_frsize >> 10, 0, s.f_bavail * s.f_frsize >> 10)",
)
"""Device, size, used, free (KiB) of three places; the last two lie on what belongs to the engine."""
_FILL = Program(
    f'dd if=/dev/zero of="$1/{FILLING}" bs={BLOCK} count="$2" 2>/dev/null; :',
    "import sys\ntry:\n"
    f" with open(sys.argv[1] + '/{FILLING}', 'wb', 0) as f:\n"
    f"  for _ in range(int(sys.argv[2])): f.write(bytes({BLOCK}))\n"
    "except OSError: pass",
)
_TRY = Program(
    f'! dd if=/dev/zero of="$1/{FILLING}-try" bs=4096 count=2 2>/dev/null; s=$?; '
    f'rm -f "$1/{FILLING}-try"; exit $s',
    "import os, sys\np = sys.argv[1] + '/" + FILLING + "-try'\ntry:\n"
    " with open(p, 'wb', 0) as f: f.write(bytes(4096)); f.write(bytes(4096))\n"
    "except OSError: failed = True\nelse: failed = False\n"
    "if os.path.exists(p): os.remove(p)\nsys.exit(not failed)",
)
"""Ends well if a write does not."""
_FREE = Program(
    f'rm -f "$1/{FILLING}" "$1/{FILLING}-try"',
    "import os, sys\nfor n in ('', '-try'):\n"
    f" p = sys.argv[1] + '/{FILLING}' + n\n if os.path.exists(p): os.remove(p)",
)


class Filling(Limiting):
    """Meets ``CanFillDisk``."""

    target: Target

    def fill_disk(self, services: Sequence[str]) -> None:
        """Write zeros until there is no space left. A restart of the container empties a tmpfs again."""
        for one, before in self._limited(services, "disk_fill"):
            free = self._room(one)
            if before.memory and free + self._usage(one).memory > before.memory:
                raise StepInvalid(
                    f"disk_fill {one.name}: {self.disk_of(one)} is bounded by the container's memory only"
                )
            code, said = self._execs.run(one, _FILL, self.disk_of(one), str(free // BLOCK + 1), user="0")
            if code:
                raise StepInvalid(f"disk_fill {one.name}: {said or f'exit code {code}'}")

    def doubt_disk(self, service: str) -> str:
        """A write fails there."""
        for one in self._adopted([service]):
            if self._execs.run(one, _TRY, self.disk_of(one), user="0")[0]:
                return f"{self.disk_of(one)} of {one.name} still takes what is written"
        return ""

    def free_disk(self, undo: Undo) -> None:
        """Remove what was written, from the volume of a container that does not run as well.

        Raises:
            StepInvalid: it cannot be removed.
        """
        told = detail_of(undo)
        for one in self._adopted(undo.targets):
            place = str(told.get(one.id) or self.disk_of(one))
            deadline_s = self._now() + RETURN_S
            while self._look(one).state is ProcessState.RETURNING and self._now() < deadline_s:
                self._sleep(0.05)
            if self._look(one).state is ProcessState.RUNNING:
                code, said = self._execs.run(one, _FREE, place, user="0")
            else:
                code, said = self._beside(one, _FREE.words(False, [place]))
            if code:
                raise StepInvalid(f"{place} of {one.name} cannot be emptied: {said or f'exit code {code}'}")

    def disk_of(self, one: Container) -> str:
        """The folder that its service named."""
        place = self.target.services[one.service].disk
        if place is None:
            raise StepInvalid(f"disk_fill {one.name}: {one.service} has no x-knockon.disk")
        return place.rstrip("/")

    def _room(self, one: Container) -> int:
        """How many bytes are free there.

        Raises:
            StepInvalid: too many, or they are everybody's.
        """
        place = self.disk_of(one)
        code, said = self._execs.run(one, _LOOK, place, user="0")
        rows = [line.split() for line in said.splitlines()]
        if code or len(rows) != 3 or not all(len(row) >= 4 and row[3].isdecimal() for row in rows):
            raise StepInvalid(f"disk_fill {one.name}: cannot tell how large {place} is: {said}")
        mine, *shared = [(row[0], row[1]) for row in rows]
        free = int(rows[0][3]) * 1024
        if mine in shared or free > ROOM_MIB * MIB:
            raise StepInvalid(
                f"disk_fill {one.name}: {place} is {'on the disk of the engine' if mine in shared else ''}"
                f"{'' if mine in shared else f'{free // MIB} MiB large'}; expected a tmpfs or a volume of "
                f"bounded size, with at most {ROOM_MIB} MiB free"
            )
        return free

    def _beside(self, one: Container, words: Sequence[str]) -> tuple[int, str]:
        """Run a command in another container that has the same volumes; a tmpfs is gone anyway."""
        with self._clients.lent(f"reach the volumes of {one.name}") as api:
            made = api.create_container(
                one.image,
                entrypoint=list(words),
                command=[],
                user="0",
                labels={HELPER: "volumes", OWNER: Owner.me().to_label()},
                healthcheck={"test": ["NONE"]},
                host_config=confined(api, "DAC_OVERRIDE", volumes_from=[one.id]),
            )
            try:
                api.start(made["Id"])
                code = int(api.wait(made["Id"])["StatusCode"])
                return code, api.logs(made["Id"]).decode(errors="replace").strip()
            finally:
                remove(api, made["Id"])
