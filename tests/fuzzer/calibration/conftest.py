"""A fleet whose services answer health probes over HTTP."""

from __future__ import annotations

from dataclasses import replace

import pytest

from models.target import Condition, HealthProbe, ProbeKind, Target
from tests.support.fake_fleet import SHOP, target_of


def told_by_http(target: Target) -> Target:
    probe = HealthProbe(ProbeKind.HTTP, "http://127.0.0.1/health")
    services = {name: replace(one, health=probe) for name, one in target.services.items()}
    for edge in target.topology.dependencies:
        caller = services[edge.caller]
        after = {**caller.starts_after, edge.dependency: Condition.STARTED}
        services[edge.caller] = replace(caller, starts_after=after)
    return replace(target, services=services)


@pytest.fixture
def target() -> Target:
    """gateway -> checkout -> db, checkout ~> analytics."""
    return told_by_http(target_of(*SHOP))
