"""A container's limits: what the engine was told, what the kernel says, and how both are changed.

The engine's own words (``HostConfig``) are what has to be there again afterwards. Two of its oddities
matter. A container that was given ``cpus`` may only be changed through ``NanoCpus``, any other only
through ``CpuQuota``. And a memory limit cannot be taken away again: 0 means "leave it"; but the largest
number that the kernel takes is what it calls no limit itself, and that can be set.

What the kernel says comes from the engine's statistics, which need no program inside the container and
are the same for both versions of control groups.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from docker import APIClient
from docker.errors import APIError, create_api_error_from_http_exception
from docker.utils.utils import version_gte
from requests import HTTPError

from models.errors import RequestError, StepInvalid

MIB = 1 << 20
NO_MEMORY_LIMIT = 9_223_372_036_854_771_712
"""What a kernel without a limit says itself: the largest whole number of pages."""
LEAST_MEMORY = 6 * MIB
"""Less is refused by the engine."""
PERIOD_US = 100_000
LEAST_QUOTA_US = 1_000
"""Less is refused by the kernel."""


@dataclass(frozen=True, slots=True)
class Limits:
    """As the engine's inspect call names them; ``processors`` is 0 without a limit, likewise the others.

    Attributes:
        nano_cpus, quota_us, period_us: of processor time, in one of two ways.
        memory, memory_and_swap: in bytes; -1 for as much swap as there is.
        pids: processes and threads together.
    """

    nano_cpus: int = 0
    quota_us: int = 0
    period_us: int = 0
    memory: int = 0
    memory_and_swap: int = 0
    pids: int = 0

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Limits:
        """From what inspect says of the container."""
        host = data["HostConfig"]
        return cls(
            host.get("NanoCpus") or 0,
            max(0, host.get("CpuQuota") or 0),
            host.get("CpuPeriod") or 0,
            host.get("Memory") or 0,
            host.get("MemorySwap") or 0,
            max(0, host.get("PidsLimit") or 0),
        )

    @property
    def processors(self) -> float:
        """How many processors it may keep busy; 0 for all."""
        return self.nano_cpus / 1e9 or self.quota_us / (self.period_us or PERIOD_US)

    def to_json(self) -> dict[str, int]:
        """What ``from_json`` reads."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, int]) -> Limits:
        """Read what ``to_json`` wrote.

        Raises:
            RequestError: it is none of ours.
        """
        try:
            return cls(**data)
        except TypeError as error:
            raise RequestError(f"found {data!r}; expected the limits of a container") from error


@dataclass(frozen=True, slots=True)
class Usage:
    """What the kernel says of a container at one moment.

    Attributes:
        memory: in bytes, less what it would give back at once.
        memory_limit: in bytes; the whole machine's without one.
        pids: processes and threads.
        pids_limit: 0 without one.
        throttled: how often it had used up its processor time before a period was over.
    """

    memory: int
    memory_limit: int
    pids: int
    pids_limit: int
    throttled: int

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Usage:
        """From the engine's statistics; the page cache has a name of its own in each version."""
        memory, pids = data.get("memory_stats") or {}, data.get("pids_stats") or {}
        pages = memory.get("stats") or {}
        cache = pages.get("total_inactive_file", pages.get("inactive_file", 0))
        return cls(
            max(0, memory.get("usage", 0) - cache),
            memory.get("limit", 0),
            pids.get("current", 0),
            # Newer engines say the largest number there is where older ones say nothing.
            0 if pids.get("limit", 0) >= 1 << 62 else pids.get("limit", 0),
            (data.get("cpu_stats") or {}).get("throttling_data", {}).get("throttled_periods", 0),
        )


def usage(api: APIClient, container: str) -> Usage:
    """What the kernel says now: 12 ms; 1 to 2 s on engines before 20.10."""
    quick = {"one_shot": True} if version_gte(api.api_version, "1.41") else {}
    return Usage.of(api.stats(container, stream=False, **quick))


def quota(processors: float, has: Limits) -> dict[str, int]:
    """The change after which a container may keep so many processors busy."""
    if has.nano_cpus:
        return {"NanoCpus": max(10_000_000, round(processors * 1e9))}
    return {"CpuQuota": max(LEAST_QUOTA_US, round(processors * (has.period_us or PERIOD_US)))}


def cpu_again(before: Limits) -> list[dict[str, int]]:
    """The changes after which processor time is limited as before; no quota at all is -1."""
    return [{"NanoCpus": before.nano_cpus} if before.nano_cpus else {"CpuQuota": before.quota_us or -1}]


def memory_again(before: Limits) -> list[dict[str, int]]:
    """The changes after which memory is limited as before; only a second one can let swap go."""
    if not before.memory:
        return [
            {"Memory": NO_MEMORY_LIMIT, "MemorySwap": NO_MEMORY_LIMIT},
            {"MemorySwap": -1},
        ]
    if before.memory_and_swap == -1:
        return [{"Memory": before.memory, "MemorySwap": before.memory}, {"MemorySwap": -1}]
    # Without a word about swap an engine allows twice as much, and says so in the same place.
    return [{"Memory": before.memory, "MemorySwap": before.memory_and_swap or 2 * before.memory}]


def pids_again(before: Limits) -> list[dict[str, int]]:
    """The change after which processes are limited as before."""
    return [{"PidsLimit": before.pids or -1}]


def change(api: APIClient, container: str, what: Mapping[str, int]) -> None:
    """Change some limits; the SDK's own call knows neither ``NanoCpus`` nor ``PidsLimit``.

    Raises:
        StepInvalid: the engine or the kernel refuses it.
        docker.errors.APIError: the container is not there.
    """
    where = f"{api.base_url}/v{api.api_version}/containers/{container}/update"
    answer = api.post(where, json=dict(what), timeout=api.timeout)
    try:
        answer.raise_for_status()
    except HTTPError as http_error:
        try:
            create_api_error_from_http_exception(http_error)
        except APIError as error:
            if error.status_code == 404:
                raise
            asked = ", ".join(f"{name} {value}" for name, value in what.items())
            raise StepInvalid(f"{asked} is refused: {error.explanation or error}") from error
