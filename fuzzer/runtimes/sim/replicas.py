"""More and fewer replicas in a simulation: more and fewer workers, once those that are new have started.

Replicas of a simulated service live and die together, so nothing is modelled of how callers are spread over
them, or of what breaks with one of them.
"""

from __future__ import annotations

from collections.abc import Mapping

from fuzzer.runtimes.base import Undo
from fuzzer.runtimes.sim.kernel import Kernel, Process
from fuzzer.runtimes.sim.service import SimService


class Replicas:
    """How many there are of each service, and were.

    Args:
        kernel: whose time new ones take to start.
        services: all of them.
    """

    def __init__(self, kernel: Kernel, services: Mapping[str, SimService]) -> None:
        self._kernel = kernel
        self._services = services

    def scale(self, name: str, replicas: int) -> None:
        """So many from now on; new ones take work once they have started. One at least."""
        service = self._services[name]
        service.resize(replicas)
        self._kernel.spawn(self._started(service, replicas))

    def running(self, name: str) -> int:
        """How many run."""
        return len(self._services[name].instances)

    def serving(self, name: str) -> int:
        """How many of those take work."""
        return min(self._services[name].ready, self.running(name))

    def rescale(self, undo: Undo) -> None:
        """As many as its file asks for."""
        for name in undo.targets:
            self.scale(name, self._services[name].behaviour.replicas)

    def _started(self, service: SimService, replicas: int) -> Process:
        yield service.behaviour.start_s
        service.get_ready(replicas)
