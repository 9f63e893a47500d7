"""Asks the rules again and again while a run goes on, and ends it as soon as one of them says so."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Event, Thread
from types import TracebackType
from typing import Self

from fuzzer.halts import Stopped
from fuzzer.safety.rules import Rule

ASK_EVERY_S = 0.25
"""A run sees a stop within a second, also in the middle of a step."""


class Watch:
    """Asks in a thread of its own, from entering to leaving.

    Args:
        rules: what may end the run.
        stop: ends it; called once at most.
    """

    def __init__(self, rules: Sequence[Rule], stop: Callable[[Stopped], None]) -> None:
        self._rules = tuple(rules)
        self._stop = stop
        self._over = Event()
        self._thread = Thread(target=self._run, name="knockon-watch", daemon=True)

    def check(self) -> None:
        """Ask once, here and now.

        Raises:
            Stopped: by the first rule that says so.
        """
        for rule in self._rules:
            if reason := rule():
                raise Stopped(reason)

    def _run(self) -> None:
        while not self._over.wait(ASK_EVERY_S):
            try:
                self.check()
            except Stopped as stopped:
                self._stop(stopped)
                return

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()
