"""What runs that are over left on the engine beside their journals, told by the labels of its containers."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from fuzzer.runtimes.docker.alone import HEALER
from fuzzer.runtimes.docker.claim import CLAIM
from fuzzer.runtimes.docker.clients import Clients
from fuzzer.runtimes.docker.containers import REPLICA
from fuzzer.runtimes.docker.helper import HELPER, remove
from fuzzer.runtimes.docker.lease import LEASE, Living
from fuzzer.runtimes.docker.owner import LABEL as OWNER
from fuzzer.runtimes.docker.owner import Owner
from models.errors import Inconclusive

OURS = (HELPER, LEASE, HEALER, CLAIM, REPLICA)
"""Labels, each with the id of the run that made the container."""


def sweep(clients: Clients) -> int:
    """Remove it; returns how many containers that were."""
    living, count = Living(clients), 0
    for label in OURS:
        with clients.lent("look for what dead runs left behind") as api:
            listed: list[dict[str, Any]] = api.containers(all=True, filters={"label": [label, OWNER]})
        for entry in listed:
            labels: dict[str, str] = entry["Labels"]
            owner = Owner.from_label(labels[OWNER])
            if owner and living.is_over(owner, labels[label]):
                with suppress(Inconclusive), clients.lent("remove what a dead run left behind") as api:
                    remove(api, entry["Id"])
                    count += 1
    return count
