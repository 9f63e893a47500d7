"""The keys under ``x-knockon``: what compose cannot say about a service or a fleet.

Two shapes: ``ProjectKeys`` at the top of a compose file, ``ServiceKeys`` in a service. Whether the
names in them exist is for the reader of the whole file to say; here is what one value may be. Loads
have a file of their own, ``compose_loads.py``; what a single word may be stands in ``compose_words.py``.
"""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import Field

from models.behaviour import Hints
from models.compose_loads import LoadKeys
from models.compose_words import (
    AbsolutePath,
    Command,
    HttpUrl,
    Keys,
    Name,
    Printed,
    Variable,
    WindowText,
    must,
)
from models.limits import Limits
from models.target import PRODUCTION, Counters, Criticality, LocalCommand, Role, Safety
from models.topology import Group
from models.windows import Window


def _is_pattern(text: str) -> bool:
    try:
        re.compile(text)
    except re.error:
        return False
    return text != ""


class SafetyKeys(Keys):
    """What the fuzzer may not do."""

    max_faults: int = Field(default=2, ge=1, le=100)
    """How many faults may be in force at the same time."""
    protect: list[str] = Field(default_factory=list)
    """Services that are never touched: no fault, no restart, no fault of a connection to or from them."""
    max_blast_radius: float = Field(default=1.0, gt=0, le=1)
    """The share of the fleet that may be inside the blast radius of the faults in force."""
    excluded_windows: list[WindowText] = Field(default_factory=list)
    """When nothing is touched, such as Mon-Fri 09:00-17:00 Europe/Berlin."""
    production: list[Annotated[str, Field(min_length=1)]] = Field(default_factory=lambda: list(PRODUCTION))
    """Patterns of names (of projects, hosts, contexts) that have to be typed before a run."""
    breaker: int = Field(default=3, ge=1, le=1000)
    """So many scenarios in a row that find the fleet unsteady before any fault end the run."""

    def safety(self) -> Safety:
        """The same as a value of the target."""
        return Safety(
            self.max_faults,
            frozenset(self.protect),
            self.max_blast_radius,
            tuple(map(Window.parse, self.excluded_windows)),
            tuple(self.production),
            self.breaker,
        )


class GroupKeys(Keys):
    """Services that stand in for one another, such as the members of a cluster."""

    members: Annotated[list[str], Field(min_length=2)]
    """The services; each belongs to one group at most."""
    tolerates: int | None = Field(default=None, ge=0)
    """How many may be harmed at once while the others go on; a minority, if nothing is said."""
    failover_s: float = Field(default=5.0, ge=0, le=3600)
    """How long the others may take to take over, seconds."""

    def group(self, name: str) -> Group:
        """The same as a value of the topology."""
        minority = (len(self.members) - 1) // 2
        tolerates = minority if self.tolerates is None else self.tolerates
        return Group(name, tuple(self.members), tolerates, self.failover_s)


class RoleKeys(Keys):
    """Where a service tells whether it is the primary of its group."""

    url: HttpUrl
    """Asked with GET."""
    primary: Annotated[str, must(_is_pattern, "a regular expression")]
    """It is the primary if this is found in the answer; ``^`` is the begin of a line."""

    def role(self) -> Role:
        """The same as a value of the target."""
        return Role(self.url, self.primary)


class LocalKeys(Keys):
    """How a service is run as a plain process, without an engine."""

    command: Command
    """A list of words, or one text that is split as a shell would split it."""
    environment: dict[Variable, Printed] = Field(default_factory=dict)
    """Variables of the process."""

    def local(self) -> LocalCommand:
        """The same as a value of the target."""
        return LocalCommand(tuple(self.command), self.environment)


class CountersKeys(Keys):
    """Where a service tells what it has sent to others since its start."""

    url: HttpUrl
    """Answers JSON."""
    calls: Annotated[str, Field(min_length=1)] = "calls"
    """The key, with dots if it lies deeper, of a mapping from dependency to number of requests."""

    def counters(self) -> Counters:
        """The same as a value of the target."""
        return Counters(self.url, self.calls)


class ProjectKeys(Keys):
    """``x-knockon`` at the top of a compose file."""

    enabled: bool | None = None
    """true: faults may touch every service that does not opt out. false: none, whatever they say."""
    limits: Limits = Limits()
    """The numbers that invariants check against."""
    loads: dict[Name, LoadKeys] = Field(default_factory=dict)
    """Loads by name."""
    load_command: Command | None = None
    """An outside load tool that `knockon load-chaos` runs: k6, Artillery, Locust or hey."""
    safety: SafetyKeys = SafetyKeys()
    """What the fuzzer may not do."""
    groups: dict[Name, GroupKeys] = Field(default_factory=dict)
    """Services that stand in for one another, by the name of the group."""


class ServiceKeys(Keys):
    """``x-knockon`` in a service."""

    enabled: bool | None = None
    """Whether faults may touch this service."""
    health: HttpUrl | None = None
    """A URL, as seen from this machine, that answers 2xx while the service is healthy."""
    hard: list[str] = Field(default_factory=list)
    """Services without which this one may degrade."""
    soft: list[str] = Field(default_factory=list)
    """Services without which this one must keep serving."""
    criticality: Annotated[Criticality, Field(strict=False)] = Criticality.NORMAL
    """How much the service matters; ranks findings."""
    counters: CountersKeys | None = None
    """Where it tells how many requests it has sent to each dependency."""
    role: RoleKeys | None = None
    """Where it tells whether it is the primary of its group."""
    disk: AbsolutePath | None = None
    """A folder of the container, on a tmpfs or volume of bounded size, that `disk_fill` may fill."""
    clock: AbsolutePath | None = None
    """The container's FAKETIME_TIMESTAMP_FILE, by which `clock_skew` may put its clock ahead or back."""
    replicas_max: int | None = Field(default=None, ge=2, le=100)
    """How many replicas `scale` may give it in a search; it has to work with more than one."""
    local: LocalKeys | None = None
    """How it is run as a plain process."""
    direct: list[Variable] = Field(default_factory=list)
    """Variables whose addresses are never led through a proxy."""
    model: Hints = Hints()
    """How it behaves in a simulation, as far as it is known."""
