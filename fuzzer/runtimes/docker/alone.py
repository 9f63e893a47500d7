"""One healer at a time in a project: a watchdog, `knockon heal` and the next run may come at the same moment.

Who is second waits, and then finds nothing left. It must not find something half done: an undo of the first
that comes late would lift a fault that the second, healed and busy again, has just done.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from fuzzer.runtimes.docker import marks
from fuzzer.runtimes.docker.clients import Clients
from fuzzer.runtimes.docker.helper import remove
from fuzzer.runtimes.docker.lease import Living
from fuzzer.runtimes.docker.owner import LABEL as OWNER
from fuzzer.runtimes.docker.owner import Owner
from models.errors import Inconclusive, Interference, RuntimeUnavailable, StepInvalid

HEALER = "knockon.healer"

PATIENCE_S = 90.0
LOOK_S = 0.1


@contextmanager
def alone(clients: Clients, project: str, run: str, images: Sequence[str]) -> Iterator[None]:
    """While this lasts, nobody else heals this project. Where no container is left, nobody could.

    Raises:
        RuntimeUnavailable: somebody else does, and does not come to an end; or no engine answers.
    """
    if not images:
        yield
        return
    mine = _taken(clients, project, run, images)
    try:
        yield
    finally:
        with suppress(Inconclusive), clients.lent("end healing") as api:
            remove(api, mine)


def _taken(clients: Clients, project: str, run: str, images: Sequence[str]) -> str:
    name = f"knockon-healer-{project}"
    deadline_s = time.monotonic() + PATIENCE_S
    while True:
        labels = {HEALER: run, OWNER: Owner.me().to_label()}
        try:
            return marks.put(clients, "begin to heal", name, labels, images)
        except StepInvalid:
            _remove_dead(clients, name)
        if time.monotonic() > deadline_s:
            raise RuntimeUnavailable(
                f"somebody else has been healing {project} for {PATIENCE_S:.0f} s; if nobody is: "
                f"docker rm {name}"
            )
        time.sleep(LOOK_S)


def _remove_dead(clients: Clients, name: str) -> None:
    """Remove the mark of a healer that died; by its id, for its name may be somebody else's by then."""
    with suppress(Interference, StepInvalid), clients.lent("look who heals") as api:
        found = api.inspect_container(name)
        labels: dict[str, str] = found["Config"]["Labels"]
        if Living(clients).is_over(Owner.from_label(labels.get(OWNER, "")), labels.get(HEALER, "")):
            remove(api, found["Id"])
