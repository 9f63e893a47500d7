"""More and fewer replicas of a service, by the engine's API alone, and the exact return.

Up: replicas that we took away start again; then further ones are made, each like the first of those that
are there. Down: those with the highest numbers stop in good order, and are kept. So the undo has little to
do: what we made goes, what we took away is started, and the same containers are there as before. Which
are ours tells a label, so whoever heals after our death needs to know nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from fuzzer.runtimes.base import ProcessState, Undo
from fuzzer.runtimes.docker.containers import PROJECT, REPLICA, SERVICE, Container, inspected, is_of_fleet
from fuzzer.runtimes.docker.copying import copy_of
from fuzzer.runtimes.docker.helper import remove
from fuzzer.runtimes.docker.limiting import Limiting
from fuzzer.runtimes.docker.owner import LABEL as OWNER
from fuzzer.runtimes.docker.owner import Owner
from models.errors import Interference, StepInvalid
from models.target import ProbeKind, Target


class Scaling(Limiting):
    """Meets ``CanScale``."""

    target: Target
    _project: str

    def scale(self, service: str, replicas: int) -> None:
        """Run so many; none at all is a stop of all."""
        have = self._adopted([service])
        if not replicas:
            self.stop([service])
        elif replicas < len(have):
            self._take_away(self._expendable(service, have[replicas:]))
        else:
            self._add(service, replicas - len(have))

    def running(self, service: str) -> int:
        """As the engine lists them, not as we remember them."""
        wanted = {"label": [f"{PROJECT}={self._project}", f"{SERVICE}={service}"], "status": ["running"]}
        with self._clients.lent(f"count the replicas of {service}") as api:
            return sum(is_of_fleet(entry["Labels"]) for entry in api.containers(filters=wanted))

    def serving(self, service: str) -> int:
        """Those that run, and whose health check passes where they have one."""
        looks = [self._look(one) for one in self._adopted([service])]
        return sum(seen.state is ProcessState.RUNNING and seen.health in ("", "healthy") for seen in looks)

    def rescale(self, undo: Undo) -> None:
        """The same containers as before, as far as they are still there. Idempotent."""
        for service in undo.targets:
            every = self._fleet.every(service)
            self._bring_back([one for one in every if not one.ours])
            made = [one for one in every if one.ours]
            self._take_away(made)
            for one in made:
                self._fleet.forget(one)
                self._remove(one)

    # Up.

    def _add(self, service: str, count: int) -> None:
        there = {one.id for one in self._adopted([service])}
        idle = [one for one in self._fleet.every(service) if one.id not in there][:count]
        self._bring_back(idle)
        self._bring_back([self._make(service) for _ in range(count - len(idle))])

    def _bring_back(self, every: Sequence[Container]) -> None:
        down = [one for one in every if self._look(one).state is ProcessState.DOWN]
        began_s = self._do("start", down, lambda api, one: api.start(one.id))
        self._await("start", down, began_s)
        self._fleet.take_back(every)

    def _make(self, service: str) -> Container:
        """One container more, not started yet."""
        every = self._fleet.every(service)
        number = max(one.number for one in every) + 1
        labels = {REPLICA: self._helper.run, OWNER: Owner.me().to_label()}
        with self._clients.lent(f"make {service}#{number}") as api:
            model = api.inspect_container(self._adopted([service])[0].id)
            copy = copy_of(model, number, labels)
            made = str(api.create_container_from_config(dict(copy.config), copy.name)["Id"])  # type: ignore[no-untyped-call]
            try:
                for network, aliases in copy.networks.items():
                    api.connect_container_to_network(made, network, aliases=aliases)
                pair = inspected(api, made)
            except BaseException:
                remove(api, made)
                raise
        self._fleet.join(*pair)
        return pair[0]

    # Down.

    def _expendable(self, service: str, going: Sequence[Container]) -> Sequence[Container]:
        """These, unless the service is asked for its health through one of them."""
        probe = self.target.services[service].health
        port = urlsplit(probe.url or "").port if probe.kind is ProbeKind.HTTP else None
        for one in going:
            if port in [outer for _, outer, _ in self._look(one).ports]:
                raise StepInvalid(
                    f"cannot take {one.name} away: {service} is asked for its health at its port {port}"
                )
        return going

    def _take_away(self, every: Sequence[Container]) -> None:
        up = [one for one in every if self._look(one).state is not ProcessState.DOWN]
        self._fleet.set_aside(every)
        began_s = self._do("stop", up, lambda api, one: api.stop(one.id, timeout=one.stop_s))
        self._await("die", up, began_s)

    def _remove(self, one: Container) -> None:
        try:
            with self._clients.lent(f"remove {one.name}") as api:
                remove(api, one.id)
        except Interference:
            pass  # somebody was quicker
