"""Host names in environment variables: who is called, when nobody declared it.

Found are the hosts of URLs (``postgres://me:secret@orders-db:5432/shop``, several with commas),
``host:port`` pairs, and bare names where the variable itself says that it holds a host (``DB_HOST``).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping

from models.topology import Dependency, Source, Strength

_AUTHORITY = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]{0,30}://([^\s/?#\"']+)")
_HOST = re.compile(r"([a-zA-Z0-9_](?:[a-zA-Z0-9._-]*[a-zA-Z0-9_])?)(:[0-9]{1,5})?")
_HOLDS_HOST = re.compile(
    r"(^|_)(HOST|HOSTNAME|ADDR|ADDRESS|SERVER|ENDPOINT|BROKER|NODE|PEER)S?$", re.IGNORECASE
)
_MAX = 10_000


def hosts_in(variable: str, value: str) -> Iterator[str]:
    """The hosts that a variable names, in lower case."""
    value = value[:_MAX]
    if "://" in value:
        for authority in _AUTHORITY.findall(value):
            for part in authority.rpartition("@")[2].split(","):
                yield from _host(part)
        return
    for part in value.split(","):
        yield from _host(part.strip(), needs_port=_HOLDS_HOST.search(variable) is None)


def _host(text: str, *, needs_port: bool = False) -> Iterator[str]:
    match = _HOST.fullmatch(text)
    if match and (match[2] or not needs_port):
        yield match[1].lower()


def inferred_edges(
    caller: str, environment: Mapping[str, str], names: Mapping[str, str], declared: Collection[str]
) -> Iterator[tuple[Dependency, str]]:
    """Edges that only the environment of ``caller`` shows, each with a remark that says so.

    ``names`` gives the service behind each host name; edges to ``declared`` services are known already.
    """
    called: dict[str, list[str]] = {}
    for variable, value in environment.items():
        for service in dict.fromkeys(names[host] for host in hosts_in(variable, value) if host in names):
            called.setdefault(service, []).append(variable)
    for service, variables in called.items():
        if service != caller and service not in declared:
            edge = Dependency(caller, service, Strength.HARD, Source.ENVIRONMENT)
            yield (
                edge,
                (
                    f"{caller} -> {service} is counted as hard, because only an environment URL shows it: "
                    f"{', '.join(variables)}; declare it under depends_on or x-knockon.soft"
                ),
            )
