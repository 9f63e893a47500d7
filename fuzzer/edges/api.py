"""What the server answers: Toxiproxy's HTTP API, version 2, and ``GET /toxics``.

| request | does |
|---|---|
| ``GET /version`` | the version |
| ``GET /toxics`` | ours: the types of toxics and their attributes; a real Toxiproxy answers 404 |
| ``GET, POST /proxies`` | show all, create one |
| ``POST /populate`` | create or replace a list |
| ``POST /reset`` | remove all toxics, enable all proxies |
| ``GET, POST, PATCH, DELETE /proxies/{proxy}`` | show, change, remove one |
| ``GET, POST /proxies/{proxy}/toxics`` | show all its toxics, add one |
| ``GET, POST, PATCH, DELETE /proxies/{proxy}/toxics/{toxic}`` | show, change, remove one |
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from urllib.parse import unquote

from fuzzer.edges.problems import Problem
from fuzzer.edges.proxies import Proxies
from fuzzer.edges.reading import (
    changed_proxy,
    changed_setting,
    new_setting,
    read_json,
    read_object,
    wanted_proxies,
    wanted_proxy,
)
from fuzzer.edges.toxics.catalogue import TOXICS

VERSION = "2.0.0+knockon.1"
"""The version of Toxiproxy's API that is spoken, and of what speaks it."""

OK, CREATED, NO_CONTENT = 200, 201, 204
Reply = tuple[int, object]
Handler = Callable[[bytes, list[str]], Awaitable[Reply]]


class Api:
    """Requests in, replies out; one at a time, so that no two change the same thing.

    Args:
        proxies: what is driven.
    """

    def __init__(self, proxies: Proxies) -> None:
        self._proxies = proxies
        self._turn = asyncio.Lock()
        self.called_s = time.monotonic()
        """When it was last called, on the system's monotonic clock."""
        change_proxy, change_toxic = self._change_proxy, self._change_toxic
        self._routes: dict[str, dict[str, Handler]] = {
            "version": {"GET": self._version},
            "toxics": {"GET": self._kinds},
            "populate": {"POST": self._populate},
            "reset": {"POST": self._reset},
            "proxies": {"GET": self._all, "POST": self._create},
            "proxies/*": {
                "GET": self._show,
                "POST": change_proxy,
                "PATCH": change_proxy,
                "DELETE": self._delete,
            },
            "proxies/*/toxics": {"GET": self._toxics, "POST": self._add},
            "proxies/*/toxics/*": {
                "GET": self._toxic,
                "POST": change_toxic,
                "PATCH": change_toxic,
                "DELETE": self._remove,
            },
        }

    async def reply(self, method: str, target: str, body: bytes) -> Reply:
        """Status and JSON value of an answer.

        Raises:
            Problem: it is an error.
        """
        self.called_s = time.monotonic()
        parts = [unquote(part) for part in target.partition("?")[0].strip("/").split("/")]
        route = "/".join("*" if number % 2 else part for number, part in enumerate(parts))
        methods = self._routes.get(route)
        if methods is None:
            raise Problem(404, f"there is no {target[:100]}")
        handler = methods.get(method)
        if handler is None:
            raise Problem(405, f"only {', '.join(methods)} here")
        async with self._turn:
            return await handler(body, parts[1::2])

    async def heal(self) -> None:
        """What ``POST /reset`` does."""
        async with self._turn:
            await self._proxies.reset()

    async def _version(self, body: bytes, names: list[str]) -> Reply:
        return OK, {"version": VERSION}

    async def _kinds(self, body: bytes, names: list[str]) -> Reply:
        return OK, {
            kind: {
                "summary": link.summary,
                "attributes": {
                    key: {"unit": one.unit, "default": one.default, "least": one.least, "most": one.most}
                    for key, one in link.attributes.items()
                },
            }
            for kind, link in TOXICS.items()
        }

    async def _populate(self, body: bytes, names: list[str]) -> Reply:
        made = await self._proxies.populate(wanted_proxies(read_json(body)))
        return CREATED, {"proxies": [proxy.shown() for proxy in made]}

    async def _reset(self, body: bytes, names: list[str]) -> Reply:
        await self._proxies.reset()
        return NO_CONTENT, None

    async def _all(self, body: bytes, names: list[str]) -> Reply:
        return OK, {proxy.name: proxy.shown() for proxy in self._proxies}

    async def _create(self, body: bytes, names: list[str]) -> Reply:
        return CREATED, (await self._proxies.create(wanted_proxy(read_object(body)))).shown()

    async def _show(self, body: bytes, names: list[str]) -> Reply:
        return OK, self._proxies[names[0]].shown()

    async def _change_proxy(self, body: bytes, names: list[str]) -> Reply:
        proxy = self._proxies[names[0]]
        wanted = changed_proxy(proxy, read_object(body))
        await proxy.move(wanted.listen, wanted.upstream, enabled=wanted.enabled)
        return OK, proxy.shown()

    async def _delete(self, body: bytes, names: list[str]) -> Reply:
        self._proxies.delete(names[0])
        return NO_CONTENT, None

    async def _toxics(self, body: bytes, names: list[str]) -> Reply:
        return OK, self._proxies[names[0]].shown_toxics()

    async def _add(self, body: bytes, names: list[str]) -> Reply:
        proxy = self._proxies[names[0]]
        setting = new_setting(read_object(body))
        if any(one.name == setting.name for one in proxy.settings):
            raise Problem(409, "toxic already exists")
        proxy.put(setting)
        return OK, setting.shown()

    async def _toxic(self, body: bytes, names: list[str]) -> Reply:
        return OK, self._proxies[names[0]].setting(names[1]).shown()

    async def _change_toxic(self, body: bytes, names: list[str]) -> Reply:
        proxy = self._proxies[names[0]]
        setting = changed_setting(proxy.setting(names[1]), read_object(body))
        proxy.put(setting)
        return OK, setting.shown()

    async def _remove(self, body: bytes, names: list[str]) -> Reply:
        self._proxies[names[0]].take_away(names[1])
        return NO_CONTENT, None
