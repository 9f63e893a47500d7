"""One run at a time harms a project: the first one claims it, the second one is told who has it.

The claim is a container that is never started, kept in the engine as the journal is. Its name holds the
project's, and an engine gives a name only once, so of two that come at the same moment one gets it. That of
a run which died is taken over.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress

from docker import APIClient

from fuzzer.runtimes.docker import marks
from fuzzer.runtimes.docker.clients import Clients
from fuzzer.runtimes.docker.helper import remove
from fuzzer.runtimes.docker.lease import Lease, Living
from fuzzer.runtimes.docker.owner import LABEL as OWNER
from fuzzer.runtimes.docker.owner import Owner
from fuzzer.runtimes.runs import this_command, told
from models.errors import Inconclusive, Interference, RequestError, StepInvalid

CLAIM = "knockon.claim"
COMMAND = "knockon.command"

TRIES = 5
"""Claims of dead runs that are taken away before giving up; there is never more than one."""


class Claim:
    """The right to harm a project, which one run has at a time.

    Args:
        clients: connects to the engine.
        project: the compose project.
        run: the id of this run.
        lease: tells other machines that this run lives.
        images: tells which are there; any of them serves, because nothing of it is ever run.
    """

    def __init__(
        self, clients: Clients, project: str, run: str, lease: Lease, images: Callable[[], Sequence[str]]
    ) -> None:
        self._clients = clients
        self._run = run
        self._lease = lease
        self._project = project
        self._name = f"knockon-run-{project}"
        self._images = images
        self._made = ""

    def take(self) -> None:
        """Claim the project, until ``release``.

        Raises:
            RequestError: another run has it; the message says which.
            RuntimeUnavailable: the engine does not answer.
        """
        for _ in range(TRIES):
            with suppress(StepInvalid):  # the name is given
                self._made = self._make()
                return
            with suppress(Interference), self._clients.lent("look at the other run") as api:
                data = api.inspect_container(self._name)
                labels: dict[str, str] = data["Config"].get("Labels") or {}
                self._take_over(api, data["Id"], labels)
        raise RequestError(f"{self._project} cannot be claimed: remove the container {self._name}")

    def release(self) -> None:
        """Let others have it."""
        made, self._made = self._made, ""
        if made:
            with suppress(Inconclusive), self._clients.lent("release the project") as api:
                remove(api, made)

    def _make(self) -> str:
        self._lease.take()
        labels = {CLAIM: self._run, COMMAND: this_command(), OWNER: Owner.me().to_label()}
        return marks.put(self._clients, "claim the project", self._name, labels, self._images())

    def _take_over(self, api: APIClient, container: str, labels: dict[str, str]) -> None:
        owner = Owner.from_label(labels.get(OWNER, ""))
        if Living(self._clients).is_over(owner, labels.get(CLAIM, "")) or owner is None:
            remove(api, container)
            return
        here = owner.here
        run = told(owner.pid, labels.get(COMMAND, ""), owner.written_ns / 1e9, "" if here else owner.host)
        way_out = f"or end it: kill {owner.pid}" if here else f"or if it is dead: docker rm {self._name}"
        raise RequestError(
            f"another run of knockon has the project {self._project}: {run}. Two at once would take each "
            f"other's faults for the fleet's. Wait until it is over, {way_out}"
        )
