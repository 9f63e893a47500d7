"""What each service may be after the steps so far. Folded from steps, never from observations.

Each fault adds a ``Harm``; a heal ends it. While a harm lasts, and for the recovery limit after it,
its target may be down and its blast radius may degrade. Everything else has to be up::

    expected = Expected(topology, recovery_s=30).harmed(["db"], Effect.DOWN)
    expected.standing("db")         # MAY_BE_DOWN
    expected.standing("checkout")   # MAY_DEGRADE: it hard-depends on db
    expected.standing("analytics")  # UP

The same fold serves twice: the machine folds planned steps with nominal times to decide what to
draw next, the runner folds played steps with measured times for the invariants to judge.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property
from math import inf

from models.topology import Topology


class Effect(StrEnum):
    """What a fault does to its target."""

    DOWN = "down"
    """No process, until somebody starts it."""
    HUNG = "hung"
    """A process that does not answer, until somebody lets it go on."""
    RETURNING = "returning"
    """The process died or was restarted: over with the step, and recovery is the fleet's duty."""


LASTING = frozenset({Effect.DOWN, Effect.HUNG})


class Standing(StrEnum):
    """The worst that a service may show at some moment."""

    UP = "up"
    MAY_DEGRADE = "may degrade"
    MAY_BE_DOWN = "may be down"


def united(spans: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """The same moments, oldest first, each in one span only."""
    apart: list[tuple[float, float]] = []
    for since_s, until_s in sorted(spans):
        if apart and since_s <= apart[-1][1]:
            apart[-1] = apart[-1][0], max(until_s, apart[-1][1])
        else:
            apart.append((since_s, until_s))
    return apart


TRANSIENT_S = 2.0
"""For how long a passing harm (a crash) counts as active when the next fault is drawn."""


@dataclass(frozen=True, slots=True)
class Harm:
    """Harm done to ``service`` from ``since_s`` until ``ended_s`` (None: it lasts)."""

    service: str
    effect: Effect
    since_s: float
    ended_s: float | None = None

    def active_at(self, at_s: float) -> bool:
        """Whether the fault itself is still in force."""
        if self.effect is Effect.RETURNING:
            return at_s - self.since_s < TRANSIENT_S
        return self.ended_s is None or at_s < self.ended_s

    def excused_until_s(self, recovery_s: float) -> float:
        """Until when its blast radius is excused: the end of the harm plus the recovery limit."""
        return inf if self.ended_s is None else self.ended_s + recovery_s


@dataclass(frozen=True)
class Expected:
    """All harm done so far, at ``now_s`` seconds (nominal in a plan, measured in a history).

    ``loaded_until_s`` is when the last load will be over.
    """

    topology: Topology
    recovery_s: float
    now_s: float = 0.0
    loaded_until_s: float = 0.0
    harms: tuple[Harm, ...] = ()

    def at(self, now_s: float) -> Expected:
        """The same at a later moment."""
        return replace(self, now_s=now_s)

    def passed(self, seconds: float) -> Expected:
        """After some time in which nothing was done."""
        return self.at(self.now_s + seconds)

    def loaded(self, seconds: float) -> Expected:
        """After a load of this length began."""
        return replace(self, loaded_until_s=self.now_s + seconds)

    @property
    def quiet_s(self) -> float:
        """For how long nothing was done to anybody."""
        moments = [harm.since_s for harm in self.harms]
        moments += [harm.ended_s for harm in self.harms if harm.ended_s is not None]
        return self.now_s - max(moments, default=self.now_s)

    def harmed(self, services: Iterable[str], effect: Effect) -> Expected:
        """After a fault began."""
        new = tuple(Harm(name, effect, self.now_s) for name in services)
        return replace(self, harms=self.harms + new)

    def relieved(self, services: Iterable[str], effect: Effect | None = None) -> Expected:
        """After harm to these services ended: that of one ``effect``, or all that lasts."""
        names = set(services)
        ends = LASTING if effect is None else {effect}
        harms = tuple(
            replace(harm, ended_s=self.now_s)
            if harm.ended_s is None and harm.service in names and harm.effect in ends
            else harm
            for harm in self.harms
        )
        return replace(self, harms=harms)

    def all_relieved(self) -> Expected:
        """After everything was healed."""
        return self.relieved(self.topology.services)

    def lasting(self, effect: Effect | None = None) -> tuple[str, ...]:
        """Services under harm that lasts until it is healed, in the order of the topology."""
        wanted = LASTING if effect is None else {effect}
        names = {harm.service for harm in self.harms if harm.ended_s is None and harm.effect in wanted}
        return tuple(name for name in self.topology.services if name in names)

    def active(self) -> tuple[str, ...]:
        """Services with any harm in force now, lasting or passing."""
        return self._active

    @cached_property
    def _active(self) -> tuple[str, ...]:
        """Every action asks for it before each draw."""
        names = {harm.service for harm in self.harms if harm.active_at(self.now_s)}
        return tuple(name for name in self.topology.services if name in names)

    def blamed(self, at_s: float) -> tuple[str, ...]:
        """Services whose harm excuses somebody at this moment, in the order of the topology."""
        names = {h.service for h in self.harms if h.since_s <= at_s <= h.excused_until_s(self.recovery_s)}
        return tuple(name for name in self.topology.services if name in names)

    def excuses(self, service: str) -> tuple[tuple[float, float], ...]:
        """Spans of time, oldest first and apart, in which ``service`` may be unhealthy."""
        return self._excuses.get(service, ())

    @cached_property
    def _excuses(self) -> dict[str, tuple[tuple[float, float], ...]]:
        spans: dict[str, list[tuple[float, float]]] = {}
        for harm in self.harms:
            for service in self.topology.radius_of(harm.service):
                spans.setdefault(service, []).append((harm.since_s, harm.excused_until_s(self.recovery_s)))
        return {service: tuple(united(some)) for service, some in spans.items()}

    def standing(self, service: str, at_s: float | None = None) -> Standing:
        """The worst that ``service`` may show at ``at_s`` (default: now)."""
        blamed = self.blamed(self.now_s if at_s is None else at_s)
        if service in blamed:
            return Standing.MAY_BE_DOWN
        if service in self.topology.blast_radius(blamed):
            return Standing.MAY_DEGRADE
        return Standing.UP
