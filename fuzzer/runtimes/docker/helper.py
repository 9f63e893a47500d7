"""The one container that can kill a process behind the engine's back.

``docker kill`` is an operator's act: the engine forgets the restart policy. A crash is a process
that dies by itself, and nothing in the API causes one. So a helper shares the pids of the engine's
machine and sends SIGKILL there; it may do nothing else: no network, no capability but KILL, nothing
it can write to. Before it kills, it checks in ``/proc`` that the pid is still a process of the very
container, so that a pid which came round again is never hit.

There may be no registry to fetch an image from, so it borrows one of the target's own.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from threading import Lock
from typing import Any

from docker import APIClient
from docker.utils.utils import version_gte

from fuzzer.runtimes.docker.clients import Clients
from fuzzer.runtimes.docker.owner import LABEL as OWNER
from fuzzer.runtimes.docker.owner import Owner
from models.errors import Inconclusive, Interference, RequestError, StepInvalid

HELPER = "knockon.helper"

LIVES_S = 3600
"""After this it ends by itself, in case nobody could remove it. The next crash makes a new one."""

# Both take: signal, then pid and container id of each. They end with 0 if every signal was sent.
_IN_SHELL = """
signal=$1 failed=0; shift
while [ $# -gt 1 ]; do
  theirs=
  while read -r line; do case $line in *"$2"*) theirs=1;; esac; done < "/proc/$1/cgroup"
  if [ -z "$theirs" ]; then echo "pid $1 is not of that container" >&2; failed=1
  else kill -s "$signal" "$1" || failed=1; fi
  shift 2
done
exit $failed
"""
_IN_PYTHON = """
import os, sys
signal, *rest = sys.argv[1:]
failed = 0
for pid, container in zip(rest[::2], rest[1::2]):
    try:
        with open(f"/proc/{pid}/cgroup") as lines:
            if container not in lines.read():
                raise OSError(f"pid {pid} is not of that container")
        os.kill(int(pid), {"KILL": 9, "0": 0}[signal])
    except OSError as error:
        print(error, file=sys.stderr)
        failed = 1
sys.exit(failed)
"""


@dataclass(frozen=True, slots=True)
class _Way:
    """Programs of an image that can wait and kill."""

    waits: tuple[str, ...]
    kills: tuple[str, ...]


WAYS = (
    _Way(("sh", "-c", f"exec sleep {LIVES_S}"), ("sh", "-c", _IN_SHELL, "knockon")),
    _Way(
        ("python3", "-c", f"import time; time.sleep({LIVES_S})"),
        ("python3", "-c", _IN_PYTHON),
    ),
)


@dataclass(frozen=True, slots=True)
class Victim:
    """A process: its pid on the engine's machine, and its container."""

    pid: int
    container: str


class Helper:
    """Made at the first need, or ahead of it by ``prepare``; removed by ``close``.

    Args:
        clients: connects to the engine.
        run: the id of this run.
        images: tells those to borrow, in the order in which they are tried.
    """

    def __init__(self, clients: Clients, run: str, images: Callable[[], Sequence[str]]) -> None:
        self._clients = clients
        self.run = run
        self._images = images
        self._made: tuple[str, _Way] | None = None
        self._lock = Lock()

    def prepare(self) -> None:
        """Make it now, so that the first crash is as quick as the others.

        Raises:
            RequestError: none of the images has what it takes.
            RuntimeUnavailable: the engine does not answer.
        """
        with self._lock:
            if self._made is None:
                self._made = self._make()

    def kill(self, victims: Sequence[Victim]) -> None:
        """SIGKILL to all of them at the same moment.

        Raises:
            StepInvalid: one of them was gone already.
            RequestError: no image of the target can be used.
            RuntimeUnavailable: the engine does not answer.
        """
        self.prepare()
        try:
            said = self._signal("KILL", victims)
        except (Interference, StepInvalid):  # it was removed, or its time was over
            self._made = None
            self.prepare()
            said = self._signal("KILL", victims)
        if said:
            raise StepInvalid(f"crash: {said}")

    def close(self) -> None:
        """Remove it."""
        with self._lock:
            made, self._made = self._made, None
        if made:
            self._remove(made[0])

    def _signal(self, signal: str, victims: Sequence[Victim]) -> str:
        """Run the killing program; what it complained about."""
        assert self._made
        container, way = self._made
        pairs = [word for victim in victims for word in (str(victim.pid), victim.container)]
        with self._clients.lent("crash") as api:
            made = api.exec_create(container, [*way.kills, signal, *pairs], user="0")
            said: bytes = api.exec_start(made["Id"])
            code = api.exec_inspect(made["Id"])["ExitCode"]
        return "" if code == 0 else said.decode(errors="replace").strip() or f"exit code {code}"

    def _make(self) -> tuple[str, _Way]:
        complaints = []
        for image in self._images():
            for way in WAYS:
                container = ""
                try:
                    container = self._start(image, way)
                    self._made = container, way
                    complaint = self._signal("0", [self._itself(container)])
                except (Inconclusive, RequestError) as error:
                    complaint = str(error)
                if not complaint:
                    return container, way
                complaints.append(f"{image[:19]} with {way.waits[0]}: {complaint}")
                self._made = None
                if container:
                    self._remove(container)
        with self._clients.lent("make the crash helper") as api:
            api.ping()  # if the engine is gone, then that is what is wrong, not the images
        raise RequestError(
            "crash needs sh or python3 in at least one image of the target, to kill a process from "
            "outside its container; found none that works:\n  " + "\n  ".join(complaints or ["no image"])
        )

    def _start(self, image: str, way: _Way) -> str:
        with self._clients.lent("make the crash helper") as api:
            host_config = confined(
                api,
                "KILL",
                auto_remove=True,
                pid_mode="host",
                # The pid is only told apart by a path that a private cgroup namespace would cut.
                cgroupns="host" if version_gte(api.api_version, "1.41") else None,
                security_opt=["no-new-privileges", "apparmor=unconfined", "label=disable"],
            )
            made = api.create_container(
                image,
                entrypoint=list(way.waits),
                command=[],
                user="0",
                working_dir="/",
                name=f"knockon-helper-{self.run}-{time.monotonic_ns() % 10**6}",
                labels={HELPER: self.run, OWNER: Owner.me().to_label()},
                healthcheck={"test": ["NONE"]},
                host_config=host_config,
            )
            container: str = made["Id"]
            try:
                api.start(container)
            except Exception:
                remove(api, container)
                raise
            return container

    def _itself(self, container: str) -> Victim:
        with self._clients.lent("look at the crash helper") as api:
            return Victim(api.inspect_container(container)["State"]["Pid"], container)

    def _remove(self, container: str) -> None:
        with suppress(Inconclusive), self._clients.lent("remove the crash helper") as api:
            remove(api, container)


def confined(api: APIClient, *capabilities: str, **more: Any) -> dict[str, Any]:
    """How every container of ours is held: it may do nothing but what is named.

    Args:
        capabilities: of the kernel, those that it needs.
        more: as ``create_host_config`` takes them; these win.
    """
    held: dict[str, Any] = {
        "network_mode": "none",
        "read_only": True,
        "cap_drop": ["ALL"],
        "cap_add": list(capabilities),
        "security_opt": ["no-new-privileges"],
        "mem_limit": "128m",
        "pids_limit": 64,
    }
    config: dict[str, Any] = api.create_host_config(**{**held, **more})
    return config


def remove(api: APIClient, container: str) -> None:
    """Remove a container of ours, its anonymous volumes as well."""
    api.remove_container(container, force=True, v=True)
