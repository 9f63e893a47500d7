"""The narrow protocols by which a runtime declares what it can do.

An action names the one that it needs; a runtime that does not meet it never sees that action.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from fuzzer.loads.base import Loads, LoadSink
from fuzzer.runtimes.base import Runtime
from models.toxic import Toxic


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


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one question that was sent over a link, from outside the fuzzer's own book-keeping.

    Attributes:
        first_ms: until the first byte of the answer came; None if none did.
        last_ms: until the connection was over, or the wait for that.
        status: of an answer by HTTP.
        size: how many bytes came.
        ended: whether the other side ended the connection.
        error: ``refused``, ``reset`` or ``timeout``; "" if there was none.
    """

    first_ms: float | None
    last_ms: float
    status: int | None = None
    size: int = 0
    ended: bool = False
    error: str = ""


@runtime_checkable
class CanPoison(Protocol):
    """Connections between services that can be harmed, because they lead through proxies."""

    def edges(self) -> Sequence[tuple[str, str]]:
        """Caller and dependency of each connection that can be harmed; none if nothing is wired."""
        ...

    def toxics(self) -> Set[str]:
        """The kinds of toxics that its proxies know."""
        ...

    def poison(self, link: str, toxics: Sequence[Toxic]) -> None:
        """Add toxics to every connection of a link; they last until undone (verb ``cleanse``)."""
        ...

    def asks(self, caller: str, dependency: str) -> bool:
        """Whether there is a question that this dependency would answer."""
        ...

    def ask(self, caller: str, dependency: str, timeout_s: float) -> Answer:
        """Ask the dependency something harmless, over the same way as its caller."""
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
