"""Some members of a group, as a step names them where a service may stand; the node specs of Jepsen.

::

    one:etcd          the first member that faults may touch
    minority:etcd     as many as a quorum can lose: 1 of 3, 2 of 5
    majority:etcd     as many as are a quorum: 2 of 3, 3 of 5
    all:etcd          every member
    primaries:etcd    whoever says that it is the primary, when the step is played

All but the last are known before anything is played (``models/members.py``), so a plan, its replay and
its report name services. Who is primary depends on the fleet: a plan only knows that it is one of them.

A name may also be one replica of a service, ``checkout#2``: harm to it counts as harm to the service.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from models.link import is_link

_SOME = re.compile(r"([a-z]+):([A-Za-z0-9][A-Za-z0-9._#-]*)")


class Share(StrEnum):
    """Which members."""

    ONE = "one"
    MINORITY = "minority"
    MAJORITY = "majority"
    ALL = "all"
    PRIMARIES = "primaries"

    def of(self, size: int) -> int:
        """How many of so many members; of the primaries there should be one."""
        return {Share.MINORITY: (size - 1) // 2, Share.MAJORITY: size // 2 + 1, Share.ALL: size}.get(self, 1)


@dataclass(frozen=True, slots=True)
class Some:
    """A share of the members of a group."""

    share: Share
    group: str

    @classmethod
    def parse(cls, text: str) -> Some | None:
        """Read the text form; None if this is something else."""
        found = _SOME.fullmatch(text)
        return cls(Share(found[1]), found[2]) if found and found[1] in set(Share) else None

    def __str__(self) -> str:
        return f"{self.share}:{self.group}"


def is_some(name: str) -> bool:
    """Whether a target of a step is a part of a group, and not a service."""
    return ":" in name and not is_link(name)


def service_of(name: str) -> str:
    """The service of a replica; anything else is what it is."""
    return name if is_link(name) else name.partition("#")[0]


def services_of(names: Iterable[str]) -> tuple[str, ...]:
    """The same for several, each once."""
    return tuple(dict.fromkeys(map(service_of, names)))


def replica_of(name: str) -> int | None:
    """The number of the replica that is meant; None if it is the whole service."""
    number = "" if is_link(name) else name.partition("#")[2]
    return int(number) if number.isdecimal() else None
