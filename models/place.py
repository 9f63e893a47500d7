"""Where a fleet runs, as far as its safety depends on that."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase


@dataclass(frozen=True, slots=True)
class Place:
    """An engine or a machine, and a project on it.

    Attributes:
        names: what it is called, each with what has that name: ``("the project", "shop")``.
        remote: why it is not this machine, for people; "" if it is.
    """

    names: tuple[tuple[str, str], ...]
    remote: str = ""

    def like(self, patterns: Iterable[str]) -> list[tuple[str, str, str]]:
        """What has a name that matches one of these patterns, each with the pattern; each name once."""
        found: dict[str, tuple[str, str, str]] = {}
        for what, name in self.names:
            for pattern in patterns:
                if fnmatchcase(name.lower(), pattern.lower()):
                    found.setdefault(name, (what, name, pattern))
        return list(found.values())
