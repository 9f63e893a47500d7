"""Which runs live: those of this machine by their process, those of another by a lease that they renew.

A lease is a container that is never started. Its name tells when it was renewed last, by the engine's clock,
which is the same for everybody; a label cannot be changed, but a name can, at once and as a whole. A run that
misses five renewals in a row is taken for dead. If it was not (its machine slept, or its way to the engine
was cut), then whoever heals shows in its event stream as somebody else's doing, and its verdict is UNKNOWN.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cached_property
from threading import Event, Lock, Thread

from fuzzer.runtimes.docker import marks
from fuzzer.runtimes.docker.clients import Clients
from fuzzer.runtimes.docker.clock import epoch_s
from fuzzer.runtimes.docker.helper import remove
from fuzzer.runtimes.docker.owner import LABEL as OWNER
from fuzzer.runtimes.docker.owner import Owner
from models.errors import Inconclusive, Interference, RequestError

LEASE = "knockon.lease"

BEAT_S = 20.0
LEASE_S = 120.0
"""After this without a renewal it is over."""


class Lease:
    """The lease of this run. It costs nothing until it is taken.

    Args:
        clients: connects to the engine.
        run: the id of this run.
        images: tells which are there.
        engine_now_s: the engine's wall clock.
    """

    def __init__(
        self,
        clients: Clients,
        run: str,
        images: Callable[[], Sequence[str]],
        engine_now_s: Callable[[], float],
    ) -> None:
        self._clients = clients
        self._run = run
        self._images = images
        self._engine_now_s = engine_now_s
        self._container = ""
        self._lock = Lock()
        self._over = Event()
        self._thread: Thread | None = None

    def take(self) -> None:
        """Take it, before anything else is labelled; once is enough.

        Raises:
            RequestError: no image of the target is left.
            RuntimeUnavailable: the engine does not answer.
        """
        with self._lock:
            if not self._thread:
                self._container = self._put()
                self._thread = Thread(target=self._renew, name="knockon-docker-lease", daemon=True)
                self._thread.start()

    def close(self) -> None:
        """Give it back."""
        with self._lock:
            self._over.set()
            if self._thread:
                self._thread.join()
            with suppress(Inconclusive), self._clients.lent("give the lease back") as api:
                if self._container:
                    remove(api, self._container)
            self._container = ""

    def _renew(self) -> None:
        while not self._over.wait(BEAT_S):
            with suppress(Inconclusive, RequestError):  # a few may be missed
                try:
                    with self._clients.lent("renew the lease") as api:
                        api.rename(self._container, self._name())
                except Interference:  # somebody took us for dead
                    self._container = self._put()

    def _put(self) -> str:
        labels = {LEASE: self._run, OWNER: Owner.me().to_label()}
        return marks.put(self._clients, "take a lease", self._name(), labels, self._images())

    def _name(self) -> str:
        return f"knockon-lease-{self._run}-{self._engine_now_s():.3f}"


class Living:
    """Tells which runs are over, as it is now; the engine is asked only about runs of other machines."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def is_over(self, owner: Owner | None, run: str) -> bool:
        """Whether a run is over, as far as that can be known from here.

        Args:
            owner: what it wrote on a label; None where that cannot be read.
            run: its id.
        """
        if owner is None or owner.here:
            return owner is None or owner.gone
        renewed_s, now_s = self._leases
        return now_s - renewed_s.get(run, owner.written_ns / 1e9) > LEASE_S

    @cached_property
    def _leases(self) -> tuple[dict[str, float], float]:
        with self._clients.lent("look for leases") as api:
            listed = api.containers(all=True, filters={"label": [LEASE]})
            now_s = epoch_s(str(api.info()["SystemTime"]))
        names = {str(one["Labels"][LEASE]): str(one["Names"][0]) for one in listed}
        return {run: _moment_s(name) for run, name in names.items()}, now_s


def _moment_s(name: str) -> float:
    with suppress(ValueError):
        return float(name.rpartition("-")[2])
    return 0.0
