"""All edges of the process, by name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fuzzer.edges.address import Address
from fuzzer.edges.problems import Problem
from fuzzer.edges.proxy import Proxy


@dataclass(frozen=True, slots=True)
class Wanted:
    """A proxy as it was asked for."""

    name: str
    listen: Address
    upstream: Address
    enabled: bool


class Proxies:
    """A dictionary with manners.

    Args:
        seed: every proxy's dice follow from it and from the proxy's name.
    """

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._proxies: dict[str, Proxy] = {}

    def __getitem__(self, name: str) -> Proxy:
        try:
            return self._proxies[name]
        except KeyError:
            raise Problem(404, "proxy not found") from None

    def __iter__(self) -> Iterator[Proxy]:
        return iter(list(self._proxies.values()))

    async def create(self, wanted: Wanted) -> Proxy:
        """Add one.

        Raises:
            Problem: there is one of that name, or it cannot listen.
        """
        if wanted.name in self._proxies:
            raise Problem(409, "proxy already exists")
        proxy = Proxy(wanted.name, wanted.listen, wanted.upstream, self._seed)
        if wanted.enabled:
            await proxy.enable()
        self._proxies[proxy.name] = proxy
        return proxy

    async def populate(self, all_wanted: Sequence[Wanted]) -> list[Proxy]:
        """Create what is not there, and replace what is there with other addresses (toxics go with it).

        Raises:
            Problem: one cannot listen; those before it stay.
        """
        made = []
        for wanted in all_wanted:
            old = self._proxies.get(wanted.name)
            if old and (old.listen, old.upstream) == (wanted.listen, wanted.upstream):
                await old.move(wanted.listen, wanted.upstream, enabled=wanted.enabled)
                made.append(old)
                continue
            if old:
                self.delete(wanted.name)
            made.append(await self.create(wanted))
        return made

    def delete(self, name: str) -> None:
        """Remove one, with its connections.

        Raises:
            Problem: there is none of that name.
        """
        self[name].disable()
        del self._proxies[name]

    async def reset(self) -> None:
        """Remove all toxics and enable all proxies.

        Raises:
            Problem: one cannot listen any more. Everything else is done.
        """
        trouble: Problem | None = None
        for proxy in self:
            proxy.cleanse()
            try:
                await proxy.enable()
            except Problem as problem:
                trouble = problem
        if trouble:
            raise trouble
