"""Which services a step means that names a part of a group, as far as that is known beforehand.

The same text means the same services each time: members come in their order, those first that no
lasting harm keeps busy, and only those that faults may touch::

    kill minority:etcd                   kill etcd-1
    pause etcd-1; kill one:etcd          pause etcd-1; kill etcd-2
"""

from __future__ import annotations

from models.errors import ScenarioError
from models.expected import Expected
from models.some import Share, Some
from models.target import Target
from models.topology import Group


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


def static(some: Some) -> bool:
    """Whether it is known before anything is played."""
    return some.share is not Share.PRIMARIES
