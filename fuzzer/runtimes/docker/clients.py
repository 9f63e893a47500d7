"""Connections to the engine, and its errors in our words.

A client of the SDK is not made for several threads at once, and connecting costs more than most
calls (version negotiation included), so clients are lent out and come back. Only the low-level API
is used: ``containers.list`` of the high-level one inspects every container, 37 ms for 28 of them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Lock
from typing import TypeAlias
from urllib.parse import urlsplit

from docker import APIClient
from docker.context import Context, ContextAPI
from docker.errors import APIError, DockerException
from docker.utils import kwargs_from_env
from urllib3.exceptions import HTTPError

from models.errors import Interference, RuntimeUnavailable, StepInvalid

ClientFactory: TypeAlias = Callable[[], APIClient]

TIMEOUT_S = 30
"""For an answer. ``docker kill`` alone may wait 10 s for the process to go."""

TROUBLE = (DockerException, HTTPError, OSError, ValueError)
"""What the SDK lets through: its own errors, those of urllib3 and requests, and answers cut short."""


def endpoint() -> str:
    """Where the engine is, as the docker command would decide it: environment, then context."""
    host = os.environ.get("DOCKER_HOST")
    if not host:
        with suppress(*TROUBLE):  # a broken context shows when it is used, not when it is named
            context = _context()
            host = context.Host if context else None
    return host or "unix:///var/run/docker.sock"


def current_context() -> str:
    """The name of the docker command's context; "" where an environment variable leads elsewhere."""
    if os.environ.get("DOCKER_HOST"):
        return ""
    with suppress(*TROUBLE):
        context = _context()
        return str(context.Name) if context else ""
    return ""


def _context() -> Context | None:
    """The SDK by itself does not know the variable that names one."""
    context: Context | None = ContextAPI.get_context(os.environ.get("DOCKER_CONTEXT") or None)
    return context


def default_client() -> APIClient:
    """A client for the engine that the docker command would use.

    The SDK by itself ignores contexts, on which Docker Desktop, Colima and the like depend.
    """
    shell_out = endpoint().startswith("ssh://")
    if os.environ.get("DOCKER_HOST"):
        settings = kwargs_from_env()
    else:
        context = _context()
        if context is None:
            raise DockerException(f"there is no context {os.environ.get('DOCKER_CONTEXT')!r}")
        settings = {"base_url": endpoint()}
        if context and context.TLSConfig:
            settings["tls"] = context.TLSConfig
    return APIClient(version="auto", timeout=TIMEOUT_S, use_ssh_client=shell_out, **settings)


def reachable_host(where: str) -> str:
    """The host on which published ports are found: the engine's own when it is elsewhere."""
    parts = urlsplit(where)
    return parts.hostname or "127.0.0.1" if parts.scheme in ("tcp", "http", "https", "ssh") else "127.0.0.1"


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Errors of the engine in our words; ``doing`` starts the sentence (``kill shop_web_1``).

    Raises:
        Interference: 404: what we adopted is not there any more, so somebody removed it.
        StepInvalid: 409: not possible in the state that it is in.
        RuntimeUnavailable: everything else.
    """
    try:
        yield
    except APIError as error:
        said = f"{doing}: the engine says: {error.explanation or error}"
        if error.status_code == 404:
            raise Interference(said) from error
        if error.status_code == 409:
            raise StepInvalid(said) from error
        raise RuntimeUnavailable(said) from error
    except TROUBLE as error:
        raise RuntimeUnavailable(f"{doing}: the engine does not answer: {_said(error)}") from error


def _said(error: BaseException) -> str:
    """What went wrong at the bottom, without what each layer wrapped around it."""
    inner: BaseException | None = error
    while inner is not None:
        for one in (inner, *inner.args):
            if isinstance(one, OSError) and one.strerror:
                return one.strerror.lower()
        inner = inner.__context__
    return str(error)


def connect(factory: ClientFactory = default_client) -> APIClient:
    """A client; the caller closes it.

    Raises:
        RuntimeUnavailable: no engine answers.
    """
    try:
        return factory()
    except TROUBLE as error:
        where = endpoint() if factory is default_client else "its address"
        raise RuntimeUnavailable(
            f"no container engine answers at {where} ({_said(error)}); start it (`docker info` must "
            "answer), or point DOCKER_HOST or `docker context use` to the right one"
        ) from error


class Clients:
    """Lends clients, each to one thread at a time."""

    def __init__(self, factory: ClientFactory = default_client) -> None:
        self._factory = factory
        self._idle: list[APIClient] = []
        self._lock = Lock()

    @property
    def published_host(self) -> str:
        """The host on which published ports are found."""
        return reachable_host(endpoint()) if self._factory is default_client else "127.0.0.1"

    def connect(self) -> APIClient:
        """A client of its own, for a stream that lasts; the caller closes it."""
        return connect(self._factory)

    @contextmanager
    def lent(self, doing: str) -> Iterator[APIClient]:
        """A client for this thread, errors translated as ``translated`` does."""
        with self._lock:
            client = self._idle.pop() if self._idle else None
        client = client or self.connect()
        try:
            with translated(doing):
                yield client
        finally:
            with self._lock:
                self._idle.append(client)

    def close(self) -> None:
        """Close what is not lent out."""
        with self._lock:
            idle, self._idle = self._idle, []
        for client in idle:
            with suppress(*TROUBLE):
                client.close()
