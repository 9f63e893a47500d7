"""The project's proxies: the container that ``knockon wire`` added, found by its label, and driven.

It is nobody's service: its life is no part of the history, and nothing here harms it. But what is seen
over a connection means nothing without it, so when it goes away in the middle of a run, somebody else
changed the fleet. When it comes back, the engine has published it at other ports, so it is looked for
again; its toxics are gone then, with the process that had them.

A label alone proves nothing: callers may have been started anew without the override, and their
connections are direct. So a wire counts only while every container of its caller is told the proxy's
address in some variable.
"""

from __future__ import annotations

import re
import shlex
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path
from threading import Event as Flag
from threading import Thread
from typing import Any

from fuzzer.edges.client import EdgeProxyClient
from fuzzer.runtimes.docker.clients import Clients
from fuzzer.runtimes.docker.containers import PROJECT, SERVICE, inspected, is_one_off
from fuzzer.runtimes.docker.lives import Event
from fuzzer.runtimes.links import Links
from models.errors import Inconclusive, RequestError, RuntimeUnavailable
from models.proxied import EDGES_LABEL, WIRES_LABEL, Proxied, from_text
from models.target import Target

API_PORT = 8474
"""Where the proxies listen for orders, within their container."""

READY_S = 10.0
"""How long proxies may take until they answer, after their container started."""

ASK_EVERY_S = 30.0
"""Proxies heal when nobody asks them anything for two minutes (``fuzzer/override.py``); a step may be
silent for longer than that."""

GONE = {
    "die": "ended",
    "pause": "were paused",
    "destroy": "were removed",
}
"""Events after which nothing passes any more."""

ENDED = ("die", "destroy")
BACK = ("start", "unpause")


class Edges:
    """Finds the proxies of a project, keeps them alive, and notices when they go.

    Args:
        clients: connects to the engine.
        project: the compose project.
        target: its services tell what a dependency can be asked for, its edges which faults may touch.
        engine_now_s: the engine's wall clock.
        linked: takes what drives the proxies, each time that they are found; not while they do not run.
        lost: takes a sentence when they went away.

    Attributes:
        gone: whether they do not run, and so every toxic that they had is gone.
        silent: whether they are there and do not run, so that whoever was led to them calls nobody.
    """

    def __init__(
        self,
        clients: Clients,
        project: str,
        target: Target,
        engine_now_s: Callable[[], float],
        linked: Callable[[Links | None], None],
        lost: Callable[[str], None],
    ) -> None:
        self._clients = clients
        self._project = project
        self._target = target
        self._engine_now_s = engine_now_s
        self._linked = linked
        self._lost = lost
        self.gone = True
        self.silent = False
        self._url = ""
        self._name = ""
        self._started_s = self._known_s = 0.0
        self._wake, self._closing = Flag(), Flag()
        self._thread: Thread | None = None

    def find(self) -> None:
        """Look for them, and tell ``linked`` what drives them: None if no caller is led to them.

        Raises:
            RuntimeUnavailable: the engine does not answer, or they do not.
            RequestError: their label cannot be read.
        """
        self._known_s = self._engine_now_s()
        with self._clients.lent("look for the proxies") as api:
            filters = {"label": [f"{PROJECT}={self._project}", EDGES_LABEL]}
            there: list[dict[str, Any]] = api.containers(all=True, filters=filters)
            listed = [one for one in there if one["State"] == "running"]
            self.silent = bool(there) and not listed
            if not listed:
                self.gone, self._started_s = True, 0.0
                return
            labels: dict[str, str] = listed[0]["Labels"]
            container, seen = inspected(api, listed[0]["Id"])
        ports = {inner: (self._host(address), outer) for inner, outer, address in seen.ports}
        proxied = _proxied(container.name, labels)
        wires = {one.wire: ports[one.listen] for one in self._told(container.service, proxied, ports)}
        if API_PORT not in ports:
            raise RequestError(
                f"{container.name} does not publish its port {API_PORT}: knockon wire does that"
            )
        host, port = ports[API_PORT]
        self._name, self._started_s = container.service, seen.started_s
        self._url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
        self._linked(
            Links(self._ready(), wires, self._target.services, self._target.edges) if wires else None
        )
        self.gone = False

    def watch(self) -> None:
        """Keep them from healing by themselves, until ``close``."""
        self._thread = Thread(target=self._run, name="knockon-docker-edges", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Let them be."""
        self._closing.set()
        self._wake.set()
        if self._thread:
            self._thread.join()

    def heard(self, event: Event) -> None:
        """One event of the project; those of the fleet are not minded, nor those from before we looked."""
        if not self._name or event.service != self._name or event.one_off or event.engine_s < self._known_s:
            return
        if event.action in ENDED:
            self.gone = True
        if event.action in GONE:
            self._lost(f"the proxies between the services ({event.name}) {GONE[event.action]}")
        if event.action in BACK:
            self._wake.set()

    def missed(self) -> None:
        """Events were missed: look at what there is now."""
        if self._name:
            self._wake.set()

    def _run(self) -> None:
        while not self._closing.is_set():
            woken = self._wake.wait(ASK_EVERY_S)
            self._wake.clear()
            if not self._closing.is_set():
                # What fails here fails again where it matters, and is told there.
                with suppress(Inconclusive, RequestError):
                    self._again() if woken else self._ask()

    def _again(self) -> None:
        before_s = self._started_s
        try:
            self.find()
        finally:
            if self._started_s != before_s:
                self._lost(f"the proxies between the services ({self._name}) were started anew, or ended")

    def _ask(self) -> None:
        with closing(EdgeProxyClient(self._url)) as client:
            client.version()

    def _told(
        self, service: str, proxied: tuple[Proxied, ...], ports: Mapping[int, tuple[str, int]]
    ) -> list[Proxied]:
        """Those that every container of their caller is told of."""
        environments: dict[str, list[str]] = {}
        with self._clients.lent("look at the callers") as api:
            for entry in api.containers(all=True, filters={"label": [f"{PROJECT}={self._project}"]}):
                if not is_one_off(entry["Labels"]):
                    known = api.inspect_container(entry["Id"])["Config"].get("Env") or []
                    name = entry["Labels"].get(SERVICE, "")
                    environments.setdefault(name, []).append("\n".join(known) + "\n")
        return [
            one
            for one in proxied
            if one.listen in ports
            and one.wire.caller in environments
            and all(_names(text, service, one.listen) for text in environments[one.wire.caller])
        ]

    def _ready(self) -> EdgeProxyClient:
        client = EdgeProxyClient(self._url)
        deadline_s = time.monotonic() + READY_S
        while True:
            try:
                client.version()
                return client
            except RuntimeUnavailable:
                if time.monotonic() > deadline_s or self._closing.wait(0.1):
                    raise

    def _host(self, address: str) -> str:
        everywhere = ("", "0.0.0.0", "::")  # noqa: S104
        return self._clients.published_host if address in everywhere else address


def _proxied(name: str, labels: Mapping[str, str]) -> tuple[Proxied, ...]:
    try:
        return from_text(labels.get(WIRES_LABEL, "[]"))
    except ValueError as error:
        raise RequestError(
            f"{name}: its label {WIRES_LABEL} is not what knockon wire writes ({error}); write it again"
        ) from error


def _names(environment: str, service: str, port: int) -> bool:
    """Whether some variable holds this address."""
    return bool(re.search(rf"(?<![\w.-]){re.escape(service)}:{port}(?!\d)", environment))


def how_to_wire(project: str, files: Sequence[Path]) -> str:
    """The commands that put proxies between the services of a project."""
    same = [word for path in files for word in ("--target", str(path))] or ["--project", project]
    compose = ["docker-compose", "-p", project, *(word for path in files for word in ("-f", str(path)))]
    wire = shlex.join(["knockon", "wire", *same])
    return f"{wire} > edges.yaml; {shlex.join(compose)}{'' if files else ' -f …'} -f edges.yaml up -d"
