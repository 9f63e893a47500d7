"""The rules. Each is a function that looks at one thing; to add one: that function, and its line below."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

import networkx as nx

from fuzzer.lint.base import Advice, Rule
from models.target import Condition, Restart, Service, Target
from models.topology import Strength


def restart(target: Target) -> Iterator[Advice]:
    """A process that dies has to come back by itself."""
    for service in target.services.values():
        policy = service.restart
        if policy.name is Restart.NO:
            reason = "its process dies once and stays away until a person starts it"
        elif policy.max_retries is not None:
            reason = f"after {policy.max_retries} failures nothing starts it any more"
        elif policy.name is Restart.ON_FAILURE:
            reason = "a process that ends with code 0, as after an orderly shutdown, is not started again"
        else:
            continue
        yield Advice("restart", service.name, "restart", str(policy), reason, "restart: unless-stopped")


def healthcheck(target: Target) -> Iterator[Advice]:
    """What hangs has to be told from what works."""
    for service in target.services.values():
        if service.healthcheck is None:
            yield Advice(
                "healthcheck",
                service.name,
                "healthcheck",
                "none",
                "a process that hangs counts as running, and nothing can wait until it is ready",
                f"healthcheck: {{test: {_test(service)}, interval: 5s, timeout: 2s, retries: 3}}",
            )


def _test(service: Service) -> str:
    path = urlsplit(service.health.url).path if service.health.url else "/health"
    port = service.ports[0].container if service.ports else "PORT"
    return f'["CMD", "wget", "-qO-", "http://localhost:{port}{path or "/"}"]'


def slow_healthcheck(target: Target) -> Iterator[Advice]:
    """A health check has to see a hang before the recovery limit is over."""
    limit_s = target.limits.recovery_s_max
    for service in target.services.values():
        check = service.healthcheck
        if check is None:
            continue
        told_s = check.retries * (check.interval_s + check.timeout_s)
        if told_s > limit_s:
            yield Advice(
                "slow-healthcheck",
                service.name,
                "healthcheck",
                f"interval {check.interval_s:g} s, timeout {check.timeout_s:g} s, {check.retries} retries",
                f"a hang is told after up to {told_s:g} s, and recovery_s_max is {limit_s:g} s",
                "healthcheck: {interval: 5s, timeout: 2s, retries: 3}",
            )


def condition(target: Target) -> Iterator[Advice]:
    """Who cannot do without another one has to wait until that is ready."""
    soft = {(e.caller, e.dependency) for e in target.topology.dependencies if e.strength is Strength.SOFT}
    for service in target.services.values():
        for name, waits_for in service.starts_after.items():
            if waits_for is Condition.STARTED and (service.name, name) not in soft:
                yield Advice(
                    "condition",
                    service.name,
                    "depends_on",
                    f"{name}: {waits_for}",
                    f"{service.name} is started while {name} cannot answer yet",
                    f"depends_on: {{{name}: {{condition: {Condition.HEALTHY}}}}}",
                )


def memory(target: Target) -> Iterator[Advice]:
    """A leak has to kill the service that leaks, and no other."""
    for service in target.services.values():
        if not service.memory_limited:
            yield Advice(
                "memory",
                service.name,
                "mem_limit",
                "none",
                "if it leaks, the machine runs out of memory and the kernel chooses who dies",
                "mem_limit: 256m",
            )


def inferred(target: Target) -> Iterator[Advice]:
    """Somebody has to say whether a dependency is hard or soft."""
    for edge in target.topology.dependencies:
        if edge.inferred:
            yield Advice(
                "inferred",
                edge.caller,
                "depends_on",
                f"{edge.dependency} only in its environment",
                f"{edge.dependency} counts as hard: whatever happens to {edge.caller} without it is excused",
                f"x-knockon: {{soft: [{edge.dependency}]}}, or depends_on: [{edge.dependency}]",
            )


def circle(target: Target) -> Iterator[Advice]:
    """Services that need one another cannot be told apart when one of them fails."""
    graph: nx.DiGraph[str] = nx.DiGraph(
        (edge.caller, edge.dependency)
        for edge in target.topology.dependencies
        if edge.strength is Strength.HARD
    )
    order = {name: number for number, name in enumerate(target.topology.services)}
    for members in nx.strongly_connected_components(graph):
        if len(members) > 1:
            first, *rest = sorted(members, key=order.__getitem__)
            yield Advice(
                "circle",
                first,
                "x-knockon.soft",
                f"{first} and {', '.join(rest)} need one another",
                "when one of them fails, all may, and none can come back before the others",
                f"x-knockon: {{soft: [{rest[0]}]}} for the call that can be done without",
            )


def single_point(target: Target) -> Iterator[Advice]:
    """Few services should be able to take most of the fleet along."""
    services = target.topology.services
    if len(services) < FLEET_LEAST:
        return
    for name in services:
        taken = target.topology.blast_radius([name]) - {name}
        if len(taken) >= SHARE_MOST * (len(services) - 1) and target.services[name].model.replicas == 1:
            yield Advice(
                "single-point",
                name,
                "x-knockon.soft",
                f"{len(taken)} of {len(services) - 1} others may fail with it",
                "one process takes most of the fleet along",
                f"let callers do without it (x-knockon: {{soft: [{name}]}}), or run more than one replica",
            )


FLEET_LEAST = 4
"""Of fewer services any is most of the fleet."""

SHARE_MOST = 2 / 3
"""Of the others, that one service may take along without a remark."""

RULES: Mapping[str, Rule] = {
    "restart": restart,
    "healthcheck": healthcheck,
    "slow-healthcheck": slow_healthcheck,
    "condition": condition,
    "memory": memory,
    "inferred": inferred,
    "circle": circle,
    "single-point": single_point,
}
