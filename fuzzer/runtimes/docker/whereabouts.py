"""Whose engine it is: this machine's, or another's that can be reached from here.

==================  ======================================================================
unix://, npipe://   this machine's: whoever puts a socket here means it to be used as one
tcp:// to loopback  this machine's only if the engine says that it runs on it (its name and
                    its kernel); else it is the end of a tunnel, and leads elsewhere
everything else     another's: ssh:// always, even to this machine
==================  ======================================================================
"""

from __future__ import annotations

import os
import socket
from contextlib import closing
from ipaddress import ip_address
from urllib.parse import urlsplit

from fuzzer.runtimes.docker.clients import Clients, current_context, endpoint
from models.place import Place

LOCAL = ("unix", "npipe", "http+unix", "fd", "")


def whereabouts(project: str, *, ask: bool) -> Place:
    """What the engine, and the ways to it, are called.

    Args:
        project: the compose project.
        ask: whether an engine may be asked that is not this machine's by its address already.

    Raises:
        RuntimeUnavailable: no engine answers.
    """
    where = endpoint()
    host = urlsplit(where).hostname or ""
    remote = _by_address(where)
    names = [("the project", project), ("the engine's host", host), ("the context", current_context())]
    if ask or not remote:
        name, kernel = _told()
        names.append(("the engine", name))
        here = (socket.gethostname(), os.uname().release)
        if not remote and urlsplit(where).scheme not in LOCAL and (name, kernel) != here:
            remote = f"{where} leads to the engine of {name} (Linux {kernel}), and this is {' '.join(here)}"
    return Place(tuple((what, name) for what, name in names if name), remote)


def _by_address(where: str) -> str:
    """Why an address is not this machine's; "" if it may be."""
    parts = urlsplit(where)
    host = parts.hostname or ""
    if parts.scheme in LOCAL or (parts.scheme != "ssh" and _is_loopback(host)):
        return ""
    return f"the engine is at {where}"


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _told() -> tuple[str, str]:
    clients = Clients()
    with closing(clients), clients.lent("ask whose engine it is") as api:
        info = api.info()
    return str(info.get("Name", "")), str(info.get("KernelVersion", ""))
