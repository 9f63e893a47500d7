"""A runtime with a watchdog beside it, from before it is entered until it was left well.

Left well means: leaving raised no error, and no undo of this run stays in a journal. Otherwise the watchdog
goes on until this process ends, and heals then.
"""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from types import TracebackType

import fuzzer
from fuzzer import kin
from fuzzer.runtimes.base import Journal, Runtime
from fuzzer.watchdog.order import WELL, Order
from models.errors import RequestError, RuntimeUnavailable

END_S = 5.0
"""How long a watchdog may take to end that was told to. It may only just be starting."""

_kept: list[subprocess.Popen[bytes]] = []
"""Those that go on until this process ends: nobody may collect what they wait for."""


class Guarded:
    """Enters and leaves a runtime, guarded.

    Args:
        runtime: not entered yet.
        state: the folder of states; the watchdog's log is in it.
    """

    def __init__(self, runtime: Runtime, state: Path) -> None:
        self._runtime = runtime
        self._order = Order(os.getpid(), runtime.name, state.resolve())
        self._process: subprocess.Popen[bytes] | None = None
        self._journal: Journal | None = None

    def __enter__(self) -> Runtime:
        """Start the watchdog, and enter.

        Raises:
            RuntimeUnavailable: no process can be started; or as the runtime says.
        """
        self._process = _started(self._order)
        try:
            entered = self._runtime.__enter__()
        except (RequestError, RuntimeUnavailable):  # then entering has undone itself
            self._dismiss()
            raise
        self._journal = entered.journal
        return entered

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._runtime.__exit__(kind, error, trace)
        if self._journal and not self._journal.unsettled:
            self._dismiss()

    def _dismiss(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        _kept.remove(process)
        assert process.stdin
        with suppress(OSError):  # somebody ended it
            process.stdin.write(WELL)
            process.stdin.close()
        try:
            process.wait(END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _started(order: Order) -> subprocess.Popen[bytes]:
    """Start the process, without waiting for it.

    In a session of its own, so that neither Ctrl-C nor a terminal that is closed reaches it; and with nothing
    of ours but one end of a pipe, so that nobody waits for it who waits for us.
    """
    importable = [str(Path(fuzzer.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    try:
        process = subprocess.Popen(
            # -P: the folder that it runs in is no place to import from.
            [sys.executable, "-P", "-m", "fuzzer.watchdog", order.to_text()],
            cwd="/",
            env={**kin.without_mark(), "PYTHONPATH": os.pathsep.join(filter(None, importable))},
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            start_new_session=True,
        )
    except OSError as error:
        raise RuntimeUnavailable(f"the watchdog cannot be started: {error}") from error
    _kept.append(process)
    return process
