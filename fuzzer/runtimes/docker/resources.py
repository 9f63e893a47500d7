"""Every fault of resources that an engine can do, how each is lifted, and what has to be remembered for it.

What an undo needs (limits that stood before, a folder, a file) is in the undo itself once the journal has
written it. Who heals after our death knows nothing else: neither the compose file nor this process.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace

from fuzzer.runtimes.base import Undo
from fuzzer.runtimes.docker.containers import Container
from fuzzer.runtimes.docker.filling import Filling
from fuzzer.runtimes.docker.scaling import Scaling
from fuzzer.runtimes.docker.skewing import Skewing
from fuzzer.runtimes.docker.straining import Straining


class Resources(Filling, Scaling, Skewing, Straining):
    """Meets the protocols of its bases."""

    def verbs(self) -> Mapping[str, Callable[[Undo], None]]:
        """What lifts each fault."""
        return {
            "unlimit_cpu": self.unlimit,
            "unlimit_memory": self.unlimit,
            "unlimit_pids": self.unlimit,
            "calm": self.calm,
            "spare": self.spare,
            "free_disk": self.free_disk,
            "unskew": self.unskew,
            "rescale": self.rescale,
        }

    def remember(self, undo: Undo) -> Undo:
        """The undo with all that is needed to do it in another process, for each container."""
        facts: Mapping[str, Callable[[Container], object]] = {
            "unlimit_cpu": lambda one: self.before(one).to_json(),
            "unlimit_memory": lambda one: self.before(one).to_json(),
            "unlimit_pids": lambda one: self.before(one).to_json(),
            "free_disk": self.disk_of,
            "unskew": self.clock_of,
        }
        fact = facts.get(undo.verb)
        if fact is None or undo.detail:
            return undo
        there = self._adopted([name for name in undo.targets if self._fleet.of(name)])
        return replace(undo, detail=json.dumps({one.id: fact(one) for one in there}))
