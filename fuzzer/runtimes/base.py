"""What a runtime is; what it may be able to do beside that stands in ``able.py``.

A runtime knows the processes of a fleet: it tells their state, watches them, and does harm to them
when asked. It does not know scenarios, limits or verdicts. An action names the protocol that it
needs; a runtime that does not meet it never sees that action.

To add a runtime: one file with a class that meets ``Runtime`` and as many of the ``Can…`` protocols
as it is able to, one line in ``session.py``, and it must pass ``tests/conformance``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from enum import StrEnum
from types import TracebackType
from typing import Any, Protocol, Self

from models.errors import RequestError
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
    """A moment's look at one service.

    ``since`` is text for people; restarts None if unknown. ``gone`` tells that somebody removed it, so that
    there is nothing left that could be started.
    """

    service: str
    state: ProcessState
    instances: tuple[str, ...] = ()
    restarts: int | None = None
    since: str = ""
    gone: bool = False


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

    Attributes:
        verb: what to do.
        targets: services or links.
        detail: what only the runtime knows, such as the limits that stood before; its journal adds it.
    """

    verb: str
    targets: tuple[str, ...]
    detail: str = ""

    def to_json(self) -> dict[str, object]:
        """What ``from_json`` reads."""
        return {"verb": self.verb, "targets": list(self.targets), "detail": self.detail}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Undo:
        """Read what ``to_json`` wrote.

        Raises:
            KeyError: it is none of ours.
        """
        return cls(str(data["verb"]), tuple(map(str, data["targets"])), str(data["detail"]))


def only(undos: Sequence[Undo], targets: Sequence[str] | None) -> list[Undo]:
    """The undos, less what they do to other services and links; None for all."""
    kept = [
        replace(undo, targets=tuple(name for name in undo.targets if targets is None or name in targets))
        for undo in undos
    ]
    return [undo for undo in kept if undo.targets]


class Undoes:
    """Lifts faults: each verb of an undo, and what does it.

    A runtime that gains a way to do harm adds the verb that lifts it.
    """

    def __init__(self, **verbs: Callable[[Undo], None]) -> None:
        self._verbs = dict(verbs)

    def add(self, verb: str, lift: Callable[[Undo], None]) -> None:
        """One verb more."""
        self._verbs[verb] = lift

    def __call__(self, undo: Undo) -> None:
        """Lift a fault.

        Raises:
            RequestError: there is no such verb.
        """
        if undo.verb not in self._verbs:
            raise RequestError(f"found the undo {undo.verb!r}; expected one of: {', '.join(self._verbs)}")
        self._verbs[undo.verb](undo)


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

    def alone(self) -> AbstractContextManager[None]:
        """While this lasts, nobody else undoes what is pending."""
        ...

    @property
    def unsettled(self) -> bool:
        """Whether this very fuzzer has left entries that outlive its fleet."""
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


def at_once(do: Callable[[str], None], services: Sequence[str]) -> None:
    """Do the same to several services at the same moment; the first error is raised at the end."""
    if len(services) == 1:
        do(services[0])
        return
    with ThreadPoolExecutor(max_workers=len(services)) as pool:
        for done in [pool.submit(do, service) for service in services]:
            done.result()
