"""A wall clock that is off, for services whose image preloads libfaketime.

A container shares the kernel's clock with everybody, so only what a program is told about it can differ.
libfaketime does that, and reads by how much from the file that ``x-knockon.clock`` names. Nothing has to
run inside the container to change that file; docs/resources.md says what the image has to set.
"""

from __future__ import annotations

import io
import tarfile
import time
from collections.abc import Sequence
from posixpath import basename, dirname

from docker.errors import APIError

from fuzzer.runtimes.base import Clock, Undo
from fuzzer.runtimes.docker.clients import Clients
from fuzzer.runtimes.docker.containers import Container
from fuzzer.runtimes.docker.execs import Program
from fuzzer.runtimes.docker.fleet import Fleet
from fuzzer.runtimes.docker.helper import Helper
from fuzzer.runtimes.docker.intents import Intents
from fuzzer.runtimes.docker.limiting import Limiting, detail_of
from models.errors import StepInvalid
from models.target import Target

NEAR_S = 2.0
"""How far from the wanted offset a clock may seem to be: both are asked for whole seconds."""

_ASK = Program(
    "LD_PRELOAD= date +%s; date +%s",
    "import os, subprocess, sys, time\n"
    "ask = [sys.executable, '-c', 'import time; print(time.time())']\n"
    "print(subprocess.check_output(ask, env={**os.environ, 'LD_PRELOAD': ''}, text=True), time.time())",
)
"""The true time, and the one that programs of this container are told."""


class Skewing(Limiting):
    """Meets ``CanSkewClock``."""

    target: Target

    def __init__(
        self, clients: Clients, fleet: Fleet, intents: Intents, helper: Helper, clock: Clock
    ) -> None:
        super().__init__(clients, fleet, intents, helper, clock)
        self._skews: dict[str, float] = {}

    def skews_clocks(self) -> bool:
        """Whether an image can is for the image to say: ``doubt_clock`` looks."""
        return True

    def skew_clock(self, services: Sequence[str], offset_s: float) -> None:
        """Write the offset into the service's file. A restart of the container leaves it there."""
        for one, _ in self._limited(services, "clock_skew"):
            self._tell_offset(one, self.clock_of(one), offset_s)

    def doubt_clock(self, service: str) -> str:
        """Programs of the container are told another time than it is."""
        for one in self._adopted([service]):
            code, said = self._execs.run(one, _ASK)
            try:
                truth, told = map(float, said.split())
            except ValueError:
                return f"the clock of {one.name} cannot be read: {said or f'exit code {code}'}"
            wanted = self._skews.get(one.id, 0.0)
            if abs(told - truth - wanted) > NEAR_S:
                return (
                    f"the clock of {one.name} is off by {told - truth:.0f} s and not {wanted:.0f} s; does "
                    "its environment preload libfaketime, with FAKETIME_TIMESTAMP_FILE and FAKETIME_NO_CACHE?"
                )
        return ""

    def unskew(self, undo: Undo) -> None:
        """Write an offset of nothing."""
        told = detail_of(undo)
        for one in self._adopted(undo.targets):
            self._tell_offset(one, str(told.get(one.id) or self.clock_of(one)), 0.0)

    def clock_of(self, one: Container) -> str:
        """The file that its service named."""
        path = self.target.services[one.service].clock
        if path is None:
            raise StepInvalid(f"clock_skew {one.name}: {one.service} has no x-knockon.clock")
        return path

    def _tell_offset(self, one: Container, path: str, offset_s: float) -> None:
        said = f"{offset_s:+.10g}\n".encode()
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as archive:
            entry = tarfile.TarInfo(basename(path))
            entry.size, entry.mode, entry.mtime = len(said), 0o644, int(time.time())
            archive.addfile(entry, io.BytesIO(said))
        with self._clients.lent(f"write {path} of {one.name}") as api:
            try:
                api.put_archive(one.id, dirname(path), packed.getvalue())
            except APIError as error:
                raise StepInvalid(f"{path} of {one.name} cannot be written: {error.explanation}") from error
        self._skews[one.id] = offset_s
