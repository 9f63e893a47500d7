"""Whom faults may touch now, and which services a step means that names a part of a group.

The same text means the same services each time: members come in their order, those first that no
lasting harm keeps busy, and only those that faults may touch::

    kill minority:etcd                   kill etcd-1
    pause etcd-1; kill one:etcd          pause etcd-1; kill etcd-2
"""

from __future__ import annotations

from collections.abc import Iterable, Set

from models.errors import ScenarioError
from models.expected import Expected
from models.some import Share, Some
from models.step import Step
from models.target import Target
from models.topology import Group


def room(target: Target, expected: Expected) -> int:
    """How many services more may be harmed now."""
    return max(0, target.safety.max_faults - len(expected.active()))


def is_within(target: Target, expected: Expected, more: Iterable[str] = ()) -> bool:
    """Whether what is in force, and faults on these too, reaches no more of the fleet than it may."""
    most = target.safety.max_blast_radius
    if most >= 1:
        return True
    reached = target.topology.reach([*expected.active(), *more])
    return len(reached) <= most * len(target.topology.services) + ROUNDING


ROUNDING = 1e-9
"""0.6 of 5 services are 3, whatever the computer makes of it."""


def spared(target: Target, expected: Expected) -> tuple[str, ...]:
    """The services that faults may touch and that no lasting harm keeps busy."""
    harmed = expected.lasting()
    return tuple(name for name in target.faultable if name not in harmed)


def with_members(step: Step, shares: Set[Share], target: Target, expected: Expected) -> Step:
    """The step with services where it names these parts of groups; who is primary is left open.

    Raises:
        ScenarioError: there is no such group, no such part of it, or too few may be harmed.
    """
    names: dict[str, None] = {}
    for name in step.targets:
        some = Some.parse(name)
        is_known = some and some.share in shares and some.share is not Share.PRIMARIES
        names |= dict.fromkeys(members_of(some, target, expected) if some and is_known else (name,))
    return Step(step.action, tuple(names), step.params)


def group_of(some: Some, target: Target) -> Group:
    """The group that is meant.

    Raises:
        ScenarioError: there is no such group; with those that there are.
    """
    for group in target.topology.groups:
        if group.name == some.group:
            return group
    have = ", ".join(group.name for group in target.topology.groups)
    raise ScenarioError(
        f"{some}: there is no group {some.group!r} here; expected one of: {have or 'none at all'}"
    )


def members_of(some: Some, target: Target, expected: Expected) -> tuple[str, ...]:
    """The members that are meant after the steps so far; of ``primaries`` nobody knows that.

    Raises:
        ScenarioError: there is no such group, no such part of it, or too few may be harmed.
    """
    group = group_of(some, target)
    count = some.share.of(len(group.members))
    if not count:
        raise ScenarioError(f"{some}: a group of {len(group.members)} has no {some.share}")
    may = [name for name in group.members if name in target.faultable]
    if len(may) < count:
        raise ScenarioError(
            f"{some}: these are {count} of {len(group.members)} members, "
            f"and faults may touch {', '.join(may) or 'none of them'}"
        )
    harmed = expected.lasting()
    chosen = sorted(may, key=lambda name: name in harmed)[:count]
    return tuple(name for name in group.members if name in chosen)


def may_be_primary(some: Some, target: Target) -> tuple[str, ...]:
    """The members that can be asked for their role, and may be harmed if they are it.

    Raises:
        ScenarioError: there is no such group, or nobody can be asked.
    """
    group = group_of(some, target)
    told = [name for name in group.members if target.services[name].role and name in target.faultable]
    if not told:
        raise ScenarioError(
            f"{some}: nobody tells who is primary; expected x-knockon.role of a member that faults may touch"
        )
    return tuple(told)
