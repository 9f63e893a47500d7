"""Connections between services, as a step names them: who calls whom.

::

    checkout -> db          calls of checkout to db
    * -> db                 every call to db
    checkout -> *           every call that checkout makes
    checkout,db <-> *       calls between these two and all others, in either direction

A link is text wherever the name of a service may stand, so that a step, a harm and an undo need not
know which of the two they hold.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

ANY = "*"
ONE_WAY, BOTH_WAYS = "->", "<->"

_NAME = r"[A-Za-z0-9][A-Za-z0-9._#-]*"
_SIDE = rf"(?:\*|{_NAME}(?:,{_NAME})*)"
_LINK = re.compile(rf"({_SIDE}) (<?->) ({_SIDE})")


@dataclass(frozen=True, slots=True)
class Link:
    """Calls of any of ``callers`` to any of ``dependencies``; ``("*",)`` is everybody else.

    Attributes:
        both: whether the calls in the other direction are meant as well.
    """

    callers: tuple[str, ...]
    dependencies: tuple[str, ...]
    both: bool = False

    @classmethod
    def parse(cls, text: str) -> Link | None:
        """Read the text form, with one space around the arrow; None if this is no link."""
        found = _LINK.fullmatch(text)
        if found is None:
            return None
        return cls(tuple(found[1].split(",")), tuple(found[3].split(",")), found[2] == BOTH_WAYS)

    @property
    def names(self) -> tuple[str, ...]:
        """The services that it names, each once."""
        return tuple(name for name in dict.fromkeys(self.callers + self.dependencies) if name != ANY)

    def covers(self, caller: str, dependency: str) -> bool:
        """Whether calls of ``caller`` to ``dependency`` are meant."""
        return self._from_to(caller, dependency) or (self.both and self._from_to(dependency, caller))

    def _from_to(self, caller: str, dependency: str) -> bool:
        return _holds(self.callers, caller, self.dependencies) and _holds(
            self.dependencies, dependency, self.callers
        )

    def __str__(self) -> str:
        arrow = BOTH_WAYS if self.both else ONE_WAY
        return f"{','.join(self.callers)} {arrow} {','.join(self.dependencies)}"


def _holds(side: tuple[str, ...], name: str, opposite: tuple[str, ...]) -> bool:
    """Whoever stands on the opposite side is not everybody else."""
    return name not in opposite if side == (ANY,) else name in side


def is_link(name: str) -> bool:
    """Whether a target of a step is a link, and not a service."""
    return " " in name
