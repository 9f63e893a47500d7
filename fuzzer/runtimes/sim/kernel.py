"""Virtual time: what happens next, and the processes that it happens to.

A process is a generator. It yields a number of seconds to sleep, or a ``Signal`` to wait for, and is sent
what the signal was fired with::

    def caller(kernel: Kernel, answer: Signal) -> Process:
        yield 0.5                     # half a second of work
        status = yield answer         # until somebody fires it

What is due at the same moment happens in the order in which it was asked for, so that a run depends on
nothing but its beginning.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from heapq import heappop, heappush
from types import GeneratorType
from typing import Any, TypeAlias

Process: TypeAlias = Generator["float | Signal", Any, None]
Deed: TypeAlias = Process | Callable[[Any], None]

AT_ONE_MOMENT_MOST = 1_000_000
"""So many events without any time passing mean that none ever will."""


class TimeStandsStill(RuntimeError):
    """Processes wake one another without end: a bug of the simulation, and not of what is simulated."""


class Signal:
    """Something that happens once. What fires it first counts, also for those who wait only later."""

    __slots__ = ("_kernel", "_waiting", "fired", "value")

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._waiting: list[Deed] = []
        self.fired = False
        self.value: Any = None

    def fire(self, value: Any = None) -> None:
        """Let everybody who waits go on, now."""
        if self.fired:
            return
        self.fired, self.value = True, value
        waiting, self._waiting = self._waiting, []
        for what in waiting:
            self._kernel.at(self._kernel.now_s, what, value)

    def wait(self, what: Deed) -> None:
        """Go on with a process, or call a function, when it is fired."""
        if self.fired:
            self._kernel.at(self._kernel.now_s, what, self.value)
        else:
            self._waiting.append(what)

    def leave(self, what: Deed) -> None:
        """Wait no longer."""
        if what in self._waiting:
            self._waiting.remove(what)


class Kernel:
    """A clock and what is due.

    Attributes:
        now_s: seconds since the beginning.
        happened: how many events there were.
    """

    __slots__ = ("_due", "_number", "happened", "now_s")

    def __init__(self) -> None:
        self.now_s = 0.0
        self.happened = 0
        self._number = 0
        self._due: list[tuple[float, int, Deed, Any]] = []

    def at(self, when_s: float, what: Deed, value: Any = None) -> None:
        """Go on with a process, or call a function, at a moment."""
        self._number += 1
        heappush(self._due, (when_s, self._number, what, value))

    def spawn(self, process: Process) -> None:
        """Start a process, now."""
        self.at(self.now_s, process)

    def within(self, seconds: float, signal: Signal) -> Signal:
        """Fires when another does, or when the time is up."""
        either = Signal(self)
        signal.wait(either.fire)
        self.at(self.now_s + seconds, self._time_is_up, (signal, either))
        return either

    def _time_is_up(self, waited: tuple[Signal, Signal]) -> None:
        signal, either = waited
        signal.leave(either.fire)
        either.fire()

    def run(self, until_s: float) -> None:
        """Let time pass.

        Raises:
            TimeStandsStill: it cannot.
        """
        due = self._due
        while due and due[0][0] <= until_s:
            began_s = due[0][0]
            for number in range(AT_ONE_MOMENT_MOST):
                if not due or due[0][0] > until_s:
                    self.happened += number
                    break
                self.now_s, _, what, value = heappop(due)
                if type(what) is not GeneratorType:
                    what(value)  # type: ignore[operator]
                    continue
                try:
                    wanted = what.send(value)
                except StopIteration:
                    continue
                if type(wanted) is Signal:
                    wanted.wait(what)
                else:
                    self._number += 1
                    heappush(due, (self.now_s + wanted, self._number, what, None))
            else:
                self.happened += AT_ONE_MOMENT_MOST
                if self.now_s == began_s:
                    raise TimeStandsStill(f"{AT_ONE_MOMENT_MOST} events at {began_s:g} s")
        self.now_s = max(self.now_s, until_s)

    def end(self) -> None:
        """Whatever is still due does not happen."""
        self._due.clear()


class VirtualClock:
    """The time of a kernel, for those who have never heard of one."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel

    def now(self) -> float:
        """Seconds since the fleet was made."""
        return self._kernel.now_s

    def sleep(self, seconds: float) -> None:
        """Let time pass, at once."""
        self._kernel.run(self._kernel.now_s + max(seconds, 0.0))
