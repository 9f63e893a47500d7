"""A compose override that puts a proxy on each connection; ``knockon wire`` prints it.

One service more, with one listening port for each wire, and for each caller the variables in which it
finds its dependencies, now with the proxies' addresses. The same list of proxies is what they are
started with, and a label, by which a fleet with proxies is recognised later (``models/proxied.py``).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import fuzzer
from fuzzer.wiring import Address, rewrite
from models.errors import RequestError
from models.proxied import EDGES_LABEL, EVERYWHERE, WIRES_LABEL, Proxied, to_text
from models.target import Service, Target
from models.wire import Wire

SERVICE = "knockon-edges"
IMAGE = "python:3.11-slim"
"""Any with Python 3.11 will do; the proxies need nothing else."""

API_PORT = 8474
"""Toxiproxy's own."""

FIRST_PORT = 20_001

TTL_S = 120
"""When nobody has driven the proxies for so long, they heal. Whoever was killed in mid-fault, on a machine
that nobody looks at, so harms a fleet for two minutes at most. A run asks four times as often, because its
steps may be silent for longer than any limit that is still of use."""

MEMORY, PIDS = "512m", 128
"""A few thousand connections at once, and threads that look up names."""

HOME = "/knockon"
CONFIG = f"{HOME}-edges.json"

_PLAIN = re.compile(r"(?!(?:y|n|yes|no|on|off|true|false|null)$)[a-z_][\w.-]*", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True)
class Override:
    """What is to be written.

    Attributes:
        target: the fleet, as it is without proxies.
        usage: commands that use it, for the comment at its top.
        version: of the compose files that it is merged with, because Compose 1 wants them alike.
        image: what the proxies run in.
        config: for a Toxiproxy, which can only read a file: its list of proxies on the engine's machine.
    """

    target: Target
    usage: Sequence[str] = ()
    version: str | None = None
    image: str = IMAGE
    config: Path | None = None
    proxied: tuple[Proxied, ...] = field(init=False)

    def __post_init__(self) -> None:
        """Number the wires.

        Raises:
            RequestError: there are none, or the service's name is taken.
        """
        if SERVICE in self.target.services:
            raise RequestError(f"{self.target.name}: a service is called {SERVICE} already; rename it")
        wires = list(_within_reach(self.target))
        if not wires:
            raise RequestError(
                f"{self.target.name}: there is no connection to put a proxy on: no variable of a service "
                "that is opted in names the address of another (knockon graph shows what was read)"
            )
        proxied = tuple(Proxied(wire, FIRST_PORT + number) for number, wire in enumerate(wires))
        object.__setattr__(self, "proxied", proxied)

    def text(self) -> str:
        """The whole file."""
        lines = [
            f"# Proxies between the services of {self.target.name}, so that knockon can harm connections.",
            *(f"#   {line}" for line in self.usage),
            "# Write it again when services or their addresses change. It holds the values of the variables",
            "# below as they were when it was written, passwords included.",
            *([f"version: {json.dumps(self.version)}", ""] if self.version else []),
            "services:",
            *(f"  {line}" if line else "" for line in self._proxies()),
        ]
        for name in dict.fromkeys(one.wire.caller for one in self.proxied):
            lines += ["", *(f"  {line}" for line in self._caller(self.target.services[name]))]
        return "\n".join(lines) + "\n"

    def _proxies(self) -> Iterator[str]:
        yield f"{SERVICE}:"
        yield f"  image: {json.dumps(self.image)}"
        yield "  restart: unless-stopped"
        yield "  read_only: true   # and nothing else that it does not need"
        yield "  cap_drop: [ALL]"
        yield '  security_opt: ["no-new-privileges:true"]'
        yield f"  mem_limit: {MEMORY}"
        yield f"  pids_limit: {PIDS}"
        networks = self._networks()
        if networks != ("default",):
            yield f"  networks: [{', '.join(map(_word, networks))}]"
        yield "  labels:"
        yield f'    {EDGES_LABEL}: "1"'
        yield f"    {WIRES_LABEL}: &wires |-"
        yield from (f"      {line}" for line in to_text(self.proxied).splitlines())
        yield from (f"  {line}" for line in (_toxiproxy(self.config) if self.config else _ours()))
        yield "  ports:   # the API, and one for each proxy; by these knockon sees that a fault took effect"
        for port in (API_PORT, *(one.listen for one in self.proxied)):
            yield f'    - "127.0.0.1::{port}"'

    def _networks(self) -> tuple[str, ...]:
        ends = dict.fromkeys(name for one in self.proxied for name in one.wire.edge)
        return tuple(dict.fromkeys(net for name in ends for net in self.target.services[name].networks))

    def _caller(self, service: Service) -> Iterator[str]:
        yield f"{_word(service.name)}:"
        yield f"  depends_on: [{SERVICE}]"
        yield "  environment:"
        for name, value in self.environment(service).items():
            yield f"    {_word(name)}: {_text(value)}"

    def environment(self, service: Service) -> dict[str, str]:
        """Those variables of a caller that change."""
        ports = {
            (one.wire.dependency, one.wire.port): one.listen
            for one in self.proxied
            if one.wire.caller == service.name
        }

        def place(address: Address) -> str:
            port = ports.get((address.service, address.port or 0))
            return f"{SERVICE}:{port}" if port else address.as_written

        rewritten = {
            name: rewrite(value, self.target.services, place)
            for name, value in service.environment.items()
            if name not in service.direct
        }
        return {name: value for name, value in rewritten.items() if value != service.environment[name]}


def _within_reach(target: Target) -> Iterator[Wire]:
    """The wires that faults may touch, where both ends have a network that proxies can be attached to."""
    for wire in target.wires:
        ends = [target.services[name] for name in wire.edge]
        if wire.edge in target.edges and all(end.networks for end in ends):
            yield wire


def _ours() -> Iterator[str]:
    here = Path(fuzzer.__file__).parent
    mine = (here / "edges").stat()
    yield f'user: "{mine.st_uid}:{mine.st_gid}"   # who may read its source'
    yield f'environment: {{PYTHONPATH: {HOME}, PYTHONDONTWRITEBYTECODE: "1"}}'
    yield "entrypoint: [python3, -P, -m, fuzzer.edges]"
    yield f'command: [--api, "{EVERYWHERE}:{API_PORT}", --ttl, "{TTL_S}", --proxies, *wires]'
    yield "volumes:   # its source, which needs nothing but Python"
    for path in ("__init__.py", "edges"):
        yield _mount(here / path, f"{HOME}/fuzzer/{path}")


def _toxiproxy(config: Path) -> Iterator[str]:
    yield f'command: ["-host={EVERYWHERE}", "-port={API_PORT}", "-config={CONFIG}"]'
    yield "volumes:   # the same list as in the label"
    yield _mount(config, CONFIG)


def _mount(source: Path, target: str) -> str:
    return f"  - {{type: bind, source: {_text(str(source))}, target: {target}, read_only: true}}"


def _word(text: str) -> str:
    """A name, in quotes where a reader of YAML might take it for something else."""
    return text if _PLAIN.fullmatch(text) else _text(text)


def _text(text: str) -> str:
    """In quotes, and kept from compose's own variables."""
    return json.dumps(text.replace("$", "$$"), ensure_ascii=False)
