"""Published ports: ``"127.0.0.1:8003:80"``, ranges, IPv6, and the long form.

Only TCP ports are kept, since nothing here speaks UDP. The address is the one to call from this
machine: a port that is published on every address is called on the loopback one.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from fuzzer.targets.base import Place
from models.compose_nodes import MapNode
from models.compose_spec import PORT_KEYS
from models.target import Port

_RANGE = re.compile(r"([0-9]{1,5})(?:-([0-9]{1,5}))?")
_FORM = '[ADDRESS:][HOST:]CONTAINER[/PROTOCOL], such as "127.0.0.1:8003:80"'
_LOOPBACK = "127.0.0.1"
_PROTOCOLS = ("tcp", "udp", "sctp")


def read_ports(service: Place) -> tuple[Port, ...]:
    """The TCP ports that a service publishes, each once."""
    place = service.get("ports")
    if place is None:
        return ()
    return tuple(dict.fromkeys(port for item in place.items() for port in _read(item)))


def parse_port(text: str) -> tuple[Port, ...]:
    """Read the short form.

    Raises:
        ValueError: with a phrase for what was expected.
    """
    ports, _, protocol = text.partition("/")
    outer, _, container = ports.rpartition(":")
    address, _, host = outer.rpartition(":")
    return Published(address, host, container, protocol).ports()


@dataclass(frozen=True, slots=True)
class Published:
    """The parts of a published port as text, empty where not given."""

    address: str
    host: str
    container: str
    protocol: str

    def ports(self) -> tuple[Port, ...]:
        """The TCP ports that this publishes.

        Raises:
            ValueError: a part is wrong, with a phrase for what was expected.
        """
        containers = _range(self.container, lowest=1)
        hosts = _range(self.host, lowest=0) if self.host else None
        address = _reachable(self.address)
        if self.protocol not in ("", *_PROTOCOLS):
            raise ValueError(f"one of the protocols {', '.join(_PROTOCOLS)}")
        if self.protocol not in ("", "tcp"):
            return ()
        if hosts is None or hosts == range(1) or (len(hosts) > 1 and len(containers) == 1):
            # The engine chooses: any free port, or one of the range.
            return tuple(Port(container, None, address) for container in containers)
        if len(hosts) != len(containers):
            raise ValueError("ranges of the same length on both sides")
        return tuple(Port(c, h, address) for c, h in zip(containers, hosts, strict=True))


def _range(text: str, lowest: int) -> range:
    match = _RANGE.fullmatch(text)
    if match is None:
        raise ValueError(_FORM)
    first = int(match[1])
    last = int(match[2] or first)
    if not lowest <= first <= last <= 65535:
        raise ValueError(f"ports from {lowest} to 65535, the lower one first")
    return range(first, last + 1)


def _reachable(address: str) -> str:
    if not address:
        return _LOOPBACK
    try:
        parsed = ipaddress.ip_address(address.removeprefix("[").removesuffix("]"))
    except ValueError:
        raise ValueError("an IP address before the ports") from None
    if parsed.is_unspecified:
        return _LOOPBACK if parsed.version == 4 else "::1"
    return str(parsed)


def _read(place: Place) -> tuple[Port, ...]:
    try:
        if isinstance(place.node, MapNode):
            place.check_keys(PORT_KEYS, "a port")
            return _long(place)
        text = place.printed(_FORM)
        return () if text is None else parse_port(text)
    except ValueError as error:
        place.complain(str(error))
        return ()


def _long(place: Place) -> tuple[Port, ...]:
    if place.get("target") is None:
        place.complain("the container's port under `target`", found="no `target`")
        return ()
    words = {}
    for key in ("host_ip", "published", "target", "protocol"):
        value = place.get(key)
        words[key] = "" if value is None else value.printed("text or a number")
    host, published, target, protocol = words.values()
    if host is None or published is None or target is None or protocol is None:
        return ()
    return Published(host, published, target, protocol).ports()
