"""An edge proxy as a child of this process: it lives as long as its owner, and no longer.

Its input is a pipe that only this process writes to. When this process ends, however it does, the pipe
ends, and with it the proxy (``--until-eof``). It runs in a session of its own, out of reach of Ctrl-C: the
way out heals first.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import IO

import fuzzer
from fuzzer import kin
from fuzzer.edges.client import EdgeProxyClient, ProxySpec
from models.errors import RuntimeUnavailable

READY_S = 20.0
END_S = 5.0
LAST_WORDS = 5
READ_BYTES = 4096


class EdgeProcess:
    """Starts when entered, ends when left.

    Args:
        specs: the edges; a port of 0 is chosen (see ``listens``).
        seed: of every random decision.
        ttl_s: without a call for so long, all toxics go; None: they stay.
    """

    listens: dict[str, ProxySpec]
    """The edges by name, with their real ports."""

    def __init__(self, specs: Sequence[ProxySpec], seed: int = 0, ttl_s: float | None = None) -> None:
        self._specs = tuple(specs)
        self._options = ["--seed", str(seed), *(["--ttl", str(ttl_s)] if ttl_s else [])]
        self._process: subprocess.Popen[bytes] | None = None
        self._client: EdgeProxyClient | None = None
        self._errors: IO[bytes] | None = None

    @property
    def client(self) -> EdgeProxyClient:
        """What drives it.

        Raises:
            RuntimeUnavailable: it was not started.
        """
        if self._client is None:
            raise RuntimeUnavailable("the edge proxy was not started")
        return self._client

    @property
    def pid(self) -> int:
        """Its pid, 0 before it is started."""
        return self._process.pid if self._process else 0

    def __enter__(self) -> EdgeProcess:
        try:
            self._launch()
            self._client = EdgeProxyClient(f"http://{self._address()}")
            self.listens = self._client.populate(self._specs)
        except BaseException:
            self.end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    def end(self) -> None:
        """End it. Once more does no harm."""
        process, self._process = self._process, None
        if process:
            assert process.stdin
            assert process.stdout
            process.stdin.close()
            try:
                process.wait(END_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            process.stdout.close()
        if self._client:
            self._client.close()
            self._client = None
        if self._errors:
            self._errors.close()
            self._errors = None

    def _launch(self) -> None:
        importable = [str(Path(fuzzer.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - it is open as long as the process is
        # -P: the folder that it runs in is no place to import from.
        program = [sys.executable, "-P", "-m", "fuzzer.edges"]
        try:
            self._process = subprocess.Popen(
                [*program, "--api", "127.0.0.1:0", "--until-eof", *self._options],
                env={**kin.environment(), "PYTHONPATH": os.pathsep.join(filter(None, importable))},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                start_new_session=True,
            )
        except OSError as error:
            raise RuntimeUnavailable(f"the edge proxy cannot be started: {error}") from error

    def _address(self) -> str:
        """Where it listens, which it says in its first line."""
        assert self._process
        assert self._process.stdout
        output = self._process.stdout.fileno()
        deadline_s = time.monotonic() + READY_S
        line = b""
        while not line.endswith(b"\n"):
            ready, _, _ = select.select([output], [], [], max(0.0, deadline_s - time.monotonic()))
            if not ready:
                raise RuntimeUnavailable(
                    f"the edge proxy did not start within {READY_S:.0f} s: {self._said()}"
                )
            got = os.read(output, READ_BYTES)
            if not got:
                raise RuntimeUnavailable(f"the edge proxy ended at once: {self._said()}")
            line += got
        try:
            return str(json.loads(line)["api"])
        except (ValueError, KeyError, TypeError):
            raise RuntimeUnavailable(
                f"the edge proxy said {line[:200]!r} where it should say its address"
            ) from None

    def _said(self) -> str:
        assert self._errors
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").splitlines()
        return "\n".join(lines[-LAST_WORDS:]) or "it said nothing"
