"""The first signal ends the run; whatever comes after it cannot keep the fleet from being healed.

    Ctrl-C              raised where the program is, so that it heals and tells what it found
    Ctrl-C again        noted while it heals; the report is left out
    SIGTERM, SIGHUP     like Ctrl-C
    a rule              the same, from a thread that watches (``watch.py``)

Signals reach a process as a whole, so at most one of these is in charge at a time: the latest entered.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Self, TypeAlias

from fuzzer.halts import Halt, Interrupted, Stopped

NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

Handler: TypeAlias = Callable[[int, FrameType | None], object] | int | signal.Handlers

OURS = signal.SIGTERM
"""What wakes the main thread when a rule ends the run."""


class Signals:
    """In charge of signals, from entering to leaving. Outside of the main thread it does nothing.

    Attributes:
        halt: what ended the run; None while it goes on.
    """

    def __init__(self) -> None:
        self.halt: Halt | None = None
        self._rule: Stopped | None = None
        self._closing = self._again = self._telling = False
        self._before: dict[signal.Signals, Handler] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in NUMBERS:
                before = signal.getsignal(number)
                if before is not signal.SIG_IGN:  # whoever started us (nohup, a shell's &) wants it so
                    self._before[number] = before if before is not None else signal.SIG_DFL
                    signal.signal(number, self._heard)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Raise what was held back while the fleet was healed or left.

        Raises:
            Interrupted: a signal came in the meantime.
        """
        for number, before in self._before.items():
            signal.signal(number, before)
        self._before = {}
        if self._again:
            raise self._repeated() from error

    def stop(self, stopped: Stopped) -> None:
        """End the run; from any thread. Nothing happens if it is ending already."""
        if self._before and self.halt is None and not self._closing:
            self._rule = stopped
            signal.pthread_kill(threading.main_thread().ident or 0, OURS)

    def close(self) -> None:
        """From here on the fleet is left: hold back every signal until that is done."""
        self._closing = True

    @contextmanager
    def telling(self) -> Iterator[None]:
        """While a report is told, all is healed, and a further signal ends the report.

        Raises:
            Interrupted: by a signal, also by one that was held back.
        """
        self._telling = True
        try:
            if self._again:
                raise self._repeated()
            yield
        finally:
            self._telling = False

    def _heard(self, number: int, frame: FrameType | None) -> None:
        rule, self._rule = self._rule, None
        if self.halt is None and not self._closing:
            self.halt = rule or Interrupted("Interrupted")
            raise self.halt
        if rule is None:
            self._again = True
            if self._telling:
                raise self._repeated()

    def _repeated(self) -> Interrupted:
        self._again = False
        repeated = Interrupted("Interrupted")
        if self.halt:
            repeated.played, repeated.trouble = self.halt.played, self.halt.trouble
        else:
            self.halt = repeated
        return repeated
