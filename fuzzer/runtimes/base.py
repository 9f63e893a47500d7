"""What a runtime is, and the narrow protocols by which it declares what it can do.

A runtime knows the processes of a fleet: it tells their state, watches them, and does harm to them
when asked. It does not know scenarios, limits or verdicts. An action names the protocol that it
needs; a runtime that does not meet it never sees that action.

To add a runtime: one file with a class that meets ``Runtime`` and as many of the ``Can…`` protocols
as it is able to, one line in ``session.py``, and it must pass ``tests/conformance``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from types import TracebackType
from typing import Protocol, Self, runtime_checkable

from fuzzer.loads.base import Loads, LoadSink
from models.observation import Blindness, Health, ProcessChange
from models.target import Target


class Clock(Protocol):
    """Time of a runtime, in seconds; virtual in a simulation."""

    def now(self) -> float:
        """Seconds since some fixed moment; never goes back."""
        ...

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        ...


class ProcessState(StrEnum):
    """What a service's processes are doing, as the runtime knows it (not by probing)."""

    RUNNING = "running"
    PAUSED = "paused"
    RETURNING = "returning"
    """Not running, but the restart policy is about to start it."""
    DOWN = "down"
    """Not running, and nothing will start it."""


@dataclass(frozen=True, slots=True)
class ServiceStatus:
    """A moment's look at one service. ``since`` is text for people; restarts None if unknown."""

    service: str
    state: ProcessState
    instances: tuple[str, ...] = ()
    restarts: int | None = None
    since: str = ""


class Sink(Protocol):
    """Where a runtime's watchers put what they see. Called from any thread."""

    def saw_health(self, seen: Health) -> None:
        """A health probe ended."""
        ...

    def saw_process(self, seen: ProcessChange) -> None:
        """A process started, exited, was paused or resumed."""
        ...

    def was_blind(self, span: Blindness) -> None:
        """The watcher could not look for a while."""
        ...

    def saw_interference(self, what: str) -> None:
        """Somebody else changed the fleet: whatever follows proves nothing."""
        ...


@dataclass(frozen=True, slots=True)
class Undo:
    """How to lift a fault, as plain data: it is written down before the fault is done.

    Undoing is idempotent: a service that already runs is not started again.
    """

    verb: str
    services: tuple[str, ...]


class Journal(Protocol):
    """Undos that survive the death of the fuzzer."""

    def write(self, undos: Sequence[Undo]) -> str:
        """Make these undos durable; returns the entry's id."""
        ...

    def remove(self, entry: str) -> None:
        """Forget an entry: its faults are lifted."""
        ...

    def pending(self) -> dict[str, tuple[Undo, ...]]:
        """Entries that some fuzzer left behind, oldest first."""
        ...


class Runtime(Protocol):
    """A fleet that can be watched. Usable as a context: entering connects or starts it.

    Every method raises ``models.errors.RuntimeUnavailable`` when the engine or supervisor fails.
    """

    name: str
    target: Target

    @property
    def clock(self) -> Clock:
        """The time of the fleet."""
        ...

    @property
    def journal(self) -> Journal:
        """Where undos are kept."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def watch(self, sink: Sink) -> None:
        """Start to report health and processes to ``sink``, until the runtime is left."""
        ...

    def status(self, service: str) -> ServiceStatus:
        """What the service's processes are doing now."""
        ...

    def url(self, service: str) -> str | None:
        """``http://host:port`` at which the service can be reached from here, if at all."""
        ...

    def undo(self, undo: Undo) -> None:
        """Lift a fault. Idempotent."""
        ...


@runtime_checkable
class CanKill(Protocol):
    """An operator's kill: SIGKILL, and the restart policy does not act."""

    def kill(self, services: Sequence[str]) -> None:
        """Kill all of these at the same moment; they stay down until started."""
        ...


@runtime_checkable
class CanCrash(Protocol):
    """A death from outside: SIGKILL, and the restart policy acts."""

    def crash(self, services: Sequence[str]) -> None:
        """Kill the processes behind the runtime's back."""
        ...


@runtime_checkable
class CanStop(Protocol):
    """An orderly stop: SIGTERM, then SIGKILL."""

    def stop(self, services: Sequence[str]) -> None:
        """Stop; they stay down until started."""
        ...


@runtime_checkable
class CanStart(Protocol):
    """Starting what is down."""

    def start(self, services: Sequence[str]) -> None:
        """Start whatever of these does not run; in the given order."""
        ...


@runtime_checkable
class CanRestart(Protocol):
    """An operator's restart: stop, then start."""

    def restart(self, services: Sequence[str]) -> None:
        """Stop and start."""
        ...


@runtime_checkable
class CanPause(Protocol):
    """Freezing processes: connections are accepted by the kernel, and then nothing comes."""

    def pause(self, services: Sequence[str]) -> None:
        """Freeze."""
        ...

    def unpause(self, services: Sequence[str]) -> None:
        """Let go on whatever of these is frozen."""
        ...


@runtime_checkable
class CanSend(Protocol):
    """Clients that live where the services do; without them, requests are sent over the network."""

    def loads(self, sink: LoadSink) -> Loads:
        """Clients that tell ``sink`` what became of their requests."""
        ...


@runtime_checkable
class CanBeginAnew(Protocol):
    """Fleets that cost nothing: each scenario gets one of its own, and does the same each time."""

    def anew(self) -> Runtime:
        """The same fleet once more, before anything happened to it; not entered yet."""
        ...


@runtime_checkable
class Modelled(Protocol):
    """What is seen here is not a fleet but a model of one."""

    def rests_on(self, services: Sequence[str]) -> tuple[str, ...]:
        """What is assumed of these services, and of nobody else, a sentence each."""
        ...


def at_once(do: Callable[[str], None], services: Sequence[str]) -> None:
    """Do the same to several services at the same moment; the first error is raised at the end."""
    if len(services) == 1:
        do(services[0])
        return
    with ThreadPoolExecutor(max_workers=len(services)) as pool:
        for done in [pool.submit(do, service) for service in services]:
            done.result()
