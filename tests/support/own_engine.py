"""A container engine of a test's own, which may be stopped, killed and started again.

It shares nothing with the engine that other tests use: its own folders, socket and pid file, and a network
namespace of its own, because an engine without a bridge removes the one that it finds. Whoever is to reach
its containers has to be ``inside``. As on any machine with an init system, containerd is a process of its
own beside it, and survives it.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import closing, suppress
from pathlib import Path

from docker import APIClient
from docker.errors import APIError

from fuzzer.runtimes.docker.clients import TROUBLE
from tests.support.waiting import until

START_S = 60.0

HOLD = """
import fcntl, socket, struct, sys
SIOCSIFFLAGS, IFF_UP = 0x8914, 1
with socket.socket() as any_socket:
    fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP))
print("up", flush=True)
sys.stdin.read()
"""
"""Holds a network namespace, with nothing in it but a way to itself."""


def obstacle() -> str:
    """Why no engine can be started here, or nothing."""
    if os.geteuid() != 0:
        return "only root can start an engine"
    missing = [name for name in ("dockerd", "containerd", "unshare", "nsenter") if not shutil.which(name)]
    return f"there is no {missing[0]}: make engine" if missing else ""


class OwnEngine:
    """An engine that is started with ``start``, and gone without a trace after ``end``."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="kn-engine-", dir="/tmp"))  # a socket's path is short
        self.url = f"unix://{self.folder}/sock"
        self._place = subprocess.Popen(
            ["unshare", "--net", sys.executable, "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert self._place.stdout
        assert self._place.stdout.readline() == b"up\n", "there is no network namespace to be had"
        self.inside = ("nsenter", f"--net=/proc/{self._place.pid}/ns/net", "--")
        self._containerd: subprocess.Popen[bytes] | None = None
        self._dockerd: subprocess.Popen[bytes] | None = None

    def client(self) -> APIClient:
        """A client of it; the caller closes it."""
        return APIClient(base_url=self.url, version="auto", timeout=60)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        folder = self.folder
        socket = folder / "containerd.sock"
        if self._containerd is None:
            at = ["--root", f"{folder}/containerd", "--state", f"{folder}/state", "--address", str(socket)]
            self._containerd = self._launch(["containerd", "--config", os.devnull, *at])
            until(socket.exists, "containerd does not start", START_S)
        command = ["dockerd", "--containerd", str(socket), "-H", self.url, "--log-level", "warn"]
        command += ["--data-root", f"{folder}/data", "--exec-root", f"{folder}/exec"]
        command += ["--pidfile", f"{folder}/pid", "--bridge=none", "--iptables=false", "--ip-forward=false"]
        (folder / "pid").unlink(missing_ok=True)  # of one that was killed
        self._dockerd = self._launch(command)
        until(self._answers, f"the engine in {folder} does not answer", START_S)

    def _launch(self, command: list[str]) -> subprocess.Popen[bytes]:
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(
                [*self.inside, *command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _answers(self) -> bool:
        assert self._dockerd
        assert self._dockerd.poll() is None, (self.folder / "log").read_text()[-2000:]
        with suppress(*TROUBLE), closing(self.client()) as api:
            return bool(api.ping())
        return False

    def stop(self) -> None:
        """Stop it as an init system does: it stops its containers first."""
        _leave(self._dockerd, signal.SIGTERM)

    def kill(self) -> None:
        """End it without a chance to clean up; its containers run on."""
        _leave(self._dockerd, signal.SIGKILL)

    def take(self, image: str, of: APIClient) -> None:
        """Copy an image from another engine."""
        with closing(self.client()) as api:
            api.load_image(b"".join(of.get_image(image)))

    def end(self) -> None:
        """End it, with everything that it ran."""
        try:
            if self._dockerd is not None:
                self._remove_containers()
                self.stop()
        finally:
            _leave(self._containerd, signal.SIGTERM)
            for mounted in (self.folder / "data", self.folder / "exec" / "netns" / "default"):
                subprocess.run(["umount", "-l", str(mounted)], capture_output=True, check=False)
            shutil.rmtree(self.folder, ignore_errors=True)
            self._place.communicate()

    def _remove_containers(self) -> None:
        assert self._dockerd
        if self._dockerd.poll() is not None:
            self.start()  # nobody else can end what runs
        with closing(self.client()) as api:
            for one in api.containers(all=True):
                with suppress(APIError):
                    api.remove_container(one["Id"], force=True, v=True)


def _leave(process: subprocess.Popen[bytes] | None, number: signal.Signals) -> None:
    if process is not None and process.poll() is None:
        process.send_signal(number)
        process.wait(60)
