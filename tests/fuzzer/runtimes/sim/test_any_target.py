"""Whatever a file says and whatever is done: it plays to a verdict, in time, and twice the same."""

from __future__ import annotations

from pathlib import Path
from random import Random

from hypothesis import HealthCheck as Hypothesis
from hypothesis import given, settings
from hypothesis import strategies as st

from fuzzer.actions.catalogue import available
from fuzzer.runtimes.sim.runtime import SimRuntime
from fuzzer.search.plans import Plans
from models.behaviour import Away, CallHints, Hints, Reaction, Response, UncleanHints, Until
from models.limits import Limits
from models.load import Durable, Endpoint, Load
from models.target import (
    Condition,
    HealthCheck,
    HealthProbe,
    ProbeKind,
    Restart,
    RestartPolicy,
    Safety,
    Service,
    Target,
)
from models.topology import Dependency, Group, Strength, Topology
from models.wire import Wire
from tests.support.twin import play_on

NAMES = ("a", "b", "c", "d")
EVENTS_MOST = 1_000_000

moments = st.sampled_from([0.0, 0.001, 0.3, 1.0, 20.0])
some = st.none()
calls = st.builds(
    CallHints,
    timeout_s=some | st.sampled_from([0.001, 0.1, 2.0]),
    retries=some | st.sampled_from([0, 1, 5]),
    volley=some | st.booleans(),
    breaker=some | st.sampled_from([0, 1, 3]),
    fallback=some | st.booleans(),
    reconnects=some | st.booleans(),
)


@st.composite
def hints(draw, name, needed):
    others = [other for other in NAMES if other != name]
    reactions = st.builds(
        Reaction,
        when=st.dictionaries(st.sampled_from(others), st.sampled_from(Away), min_size=1, max_size=2),
        then=st.sampled_from(Response),
        after_s=moments,
        in_order=st.booleans(),
        delay_ms=st.sampled_from([0.0, 300.0, 5000.0]),
        until=st.sampled_from(Until),
    )
    return Hints(
        replicas=draw(some | st.integers(1, 2)),
        start_s=draw(some | moments),
        stop_s=draw(some | moments),
        notice_s=draw(some | moments),
        health_ms=draw(some | st.sampled_from([0.0, 2.0, 600.0])),
        work_ms=draw(some | st.sampled_from([0.0, 3.0, 500.0])),
        workers=draw(some | st.sampled_from([1, 2])),
        queue=draw(some | st.sampled_from([0, 1, 50])),
        commit_s=draw(some | moments),
        unclean=draw(
            some | st.builds(UncleanHints, start_s=some | moments, exit_code=some | st.integers(0, 2))
        ),
        needs_at_start=draw(some | st.lists(st.sampled_from(others), max_size=1)),
        calls={other: draw(calls) for other in needed if draw(st.booleans())},
        reactions=draw(st.lists(reactions, max_size=3)),
    )


@st.composite
def services(draw, name, needed):
    check = draw(
        st.none() | st.builds(HealthCheck, st.sampled_from([0.05, 1.0]), moments, st.integers(1, 3), moments)
    )
    kind = draw(st.sampled_from([ProbeKind.HTTP, ProbeKind.RUNNING, *([ProbeKind.ENGINE] if check else [])]))
    return Service(
        name,
        RestartPolicy(draw(st.sampled_from(Restart)), draw(st.sampled_from([None, None, 2]))),
        HealthProbe(kind, "http://127.0.0.1:1/" if kind is ProbeKind.HTTP else None),
        healthcheck=check,
        starts_after={other: draw(st.sampled_from(Condition)) for other in needed if other > name},
        model=draw(hints(name, needed)),
    )


@st.composite
def targets(draw):
    pairs = [(a, b) for a in NAMES for b in NAMES if a != b]
    edges = draw(st.lists(st.sampled_from(pairs), unique=True, max_size=6))
    dependencies = tuple(Dependency(a, b, draw(st.sampled_from(Strength))) for a, b in edges)
    groups = (Group("ab", ("a", "b"), draw(st.integers(0, 1))),) if draw(st.booleans()) else ()
    topology = Topology(NAMES, dependencies, groups)
    schemes = st.sampled_from(["http", "", None])
    wires = tuple(Wire(a, b, 80, scheme) for a, b in edges if (scheme := draw(schemes)) is not None)
    needed = {name: [b for a, b in edges if a == name] for name in NAMES}
    endpoints = (Endpoint("GET /", "a"), Endpoint("POST /", "b", durable=Durable("b", "/{id}")))
    return Target(
        name="any",
        directory=Path("."),
        services={name: draw(services(name, needed[name])) for name in NAMES},
        topology=topology,
        limits=Limits(recovery_s_max=draw(st.sampled_from([2.0, 10.0]))),
        loads={"load": Load("load", endpoints, 20.0)},
        safety=Safety(max_faults=2),
        wires=wires,
    )


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(Hypothesis))
@given(targets(), st.integers(0, 2**32))
def test_any_scenario_on_any_target_plays_to_a_verdict_and_twice_the_same(target, seed):
    fleet = SimRuntime(target, seed=seed)
    scenario = Plans(target, available(fleet), 6, Random(seed)).fresh()
    played = []
    for runtime in (fleet, fleet.anew()):
        with runtime:
            played.append(play_on(runtime, scenario))
            assert runtime.kernel.happened < EVENTS_MOST
    assert repr(played[0]) == repr(played[1])
    assert not [verdict.reason for verdict in played[0].verdicts if "invariant itself" in verdict.reason]
