"""The narrow protocols by which a runtime declares what it can do.

An action names the one that it needs; a runtime that does not meet it never sees that action.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from fuzzer.loads.base import Loads, LoadSink
from fuzzer.runtimes.base import Runtime
from models.answer import Answer
from models.bearing import Bearing
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


@runtime_checkable
class CanPoison(Protocol):
    """Connections between services that can be harmed."""

    def edges(self) -> Sequence[tuple[str, str]]:
        """Caller and dependency of each connection that can be harmed; none if nothing is wired."""
        ...

    def bears(self, caller: str, dependency: str) -> Bearing:
        """The kinds of toxics that this connection can have here."""
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
class CanLimitCpu(Protocol):
    """Little processor time."""

    def limit_cpu(self, services: Sequence[str], percent: float) -> None:
        """Leave each of these a part of one processor, until undone (verb ``unlimit_cpu``)."""
        ...

    def doubt_cpu(self, service: str) -> str:
        """What speaks against the limit's being in force now; "" if nothing does."""
        ...


@runtime_checkable
class CanLimitMemory(Protocol):
    """Little memory."""

    def limit_memory(self, services: Sequence[str], more_mib: float) -> None:
        """Leave each of these so much more than it has now, until undone (verb ``unlimit_memory``)."""
        ...

    def doubt_memory(self, service: str) -> str:
        """What speaks against the limit's being in force now; "" if nothing does."""
        ...


@runtime_checkable
class CanRunOutOfMemory(Protocol):
    """A death by the kernel's hand, for want of memory."""

    def run_out_of_memory(self, services: Sequence[str]) -> None:
        """Use up the memory of these until the kernel ends each of them; the restart policy acts.

        Undone (verbs ``unlimit_memory`` and ``spare``), who did not die of it is as before.

        Raises:
            StepInvalid: it did not, or something else did.
        """
        ...


@runtime_checkable
class CanLimitPids(Protocol):
    """Few processes and threads."""

    def limits_pids(self) -> bool:
        """Whether the kernel would hold services to such a limit here."""
        ...

    def limit_pids(self, services: Sequence[str], more: int) -> None:
        """Leave each of these so many more than it has now, until undone (verb ``unlimit_pids``)."""
        ...

    def doubt_pids(self, service: str) -> str:
        """What speaks against the limit's being in force now; "" if nothing does."""
        ...


@runtime_checkable
class CanFillDisk(Protocol):
    """No space for what a service writes."""

    def fill_disk(self, services: Sequence[str]) -> None:
        """Let no write succeed any more where these keep their data, until undone (verb ``free_disk``).

        Raises:
            StepInvalid: the place is not bounded, so filling it would harm others.
        """
        ...

    def doubt_disk(self, service: str) -> str:
        """What speaks against the disk's being full now; "" if nothing does."""
        ...


@runtime_checkable
class CanStress(Protocol):
    """Busy company."""

    def stress(self, services: Sequence[str], workers: int) -> None:
        """So many busy loops within the limits of each of these, until undone (verb ``calm``)."""
        ...

    def doubt_stress(self, service: str) -> str:
        """What speaks against their being busy now; "" if nothing does."""
        ...


@runtime_checkable
class CanSkewClock(Protocol):
    """Wall clocks that are off."""

    def skews_clocks(self) -> bool:
        """Whether all that it takes is there."""
        ...

    def skew_clock(self, services: Sequence[str], offset_s: float) -> None:
        """Put the clocks of these ahead (or back, if negative), until undone (verb ``unskew``)."""
        ...

    def doubt_clock(self, service: str) -> str:
        """What speaks against the clock's being off by as much; "" if nothing does."""
        ...


@runtime_checkable
class CanHold(Protocol):
    """Holding connections to services open from here."""

    def hold(self, service: str, count: int) -> None:
        """Open so many, and hold them until undone (verb ``release``)."""
        ...

    def held(self, service: str) -> int:
        """How many are held now."""
        ...


@runtime_checkable
class CanBeWired(Protocol):
    """Connections that can be harmed once proxies stand on them."""

    def how_to_wire(self) -> str:
        """What a person has to do for that: a command."""
        ...


@runtime_checkable
class HasReplicas(Protocol):
    """Services of several containers, each of which can be harmed on its own, as ``checkout#2``."""

    def replicas(self, service: str) -> Sequence[int]:
        """The numbers of a service's containers."""
        ...


@runtime_checkable
class CanScale(Protocol):
    """More and fewer replicas of a service."""

    def scale(self, service: str, replicas: int) -> None:
        """Run so many, until undone (verb ``rescale``); none at all is a stop.

        Raises:
            StepInvalid: it cannot have as many, or cannot do without one that would go; with the reason.
        """
        ...

    def running(self, service: str) -> int:
        """How many of its replicas run, whoever started them."""
        ...

    def serving(self, service: str) -> int:
        """How many of those are ready for work."""
        ...


@runtime_checkable
class TellsRoles(Protocol):
    """Knowing who leads a group; without it, the services themselves are asked (``x-knockon.role``)."""

    def is_primary(self, service: str) -> bool:
        """Whether it leads its group now."""
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


@runtime_checkable
class CanBeAway(Protocol):
    """Behind an engine that others may stop and start again, while the fleet's faults stay."""

    def answers_within(self, limit_s: float) -> bool:
        """Whether it answers, or does so again within a while."""
        ...


@runtime_checkable
class CanBeClaimed(Protocol):
    """A fleet that outlives a run, and that several runs could reach."""

    def claim(self) -> None:
        """Have it for this run alone, until the runtime is left.

        Raises:
            RequestError: another run has it; the message says which.
        """
        ...
