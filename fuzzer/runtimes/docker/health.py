"""Health as the engine tells it: the outcome of a container's own health check.

Coarser than asking over HTTP: a check runs every few seconds, and says ``starting`` until its first
success after each start. That counts as unhealthy, because nobody has yet seen it work.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from fuzzer.runtimes.base import ProcessState
from fuzzer.runtimes.docker.clients import Clients
from fuzzer.runtimes.docker.containers import Container, look
from models.errors import Inconclusive


class EngineHealth:
    """Healthy when every container of a service is. Meets ``fuzzer.probes.base.Probe``.

    Args:
        clients: connects to the engine.
        containers: those of the service, now.
    """

    def __init__(self, clients: Clients, containers: Callable[[], Iterable[Container]]) -> None:
        self._clients = clients
        self._containers = containers

    def check(self, timeout_s: float) -> tuple[bool, str]:
        """Ask the engine; its own timeout applies, which is an hour compared to its usual 1 ms."""
        for container in self._containers():
            try:
                with self._clients.lent(f"look at {container.name}") as api:
                    seen = look(api, container.id)
            except Inconclusive as error:
                return False, str(error)
            if seen.state is not ProcessState.RUNNING:
                # Its last verdict stays while it is frozen or dead, and says nothing.
                return False, f"{container.name} is {seen.state}"
            if seen.health != "healthy":
                return False, f"{container.name} is {seen.health or 'without a health check'}"
        return True, "healthy"

    def close(self) -> None:
        """Nothing is kept."""
