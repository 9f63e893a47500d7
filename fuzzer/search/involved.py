"""Who has a part in a violation: whoever broke the promise, whoever was harmed, and the paths between."""

from __future__ import annotations

from fuzzer.runtimes.able import Modelled
from fuzzer.runtimes.base import Runtime
from models.link import is_link
from models.scenario import Scenario
from models.some import service_of
from models.target import Target
from models.verdict import Violation


def involved(scenario: Scenario, violation: Violation, target: Target) -> tuple[str, ...]:
    """The services, in the order of the topology; then the links.

    Of a link that covers much only the connection counts by which its harm got there.
    """
    topology = target.topology
    named = [service_of(name) for step in scenario for name in step.targets]
    targets = [one for name in named for one in topology.may_mean(name)]
    harmed = [name for name in targets if name in target.services]
    links = [name for name in dict.fromkeys(targets) if is_link(name)]
    found = {violation.service, *harmed}
    for name in (*harmed, *links):
        edges = topology.path(violation.service, name)
        for edge in edges or topology.cut_by(name):
            found |= {edge.caller, edge.dependency}
    return (*(name for name in topology.services if name in found), *links)


def assumptions(
    runtime: Runtime, scenario: Scenario, violation: Violation, target: Target
) -> tuple[str, ...]:
    """What a violation rests on, where services are only modelled; nothing on a real fleet."""
    if not isinstance(runtime, Modelled):
        return ()
    return runtime.rests_on(involved(scenario, violation, target))
