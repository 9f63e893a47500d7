"""A helper container in the network of another one, and the line on which it takes orders.

It may do nothing but change that network: no other capability, nothing mounted. Its program is this very
package's (``fuzzer/netns``), put into it before it starts, so that any image with Python will do and an
engine elsewhere as well. It ends, and its rules with it, when we do: then its input ends.
"""

from __future__ import annotations

import io
import json
import socket
import tarfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from secrets import token_hex
from threading import Lock

import fuzzer
import models
from fuzzer.netns.rule import Rule, to_text
from fuzzer.runtimes.docker.clients import Clients
from fuzzer.runtimes.docker.helper import HELPER, confined, remove
from fuzzer.runtimes.docker.owner import LABEL as OWNER
from fuzzer.runtimes.docker.owner import Owner
from models.answer import Answer
from models.errors import Inconclusive, StepInvalid
from models.wire import Wire

TTL_S = 120
"""It ends by itself when nobody has said anything to it for so long."""

SAYS_S = 20.0
"""How long it may take to begin, or to do what it is told; it takes 0.3 s and 2 ms."""

HOME = "/knockon"
_SENT = {
    fuzzer: ("__init__.py", "netns", "probes/__init__.py", "probes/question.py"),
    models: ("__init__.py", "answer.py"),
}
_FRAME = 8
_ERRORS = 2


class Gone(StepInvalid):
    """It does not run any more, or did not begin."""


class Neighbour:
    """One helper, running.

    Args:
        clients: connects to the engine.
        image: one with Python 3.11 or later.
        beside: the container whose network it shares; None for a network of nobody.
        run: the id of this run.

    Raises:
        Gone: it did not begin; the message says why.
        StepInvalid: that container does not run.
        RuntimeUnavailable: the engine does not answer, or cannot start it.
    """

    def __init__(self, clients: Clients, image: str, beside: str | None, run: str) -> None:
        self._clients = clients
        self._lock = Lock()
        self._said = self._errors = b""
        self._in_step = True
        with clients.lent("make a helper for the network") as api:
            made = api.create_container(
                image,
                entrypoint=["python3", "-P", "-m", "fuzzer.netns"],
                command=["--ttl", str(TTL_S)],
                environment={"PYTHONPATH": HOME, "PYTHONDONTWRITEBYTECODE": "1"},
                user="0",
                working_dir="/",
                stdin_open=True,
                name=f"knockon-net-{run}-{token_hex(4)}",
                labels={HELPER: run, OWNER: Owner.me().to_label()},
                healthcheck={"test": ["NONE"]},
                host_config=confined(
                    api,
                    "NET_ADMIN",
                    auto_remove=True,
                    network_mode=f"container:{beside}" if beside else "none",
                    read_only=False,  # the engine copies the program into no other
                    security_opt=["no-new-privileges", "apparmor=unconfined", "label=disable"],
                ),
            )
            self._id: str = made["Id"]
            try:
                api.put_archive(self._id, "/", _program())
                line = api.attach_socket(self._id, {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1})
                self._line: socket.socket = getattr(line, "_sock", line)
                self._kept = line  # it closes the socket when it is thrown away
                api.start(self._id)
            except BaseException:
                remove(api, self._id)
                raise

    def lacks(self) -> Mapping[str, str]:
        """What the kernel does not have: for each part why, or "" if nothing is missing.

        Raises:
            StepInvalid: rules are not possible at all.
        """
        told = self._order({"do": "can"})["lacks"]
        assert isinstance(told, dict)
        return told

    def put(self, rules: Sequence[Rule]) -> None:
        """These rules, and no others.

        Raises:
            Gone: it has ended, and its rules with it.
            StepInvalid: the kernel refused them.
        """
        self._order({"do": "put", "rules": json.loads(to_text(rules))})

    def ask(self, wire: Wire, address: str, path: str, timeout_s: float) -> Answer:
        """Ask the dependency as its caller would: by its name, or by an address if it has none here."""
        order = {
            "do": "ask",
            "name": wire.dependency,
            "address": address,
            "port": wire.port,
            "scheme": wire.scheme,
            "path": path,
            "timeout_s": timeout_s,
        }
        # A name may stand for several addresses, each of which is waited for.
        told = self._order(order, 8 * timeout_s + SAYS_S)["answer"]
        assert isinstance(told, dict)
        return Answer(**told)

    def ping(self) -> None:
        """Tell it that we are there.

        Raises:
            Gone: it is not.
        """
        self._order({"do": "ping"})

    def close(self) -> None:
        """Let it take its rules away and end."""
        with self._lock:
            with suppress(OSError):
                self._line.shutdown(socket.SHUT_WR)
                self._line.settimeout(SAYS_S / 4)
                while self._line.recv(1 << 16):
                    pass
            self._kept.close()
            self._line.close()
        with suppress(Inconclusive), self._clients.lent("remove a helper for the network") as api:
            remove(api, self._id)

    def _order(self, order: Mapping[str, object], limit_s: float = SAYS_S) -> dict[str, object]:
        with self._lock:
            if not self._in_step:
                raise Gone("a helper for the network was left in the middle of an order")
            self._in_step = False
            try:
                self._line.sendall(json.dumps(order).encode() + b"\n")
                said: dict[str, object] = json.loads(self._next_line(time.monotonic() + limit_s))
            except OSError as error:
                raise Gone(f"a helper for the network does not answer: {error}") from error
            self._in_step = True
        if "refused" in said:
            raise StepInvalid(f"the kernel refuses rules for the network: {said['refused']}")
        return said

    def _next_line(self, deadline_s: float) -> bytes:
        """What the program prints comes in frames: 1 for its output or 2 for its errors, and a length."""
        while b"\n" not in self._said:
            head = self._exactly(_FRAME, deadline_s)
            piece = self._exactly(int.from_bytes(head[4:], "big"), deadline_s)
            if head[0] == _ERRORS:
                self._errors += piece
            else:
                self._said += piece
        line, _, self._said = self._said.partition(b"\n")
        return line

    def _exactly(self, size: int, deadline_s: float) -> bytes:
        data = b""
        while len(data) < size:
            self._line.settimeout(max(0.001, deadline_s - time.monotonic()))
            piece = self._line.recv(size - len(data))
            if not piece:
                last = self._errors.decode(errors="replace").strip().rpartition("\n")[2]
                raise Gone(f"a helper for the network has ended{': ' if last else ''}{last}")
            data += piece
        return data


def _program() -> bytes:
    """The program that it runs, as a tar."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for package, names in _SENT.items():
            root = Path(str(package.__file__)).parent
            for path in (found for name in names for found in _sources(root / name)):
                inside = f"{HOME}/{root.name}/{path.relative_to(root).as_posix()}"
                info = tarfile.TarInfo(inside.lstrip("/"))
                info.size, info.mode = path.stat().st_size, 0o644
                tar.addfile(info, io.BytesIO(path.read_bytes()))
    return packed.getvalue()


def _sources(path: Path) -> Sequence[Path]:
    return sorted(path.glob("*.py")) if path.is_dir() else [path]
