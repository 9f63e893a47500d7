"""What is looked at before anything is started, so that a mistake costs a sentence and not a timeout."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Mapping
from errno import EADDRINUSE
from pathlib import Path

from fuzzer.runtimes.local.fleets import holder
from fuzzer.runtimes.runs import told
from models.errors import RequestError
from models.target import LocalCommand, Target


def check_machine() -> None:
    """See that the kernel has what following processes needs.

    Raises:
        RequestError: it has not.
    """
    try:
        os.close(os.pidfd_open(os.getpid()))
        found = Path("/proc/self/stat").exists()
    except (AttributeError, OSError):
        found = False
    if not found:
        raise RequestError(
            "the local runtime needs Linux 5.3 or newer with /proc, and to be allowed pidfd_open; "
            "use the docker runtime"
        )


def local_commands(target: Target) -> dict[str, LocalCommand]:
    """Every service's command.

    Raises:
        RequestError: some have none; all of them are listed.
    """
    commands = {name: target.services[name].local for name in target.topology.services}
    missing = [name for name, command in commands.items() if command is None or not command.command]
    if missing:
        raise RequestError(
            f"the local runtime does not know how to run: {', '.join(missing)}. Write in the compose file, "
            f"for each of them: services.{missing[0]}.x-knockon.local.command: [python3, -m, my_service], "
            "with local.environment for what differs from the container (its port, for example); "
            "or use the docker runtime"
        )
    return {name: command for name, command in commands.items() if command is not None}


def check_programs(target: Target, environments: Mapping[str, Mapping[str, str]]) -> None:
    """See that every command names a program that can be run.

    Raises:
        RequestError: some do not; all of them are listed.
    """
    problems = []
    for name, command in local_commands(target).items():
        program = command.command[0]
        if "/" in program:  # relative to the folder of the compose file, as the process will be
            path = target.directory / program
            found = path.is_file() and os.access(path, os.X_OK)
        else:
            found = shutil.which(program, path=environments[name].get("PATH")) is not None
        if not found:
            problems.append(f"services.{name}.x-knockon.local.command: found {program!r}")
    if problems:
        raise RequestError("\n".join([*problems, "expected a program that exists and may be executed"]))


def check_ports(target: Target) -> None:
    """See that every published port is free, and no other run's, whose service may just be down.

    Raises:
        RequestError: some are not; each with its service, or whose they are, and what to do.
    """
    if other := holder(published_ports(target)):
        run = told(other.owner.pid, other.command, other.since_s)
        raise RequestError(
            f"another run of knockon has ports of this target, for its fleet of {other.target}: {run}. Wait "
            f"until it is over, or end it: kill {other.owner.pid}"
        )
    problems = []
    for name in target.topology.services:
        for port in target.services[name].ports:
            if port.host is not None and _taken(port.address, port.host):
                problems.append(f"port {port.host} of {name} is taken by another process")
    if problems:
        raise RequestError(
            "; ".join(problems) + ". Stop what listens there (a copy of this stack in containers? another "
            "run of knockon?), or publish other ports in the compose file"
        )


def published_ports(target: Target) -> tuple[int, ...]:
    """The ports of the host at which its services are found."""
    ports = (port for name in target.topology.services for port in target.services[name].ports)
    return tuple(port.host for port in ports if port.host is not None)


def _taken(address: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as trial:
        # As servers do: connections that are merely fading away do not count.
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((address, port))
        except OSError as error:
            return error.errno == EADDRINUSE
    return False
