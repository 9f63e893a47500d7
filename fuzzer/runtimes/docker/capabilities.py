"""What an engine offers, for ``doctor``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from secrets import token_hex
from typing import Any

from fuzzer.runtimes.docker.clients import ClientFactory, Clients, default_client, endpoint
from fuzzer.runtimes.docker.containers import PROJECT, is_of_fleet
from fuzzer.runtimes.docker.helper import Helper
from fuzzer.runtimes.docker.neighbours import Neighbours, images_to_try
from models.bearing import Bearing
from models.errors import Inconclusive, RequestError
from models.proxied import EDGES_LABEL


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What was found.

    Attributes:
        endpoint: where the engine is.
        engine, api: versions.
        projects: compose projects, each with its number of running containers.
        wired: those projects that have proxies between their services.
        crash: whether a process can be killed from outside its container; ``""`` or why not.
        links: what can be done to connections without proxies.
    """

    endpoint: str
    engine: str
    api: str
    projects: Mapping[str, int]
    wired: frozenset[str]
    crash: str
    links: Bearing


def capabilities(client_factory: ClientFactory = default_client, project: str | None = None) -> Capabilities:
    """Ask the engine, and try the helpers with the images of ``project`` (None: of any).

    Nothing is harmed: the one sends signal 0 to itself, the other has a network of its own.

    Raises:
        RuntimeUnavailable: no engine answers.
    """
    clients = Clients(client_factory)
    try:
        with clients.lent("ask for its version") as api:
            version: dict[str, Any] = api.version()
            listed: list[dict[str, Any]] = api.containers(filters={"label": [PROJECT]})
        running = [entry for entry in listed if is_of_fleet(entry["Labels"])]
        images = [entry["ImageID"] for entry in running if project in (None, entry["Labels"][PROJECT])]
        return Capabilities(
            endpoint(),
            version["Version"],
            version["ApiVersion"],
            Counter(entry["Labels"][PROJECT] for entry in running),
            frozenset(entry["Labels"][PROJECT] for entry in listed if EDGES_LABEL in entry["Labels"]),
            _try_helper(clients, tuple(dict.fromkeys(images))),
            _try_links(clients, tuple(dict.fromkeys(images))),
        )
    finally:
        clients.close()


def _try_links(clients: Clients, images: tuple[str, ...]) -> Bearing:
    return Neighbours(clients, token_hex(4), lambda: images_to_try(images), lambda lost: None).bearing


def _try_helper(clients: Clients, images: tuple[str, ...]) -> str:
    if not images:
        return "no compose project runs, so there is no image to try it with"
    helper = Helper(clients, token_hex(4), lambda: images)
    try:
        helper.prepare()
    except (Inconclusive, RequestError) as error:
        return str(error)
    finally:
        helper.close()
    return ""
