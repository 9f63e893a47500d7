"""Undos that survive us, kept where the harm is done: in the engine itself.

An entry is a container that was created and is never started; its labels say what to undo. It is
there before the fault is, it survives our own SIGKILL as well as a reboot, and it works on a remote
engine, from whichever machine the next run starts. It costs about 10 ms.

A person sees the entries with ``docker ps -a --filter label=knockon.journal``. They carry no label
of compose, so no compose command takes them for a part of the project.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress
from secrets import token_hex
from typing import Any

from fuzzer.runtimes.base import Undo
from fuzzer.runtimes.docker import marks
from fuzzer.runtimes.docker.alone import alone
from fuzzer.runtimes.docker.clients import Clients
from fuzzer.runtimes.docker.helper import remove
from fuzzer.runtimes.docker.lease import Lease, Living
from fuzzer.runtimes.docker.owner import LABEL as OWNER
from fuzzer.runtimes.docker.owner import Owner
from models.errors import Interference, RequestError

JOURNAL = "knockon.journal"
PROJECT = "knockon.project"
UNDO = "knockon.undo"


class DockerJournal:
    """Meets ``fuzzer.runtimes.base.Journal``.

    Args:
        clients: connects to the engine.
        project: the compose project.
        run: the id of this run.
        lease: tells other machines that this run lives.
        images: tells which are there; any of them serves, because nothing of it is ever run.
        remember: adds to an undo what only the runtime knows, such as the limits that stand now.
        heir_of: the pid of the one dead run whose entries are pending; None for those of all.
    """

    def __init__(
        self,
        clients: Clients,
        project: str,
        run: str,
        lease: Lease,
        images: Callable[[], Sequence[str]],
        remember: Callable[[Undo], Undo] = lambda undo: undo,
        heir_of: int | None = None,
    ) -> None:
        self._clients = clients
        self._project = project
        self._run = run
        self._lease = lease
        self._images = images
        self._remember = remember
        self._heir_of = heir_of
        self._mine: set[str] = set()

    def write(self, undos: Sequence[Undo]) -> str:
        """Make these undos durable; returns the entry's name.

        Raises:
            RequestError: no image of the target is left to make an entry of.
            RuntimeUnavailable: the engine does not answer.
        """
        entry = f"knockon-journal-{self._run}-{token_hex(4)}"
        labels = {
            JOURNAL: self._run,
            PROJECT: self._project,
            UNDO: json.dumps([self._remember(undo).to_json() for undo in undos]),
            OWNER: Owner.me().to_label(),
        }
        self._lease.take()
        marks.put(self._clients, "write the journal", entry, labels, self._images())
        self._mine.add(entry)
        return entry

    def remove(self, entry: str) -> None:
        """Forget an entry; one that is gone is forgotten already."""
        with suppress(Interference), self._clients.lent("remove from the journal") as api:
            remove(api, entry)
        self._mine.discard(entry)

    @property
    def unsettled(self) -> bool:
        """Whether entries of this very run are left."""
        return bool(self._mine)

    def alone(self) -> AbstractContextManager[None]:
        """While this lasts, nobody else heals this project."""
        return alone(self._clients, self._project, self._run, self._images())

    def pending(self) -> dict[str, tuple[Undo, ...]]:
        """What runs that are over left behind in this project, oldest first.

        Raises:
            RequestError: an entry cannot be read, so it has to be looked at by a person.
            RuntimeUnavailable: the engine does not answer.
        """
        with self._clients.lent("read the journal") as api:
            filters = {"label": [JOURNAL, f"{PROJECT}={self._project}"]}
            listed: list[dict[str, Any]] = api.containers(all=True, filters=filters)
        left, living = [], Living(self._clients)
        for data in listed:
            labels: dict[str, str] = data["Labels"]
            name = data["Names"][0].lstrip("/")
            owner = Owner.from_label(labels.get(OWNER, ""))
            if self._heir_of is not None:
                over = owner is not None and owner.is_process(self._heir_of)
            else:
                over = living.is_over(owner, labels[JOURNAL])
            if over:
                left.append((owner.written_ns if owner else 0, name, _undos(name, labels.get(UNDO, ""))))
        return {name: undos for _, name, undos in sorted(left)}


def _undos(entry: str, text: str) -> tuple[Undo, ...]:
    try:
        return tuple(map(Undo.from_json, json.loads(text)))
    except (ValueError, TypeError, KeyError) as error:
        raise RequestError(
            f"the journal's entry {entry} was written by another version: found {text!r}; expected a "
            f"list of verbs and targets. Undo by hand what it says, then: docker rm {entry}"
        ) from error
