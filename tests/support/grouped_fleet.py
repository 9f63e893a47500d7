"""The fleet in memory with a group of members, one of whom leads; whoever runs is elected when it is gone."""

from __future__ import annotations

from dataclasses import replace

from fuzzer.runtimes.base import ProcessState
from models.target import Role, Safety, Target
from models.topology import Dependency, Group, Strength, Topology
from tests.support.fake_fleet import FakeFleet, target_of

MEMBERS = ("n1", "n2", "n3")


def grouped(max_faults: int = 1, members: tuple[str, ...] = MEMBERS, **options) -> Target:
    """A shop that needs a group: a minority of it may go without anybody noticing."""
    plain = target_of(services=("shop", *members), max_faults=max_faults, **options)
    needs = tuple(Dependency("shop", name, Strength.HARD) for name in members)
    group = Group("store", members, tolerates=(len(members) - 1) // 2, failover_s=1.0)
    services = {
        name: replace(one, role=Role(f"http://{name}/role", "^leader 1") if name in members else None)
        for name, one in plain.services.items()
    }
    return replace(
        plain,
        services=services,
        topology=Topology(plain.topology.services, needs, (group,)),
        safety=Safety(max_faults, plain.safety.protect),
    )


class GroupedFleet(FakeFleet):
    """Meets ``TellsRoles``, too: the leader leads until it is gone, then the first that runs.

    Attributes:
        leader: who leads, or led until a moment ago.
        leaderless: nobody is ever elected.
        twice: who still believes to lead.
    """

    leader = "n2"
    leaderless = False
    twice: frozenset[str] = frozenset()

    def is_primary(self, service: str) -> bool:
        if self.leaderless:
            return False
        if self.state[self.leader] is not ProcessState.RUNNING:
            group = self.target.topology.groups[0]
            self.leader = next((n for n in group.members if self.is_up(n)), self.leader)
        return service == self.leader or service in self.twice
