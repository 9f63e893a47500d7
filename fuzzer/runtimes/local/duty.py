"""Little processor time without a control group: processes are stopped and let go on, again and again.

Within each period a process group runs for its share and is stopped for the rest. That is what a quota
does as well, and any user may do it to processes of their own. Whoever watches sees neither a pause nor a
resumption: the runtime tells of those that it was asked for only.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from contextlib import suppress
from threading import Event, Thread

PERIOD_S = 0.1


class Duty:
    """A thread that holds one service to its share, whichever its process is at the moment.

    Args:
        pid: tells the pid that runs now, 0 if none does; it leads its process group.
        share: of the time, between 0 and 1.
    """

    def __init__(self, pid: Callable[[], int], share: float) -> None:
        self._pid = pid
        self._share = share
        self._over = Event()
        self._thread = Thread(target=self._hold, name="knockon-duty", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Let it run all the time again. Idempotent."""
        self._over.set()
        self._thread.join()
        self._send(self._pid(), signal.SIGCONT)

    def _hold(self) -> None:
        while not self._over.is_set():
            pid = self._pid()
            self._send(pid, signal.SIGSTOP)
            self._over.wait(PERIOD_S * (1 - self._share))
            self._send(pid if pid == self._pid() else 0, signal.SIGCONT)
            self._over.wait(PERIOD_S * self._share)

    def _send(self, pid: int, sig: signal.Signals) -> None:
        if pid:
            with suppress(ProcessLookupError):
                os.killpg(pid, sig)
