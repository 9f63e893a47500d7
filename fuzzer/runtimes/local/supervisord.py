"""One supervisord with one program a service: its configuration, its life, and how to call it.

**Restart policies.** Each compose policy becomes supervisord's own settings:

| compose | autorestart | startretries |
|---|---|---|
| ``no`` | false | 0 |
| ``on-failure[:N]`` | unexpected (exitcodes=0) | N, else a billion |
| ``always``, ``unless-stopped`` | true | a billion |

By itself supervisord would wait 1, 2, 3 … s between two starts, and only after a start that failed.
``inside.py`` makes it wait and count as Docker does: 100 ms, doubling with each death in a row up to
60 s, and from the beginning once a process ran for 10 s; N counts from the last start by hand. What
remains different from Docker:

- Starting a process takes 1-2 ms, starting a container some 300 ms: a fleet recovers faster here.
- After a restart of the machine, ``always`` and ``unless-stopped`` mean nothing: the fleet is gone.
- There are no health checks but by HTTP: one of the container's own image cannot be run here, and its
  service counts as healthy while its process runs.

As in Docker, when a service's first process ends, the rest of its process group is killed with it.

**Its socket** is in a folder with a short path, because a Unix socket's path has at most 107 bytes.
"""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import xmlrpc.client
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.parsers.expat import ExpatError

import fuzzer
from fuzzer.files import write_atomically
from fuzzer.runtimes.local import inside
from models.errors import RuntimeUnavailable
from models.target import Restart, RestartPolicy

STOP_S = 10
"""From SIGTERM to SIGKILL in an orderly stop: Docker's default."""
READY_S = 20.0
ANSWER_S = 5.0
NO_LIMIT = 1_000_000_000


def policy_settings(policy: RestartPolicy) -> dict[str, str]:
    """What supervisord calls a restart policy."""
    retries = policy.max_retries or NO_LIMIT  # as in Docker, `on-failure:0` is without a limit
    match policy.name:
        case Restart.NO:
            return {"autorestart": "false", "startretries": "0"}
        case Restart.ON_FAILURE:
            return {"autorestart": "unexpected", "startretries": str(retries)}
        case _:
            return {"autorestart": "true", "startretries": str(NO_LIMIT)}


def configuration(policies: Mapping[str, RestartPolicy], socket_path: Path) -> str:
    """The text of supervisord's configuration file. It lies in the fleet's folder (``%(here)s``)."""
    sections: dict[str, dict[str, str]] = {
        "unix_http_server": {"file": str(socket_path).replace("%", "%%"), "chmod": "0600"},
        "supervisord": {
            "nodaemon": "true",
            "silent": "true",
            "nocleanup": "true",
            "logfile": "%(here)s/logs/supervisord.log",
            "pidfile": "%(here)s/supervisord.pid",
            "childlogdir": "%(here)s/logs",
        },
        "rpcinterface:supervisor": {
            "supervisor.rpcinterface_factory": "supervisor.rpcinterface:make_main_rpcinterface"
        },
        "rpcinterface:knockon": {"supervisor.rpcinterface_factory": f"{inside.__name__}:make"},
    }
    for service, policy in policies.items():
        sections[f"program:{service}"] = {
            "command": "given-by-programs.json",
            "autostart": "false",
            **policy_settings(policy),
            "startsecs": "0",  # it runs from its first moment on, as in Docker
            "exitcodes": "0",
            "stopsignal": "TERM",
            "stopwaitsecs": str(STOP_S),
            "stopasgroup": "true",
            "killasgroup": "true",
            "redirect_stderr": "true",
            "stdout_logfile": f"%(here)s/logs/{service}.log",
            "stdout_logfile_maxbytes": "10MB",
            "stdout_logfile_backups": "1",
        }
    return "\n".join(
        f"[{name}]\n" + "".join(f"{key}={value}\n" for key, value in settings.items())
        for name, settings in sections.items()
    )


def short_folder() -> Path:
    """A private folder whose path leaves room for a socket's name."""
    folder = Path(tempfile.mkdtemp(prefix="knockon-"))
    if len(os.fsencode(folder)) > 80:  # supervisord appends its pid to the name for a moment
        folder.rmdir()
        folder = Path(tempfile.mkdtemp(prefix="knockon-", dir="/tmp"))
    return folder


class Supervisord:
    """The process, and a way to call it.

    Args:
        folder: the fleet's, absolute; configuration, record and logs are in it.
        socket_path: where it listens.
    """

    def __init__(self, folder: Path, socket_path: Path) -> None:
        self._folder = folder
        self._socket_path = socket_path
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Its pid, 0 before it is launched."""
        return self._process.pid if self._process else 0

    def configure(
        self,
        policies: Mapping[str, RestartPolicy],
        commands: Mapping[str, Sequence[str]],
        environments: Mapping[str, Mapping[str, str]],
        directory: Path,
    ) -> None:
        """Write what it reads when it starts."""
        programs = {
            name: {
                "command": list(commands[name]),
                "environment": dict(environments[name]),
                "directory": str(directory),
            }
            for name in policies
        }
        (self._folder / "logs").mkdir()
        (self._folder / inside.RECORD).touch(mode=0o600)
        write_atomically(self._folder / inside.PROGRAMS, json.dumps(programs, indent=1))
        write_atomically(self._folder / "supervisord.conf", configuration(policies, self._socket_path))

    def launch(self, directory: Path, environment: Mapping[str, str]) -> None:
        """Start the process, not yet any service; in a session of its own, out of reach of Ctrl-C."""
        importable = [str(Path(fuzzer.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
        # -P: the folder that it runs in is the target's, and is no place to import from.
        program = [sys.executable, "-P", "-m", "supervisor.supervisord"]
        with (self._folder / "logs" / "supervisord.out").open("wb") as output:
            self._process = subprocess.Popen(
                [*program, "-n", "-c", str(self._folder / "supervisord.conf")],
                cwd=directory,
                env={
                    **environment,
                    inside.FOLDER: str(self._folder),
                    "PYTHONPATH": os.pathsep.join(filter(None, importable)),
                },
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def until_ready(self) -> None:
        """Wait until it answers.

        Raises:
            RuntimeUnavailable: it ended, or does not answer in time; with the end of its log.
        """
        deadline_s = time.monotonic() + READY_S
        while True:
            try:
                self.call("supervisor.getState")
                return
            except RuntimeUnavailable:
                if self._process is None or self._process.poll() is not None:
                    raise RuntimeUnavailable(f"supervisord ended at once: {self._last_words()}") from None
                if time.monotonic() > deadline_s:
                    raise RuntimeUnavailable(
                        f"supervisord did not answer within {READY_S:.0f} s: {self._last_words()}"
                    ) from None
            time.sleep(0.01)

    def call(self, method: str, *arguments: object) -> Any:
        """Call an RPC method; from any thread, each call on a connection of its own.

        Raises:
            RuntimeUnavailable: it does not answer, or refuses.
        """
        server = xmlrpc.client.ServerProxy("http://localhost/RPC2", _UnixTransport(self._socket_path))
        try:
            with server:
                return getattr(server, method)(*arguments)
        except xmlrpc.client.Fault as fault:
            raise RuntimeUnavailable(f"supervisord refused {method}: {fault.faultString}") from fault
        except (OSError, http.client.HTTPException, xmlrpc.client.Error, ExpatError) as error:
            raise RuntimeUnavailable(
                f"supervisord does not answer ({method}): {type(error).__name__}: {error}"
            ) from error

    def reap(self) -> None:
        """Take note of its end, so that nothing is left of it. Blocks until it has ended."""
        if self._process:
            self._process.wait(timeout=ANSWER_S)

    def _last_words(self) -> str:
        lines: list[str] = []
        for name in ("supervisord.out", "supervisord.log"):
            path = self._folder / "logs" / name
            if path.exists():
                lines += path.read_text(errors="replace").splitlines()[-5:]
        return "\n".join(lines) or "it said nothing"


class _UnixTransport(xmlrpc.client.Transport):
    """XML-RPC through a Unix socket, never waiting for longer than ``ANSWER_S``."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def make_connection(self, host: object) -> http.client.HTTPConnection:
        return _UnixConnection(self._path)


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=ANSWER_S)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))
