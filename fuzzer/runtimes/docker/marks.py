"""Containers of ours that are never started: labels that last as long as the engine does.

Making one is atomic, because a name is given only once; it takes about 10 ms, it survives our death and a
reboot, and it works on a remote engine. They carry no label of compose, so no compose command takes them
for a part of a project. A person sees them with ``docker ps -a``, by their names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress

from fuzzer.runtimes.docker.clients import Clients
from fuzzer.runtimes.docker.helper import confined
from models.errors import Interference, RequestError


def put(clients: Clients, doing: str, name: str, labels: Mapping[str, str], images: Sequence[str]) -> str:
    """Make one; returns its id.

    Args:
        doing: starts the sentence of an error.
        images: any of them serves, because nothing of it is ever run.

    Raises:
        StepInvalid: the name is given already.
        RequestError: none of these images is there any more.
        RuntimeUnavailable: the engine does not answer.
    """
    for image in images:
        # An image may be deleted by force while its containers run: then the next one has to do.
        with suppress(Interference), clients.lent(doing) as api:
            made = api.create_container(
                image,
                entrypoint=["never-started"],
                command=[],
                name=name,
                labels=dict(labels),
                healthcheck={"test": ["NONE"]},
                network_disabled=True,
                host_config=confined(api),
            )
            return str(made["Id"])
    raise RequestError(f"{doing}: no image of the target is on the engine any more")
