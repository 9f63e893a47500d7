"""Who has a part in a violation: whoever broke the promise, whoever was harmed, and the paths between."""

from __future__ import annotations

from fuzzer.runtimes.able import Modelled
from fuzzer.runtimes.base import Runtime
from models.scenario import Scenario
from models.target import Target
from models.verdict import Violation


def involved(scenario: Scenario, violation: Violation, target: Target) -> tuple[str, ...]:
    """The services, in the order of the topology."""
    topology = target.topology
    harmed = [name for step in scenario for name in step.targets if name in target.services]
    found = {violation.service, *harmed}
    for name in harmed:
        for edge in topology.path(violation.service, name):
            found |= {edge.caller, edge.dependency}
    return tuple(name for name in topology.services if name in found)


def assumptions(
    runtime: Runtime, scenario: Scenario, violation: Violation, target: Target
) -> tuple[str, ...]:
    """What a violation rests on, where services are only modelled; nothing on a real fleet."""
    if not isinstance(runtime, Modelled):
        return ()
    return runtime.rests_on(involved(scenario, violation, target))
