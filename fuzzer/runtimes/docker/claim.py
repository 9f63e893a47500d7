"""One run at a time harms a project: the first one claims it, the second one is told who has it.

The claim is a container that is never started, kept in the engine as the journal is. Its name holds the
project's, and an engine gives a name only once, so of two that come at the same moment one gets it. That of
a run which died is taken over.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from docker import APIClient

from fuzzer.runtimes.docker.clients import Clients
from fuzzer.runtimes.docker.helper import remove
from fuzzer.runtimes.docker.owner import LABEL as OWNER
from fuzzer.runtimes.docker.owner import Owner
from fuzzer.runtimes.runs import this_command, told
from models.errors import Inconclusive, Interference, RequestError, StepInvalid

CLAIM = "knockon.claim"
COMMAND = "knockon.command"

LEASE_S = 24 * 3600.0
"""Of a run on another machine nobody here can tell whether it lives; none lasts for longer than this."""

TRIES = 5
"""Claims of dead runs that are taken away before giving up; there is never more than one."""


class Claim:
    """The right to harm a project, which one run has at a time.

    Args:
        clients: connects to the engine.
        project: the compose project.
        images: tells which are there; any of them serves, because nothing of it is ever run.
    """

    def __init__(self, clients: Clients, project: str, images: Callable[[], Sequence[str]]) -> None:
        self._clients = clients
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
        for image in self._images():
            # An image may be deleted by force while its containers run: then the next one has to do.
            with suppress(Interference), self._clients.lent("claim the project") as api:
                made: dict[str, Any] = api.create_container(
                    image,
                    entrypoint=["never-started"],
                    command=[],
                    name=self._name,
                    labels={
                        CLAIM: self._project,
                        COMMAND: this_command(),
                        OWNER: Owner.me().to_label(),
                    },
                    healthcheck={"test": ["NONE"]},
                    network_disabled=True,
                    host_config=api.create_host_config(network_mode="none"),
                )
                return str(made["Id"])
        raise RequestError("no image of the target is on the engine any more, so it cannot be claimed")

    def _take_over(self, api: APIClient, container: str, labels: dict[str, str]) -> None:
        owner = Owner.from_label(labels.get(OWNER, ""))
        if owner is None or owner.is_gone(LEASE_S):
            remove(api, container)
            return
        here = owner.is_here
        run = told(owner.pid, labels.get(COMMAND, ""), owner.written_ns / 1e9, "" if here else owner.host)
        way_out = f"or end it: kill {owner.pid}" if here else f"or if it is dead: docker rm {self._name}"
        raise RequestError(
            f"another run of knockon has the project {self._project}: {run}. Two at once would take each "
            f"other's faults for the fleet's. Wait until it is over, {way_out}"
        )


def sweep_claims(clients: Clients) -> None:
    """Remove claims of runs that are over."""
    with clients.lent("look for old claims") as api:
        listed: list[dict[str, Any]] = api.containers(all=True, filters={"label": [CLAIM]})
    for entry in listed:
        owner = Owner.from_label(entry["Labels"].get(OWNER, ""))
        if owner and owner.is_gone(LEASE_S):
            with suppress(Inconclusive), clients.lent("remove an old claim") as api:
                remove(api, entry["Id"])
