"""A further replica of a service, as compose would make it: what has to be told to the engine.

Everything comes from a replica that is there: image, command, environment, labels, health check, limits,
volumes, networks. Only what one container alone can have is left out or counted on: its number, its name,
its host name where nobody chose one. Pure: no engine.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fuzzer.runtimes.docker.containers import NUMBER
from models.errors import StepInvalid

_OWN_NAMESPACE = ("host", "container:", "none")
"""Networks of another kind, in which replicas would be in one another's way, or out of reach."""


@dataclass(frozen=True)
class Copy:
    """What makes a further replica.

    Attributes:
        config: for the engine's create call.
        networks: those to attach it to before it starts, each with the names that it has there.
    """

    name: str
    config: Mapping[str, Any]
    networks: Mapping[str, list[str]]


def copy_of(data: Mapping[str, Any], number: int, labels: Mapping[str, str]) -> Copy:
    """A replica with this number, from what the engine's inspect call says of another one.

    Args:
        data: what inspect says.
        number: its own.
        labels: to add to those of the other.

    Raises:
        StepInvalid: there cannot be a second one, or nobody could tell when it is ready; with the reason.
    """
    name = str(data["Name"]).lstrip("/")
    _refuse(data, name)
    config, host = dict(data["Config"]), dict(data["HostConfig"])
    config["Image"] = data["Image"]  # its tag may mean another one by now
    config["Labels"] = {**(config.get("Labels") or {}), NUMBER: str(number), **labels}
    config.pop("MacAddress", None)
    if data["Id"].startswith(config.get("Hostname") or "?"):
        config.pop("Hostname")  # the engine chose it
    networks = {each: _aliases(end, data) for each, end in _networks(data).items()}
    first = next((each for each in networks if each == host.get("NetworkMode")), next(iter(networks), ""))
    config["HostConfig"] = host
    if first and (aliases := networks.pop(first)):
        config["NetworkingConfig"] = {"EndpointsConfig": {first: {"Aliases": aliases}}}
    return Copy(_numbered(name, data, number), config, networks)


def _networks(data: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    return data["NetworkSettings"].get("Networks") or {}


def _aliases(endpoint: Mapping[str, Any], data: Mapping[str, Any]) -> list[str]:
    """The names that all replicas share; those of this very one are its name and the begin of its id."""
    own = {str(data["Name"]).lstrip("/"), data["Id"][:12]}
    return [alias for alias in endpoint.get("Aliases") or () if alias not in own]


def _numbered(name: str, data: Mapping[str, Any], number: int) -> str:
    """``shop_web_1`` becomes ``shop_web_3``; a name that somebody chose gets the number behind it."""
    own = (data["Config"].get("Labels") or {}).get(NUMBER, "")
    stem = re.sub(rf"(?<=[_-]){own}$", "", name) if own else name
    return f"{stem}{number}" if stem != name else f"{name}-{number}"


def _refuse(data: Mapping[str, Any], name: str) -> None:
    host = data["HostConfig"]
    for port, bindings in (host.get("PortBindings") or {}).items():
        for binding in bindings or ():
            if (binding.get("HostPort") or "0") not in ("0",) and binding["HostPort"].isdecimal():
                raise StepInvalid(
                    f"there can be no second {name}: its port {port} is published at {binding['HostPort']}, "
                    "which one container alone can have"
                )
    mode = str(host.get("NetworkMode") or "")
    if mode.startswith(_OWN_NAMESPACE):
        raise StepInvalid(f"there can be no second {name}: its network is {mode}")
    for network, endpoint in _networks(data).items():
        if (endpoint.get("IPAMConfig") or {}).get("IPv4Address"):
            raise StepInvalid(f"there can be no second {name}: its address in {network} is fixed")
    test = (data["Config"].get("Healthcheck") or {}).get("Test") or ["NONE"]
    if test[0] == "NONE":
        raise StepInvalid(
            f"nobody could tell when a second {name} is ready; expected a health check of its container"
        )
