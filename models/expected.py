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

from collections.abc import Iterable, Set
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property
from math import inf

from models.link import is_link
from models.some import is_some
from models.topology import Topology


class Effect(StrEnum):
    """What a fault does to its target."""

    DOWN = "down"
    """No process, until somebody starts it."""
    HUNG = "hung"
    """A process that does not answer, until somebody lets it go on."""
    RETURNING = "returning"
    """The process died or was restarted: over with the step, and recovery is the fleet's duty."""
    SLOW = "slow"
    """It works, but late, until it is given back what it lacks."""
    SILENT = "silent"
    """What is sent is lost, and nothing comes back, until the connection is whole again."""
    CUT = "cut"
    """What is sent is refused, broken off or answered with an error, until then."""
    STARVED = "starved"
    """It lacks memory, disk or the like, and may fail of it, until it is given back."""
    RESIZED = "resized"
    """It has another number of replicas, until it is given back those that it had. Nothing is excused."""
    RESIZING = "resizing"
    """Replicas come or go: over with the step, and a moment later nothing is excused any more."""


LASTING = frozenset(Effect) - {Effect.RETURNING, Effect.RESIZING}


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


SETTLES_S = 2.0
"""How long after replicas came or went their callers may need to notice: connections to those that are
gone break once, and health that is only looked at now and then is old."""

TRANSIENT_S = 2.0
"""For how long a passing harm (a crash) counts as active when the next fault is drawn."""


@dataclass(frozen=True, slots=True)
class Harm:
    """Harm done to ``on``, a service or a link, from ``since_s`` until ``ended_s`` (None: it lasts)."""

    on: str
    effect: Effect
    since_s: float
    ended_s: float | None = None

    def active_at(self, at_s: float) -> bool:
        """Whether the fault itself is still in force."""
        if self.effect is Effect.RETURNING:
            return at_s - self.since_s < TRANSIENT_S
        return self.ended_s is None or at_s < self.ended_s

    def excused_until_s(self, recovery_s: float) -> float:
        """Until when its blast radius is excused: the end of the harm plus the recovery limit.

        A service that is only larger or smaller than before has to serve as ever.
        """
        if self.effect is Effect.RESIZED:
            return self.since_s
        if self.effect is Effect.RESIZING:
            recovery_s = SETTLES_S
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

    def harmed(self, targets: Iterable[str], effect: Effect) -> Expected:
        """After a fault on services or links began."""
        new = tuple(Harm(name, effect, self.now_s) for name in targets)
        return replace(self, harms=self.harms + new)

    def relieved(
        self, targets: Iterable[str], effect: Effect | None = None, since_s: float | None = None
    ) -> Expected:
        """After harm to these ended: that of one ``effect``, or all that lasts.

        Replicas that come back are started like any other process; since when, ``since_s`` may tell.
        """
        names = frozenset(targets)
        ends = LASTING if effect is None else {effect}
        ended = {
            harm
            for harm in self.harms
            if harm.ended_s is None and self._is_all_of(harm.on, names) and harm.effect in ends
        }
        harms = tuple(replace(harm, ended_s=self.now_s) if harm in ended else harm for harm in self.harms)
        resized = {harm.on for harm in ended if harm.effect is Effect.RESIZED}
        began_s = self.now_s if since_s is None else since_s
        back = tuple(Harm(name, Effect.RETURNING, began_s, self.now_s) for name in self._ordered(resized))
        return replace(self, harms=harms + back)

    def _is_all_of(self, harmed: str, names: frozenset[str]) -> bool:
        return harmed in names or names.issuperset(self.topology.may_mean(harmed))

    def all_relieved(self) -> Expected:
        """After everything was healed."""
        return self.relieved({harm.on for harm in self.harms})

    def lasting(self, effect: Effect | None = None) -> tuple[str, ...]:
        """Services and links under harm that lasts until it is healed, in the order of the topology.

        Where the primary of a group is harmed, and nobody knows yet who that is, each member may be it.
        """
        wanted = LASTING if effect is None else {effect}
        harmed = [h.on for h in self.harms if h.ended_s is None and h.effect in wanted]
        return self._ordered(name for on in harmed for name in self.topology.may_mean(on))

    def active(self) -> tuple[str, ...]:
        """Services and links with any harm in force now, lasting or passing; each primary counts."""
        return self._active

    @cached_property
    def _active(self) -> tuple[str, ...]:
        """Every action asks for it before each draw."""
        active = [harm.on for harm in self.harms if harm.active_at(self.now_s)]
        return (*self._ordered(active), *filter(is_some, active))

    def blamed(self, at_s: float) -> tuple[str, ...]:
        """Services and links whose harm excuses somebody at this moment, in the order of the topology."""
        blamed = [h.on for h in self.harms if h.since_s <= at_s <= h.excused_until_s(self.recovery_s)]
        return self._ordered(name for on in blamed for name in self.topology.may_mean(on))

    def harmed_by(self, at_s: float) -> tuple[str, ...]:
        """Services and links that a fault had harmed by then, in the order of the topology."""
        return self._ordered(harm.on for harm in self.harms if harm.since_s <= at_s)

    def _ordered(self, names: Iterable[str]) -> tuple[str, ...]:
        """Services in the order of the topology, then links as they come; each once."""
        found = dict.fromkeys(names)
        services = [name for name in self.topology.services if name in found]
        return (*services, *(name for name in found if is_link(name)))

    def excuses(self, service: str) -> tuple[tuple[float, float], ...]:
        """Spans of time, oldest first and apart, in which ``service`` may be unhealthy."""
        return self._excuses.get(service, ())

    @cached_property
    def _excuses(self) -> dict[str, tuple[tuple[float, float], ...]]:
        spans: dict[str, list[tuple[float, float]]] = {}
        for harm in self.harms:
            for service in self.topology.radius_of(harm.on):
                spans.setdefault(service, []).append(self._span(harm))
        for group in self.topology.groups:
            for service in self.topology.radius_of(group.key):
                spans.setdefault(service, []).extend(self._broken[group.key])
        return {service: tuple(united(some)) for service, some in spans.items()}

    def is_hampered(self, service: str) -> bool:
        """Whether harm excuses it now, and for as long as nobody heals."""
        return any(since_s <= self.now_s and until_s == inf for since_s, until_s in self.excuses(service))

    def allowed_s(self, service: str, until_s: float) -> float:
        """How long after a harm its blast radius was excused, of the harm whose excuse ended then."""
        for harm in self.harms:
            if self._span(harm)[1] == until_s and service in self.topology.radius_of(harm.on):
                return SETTLES_S if harm.effect is Effect.RESIZING else self.recovery_s
        return self.recovery_s

    def felt(self, needed: Set[str]) -> list[tuple[float, float]]:
        """Spans of time in which whoever needs these services and no others may be served badly."""
        grouped = {group.key for name in needed if (group := self.topology.group_of(name))}
        spans = [span for key in grouped for span in self._broken[key]]
        for harm in self.harms:
            if not self.topology.members_hit(harm.on) and self.topology.matters(harm.on, needed):
                spans.append(self._span(harm))
        return united(spans)

    def _span(self, harm: Harm) -> tuple[float, float]:
        return harm.since_s, harm.excused_until_s(self.recovery_s)

    @cached_property
    def _broken(self) -> dict[str, list[tuple[float, float]]]:
        """When each group could not do its work: too many members harmed, or others just taking over."""
        broken: dict[str, list[tuple[float, float]]] = {}
        for group in self.topology.groups:
            mine = {*group.members, group.primary}
            hits = [(h, mine.intersection(self.topology.members_hit(h.on))) for h in self.harms]
            hits = [(harm, members) for harm, members in hits if members]
            spans = broken.setdefault(group.key, [])
            for harm, _ in hits:
                moments = (harm.since_s, harm.ended_s)
                spans += [(at_s, at_s + group.failover_s) for at_s in moments if at_s is not None]
                # Too many can only begin with a harm; it ends with the first of those that make it so many.
                together = [(self._span(h)[1], m) for h, m in hits if _holds(self._span(h), harm.since_s)]
                while len(set().union(*(members for _, members in together))) > group.tolerates:
                    until_s, _ = first = min(together, key=lambda one: one[0])
                    spans.append((harm.since_s, until_s))
                    together.remove(first)
        return broken

    def standing(self, service: str, at_s: float | None = None) -> Standing:
        """The worst that ``service`` may show at ``at_s`` (default: now)."""
        at_s = self.now_s if at_s is None else at_s
        if service in self.blamed(at_s):
            return Standing.MAY_BE_DOWN
        if any(_holds(span, at_s) for span in self.excuses(service)):
            return Standing.MAY_DEGRADE
        return Standing.UP


def _holds(span: tuple[float, float], at_s: float) -> bool:
    return span[0] <= at_s <= span[1]
