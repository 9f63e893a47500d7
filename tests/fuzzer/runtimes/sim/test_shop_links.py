"""Faults of connections in the simulated shop: seeded flaws show by them, and the hardened shop has none."""

from __future__ import annotations

from random import Random

import pytest

from fuzzer.actions.base_link import LinkFault
from fuzzer.actions.catalogue import ACTIONS, available
from fuzzer.runtimes.sim.runtime import SimRuntime
from fuzzer.search.plans import Plans
from models.scenario import Scenario
from models.verdict import Outcome
from tests.support.twin import play, play_on, shop, signatures

ORDERS = "checkout-service -> orders-db"
ANALYTICS = "checkout-service -> analytics-service"
PRODUCTS = "checkout-service -> product-service"

SHOWN = [
    ("no-timeout", f"blackhole {ANALYTICS}", "containment:checkout-service"),
    ("no-timeout", f"partition {ANALYTICS}", "containment:checkout-service"),
    ("no-timeout", f"latency {ANALYTICS} 2000ms", "containment:checkout-service"),
    ("stale-connection", f"reset {ORDERS}", "recovery:checkout-service"),
    ("stale-connection", f"refuse {ORDERS}", "recovery:checkout-service"),
    *(
        (
            "retry-storm",
            f"load checkout 4s 20rps; {fault} {ORDERS}; wait 2s",
            "amplification:checkout-service",
        )
        for fault in ("refuse", "reset", "blackhole")
    ),
    ("crash-on-dependency-failure", f"refuse {PRODUCTS}", "isolation:checkout-service"),
    ("crash-on-dependency-failure", f"blackhole {PRODUCTS}", "isolation:checkout-service"),
    ("start-order", f"refuse {ORDERS}; restart checkout-service", "isolation:checkout-service"),
    ("sticky-degradation", f"reset {ANALYTICS}; wait 1s; heal all", "containment:api-gateway"),
]

QUIET = [
    ("no-timeout", f"refuse {ANALYTICS}"),
    ("no-timeout", f"timeout {ANALYTICS} 100ms"),
    ("no-timeout", f"blackhole {ORDERS}"),
    ("stale-connection", f"blackhole {ORDERS}"),
    ("stale-connection", f"reset {PRODUCTS}"),
    ("retry-storm", f"load checkout 4s 20rps; refuse {PRODUCTS}; wait 2s"),
    ("retry-storm", f"load checkout 4s 20rps; latency {ORDERS} 200ms; wait 2s"),
    ("crash-on-dependency-failure", "blackhole api-gateway -> product-service"),
    ("crash-on-dependency-failure", f"http_error {PRODUCTS} status=503 100%"),
]

LONG_PLANS, STEPS = 40, 30

LINK_FAULTS = [action for action in ACTIONS.values() if isinstance(action, LinkFault)]


def text_of(action, link):
    words = " ".join(f"{name}={value}" for name, value in Scenario.parse(action.example)[0].params)
    return f"{action.name} {link} {words}"


@pytest.mark.parametrize(("flaw", "scenario", "signature"), SHOWN)
def test_a_flaw_shows_by_a_fault_of_one_connection(flaw, scenario, signature):
    played = play(shop(flaw), scenario)
    assert signature in signatures(played), played.reason


@pytest.mark.parametrize(("flaw", "scenario"), QUIET)
def test_and_not_by_one_that_does_not_concern_it(flaw, scenario):
    played = play(shop(flaw), scenario)
    assert (played.outcome, signatures(played)) == (Outcome.HOLDS, []), played.reason


@pytest.mark.parametrize("action", LINK_FAULTS, ids=lambda action: action.name)
def test_the_hardened_shop_stands_it_on_every_connection_under_load(action):
    target = shop()
    for load in target.loads:
        for name in action.known_targets(target):
            scenario = f"load {load} 6s 20rps; wait 1s; {text_of(action, name)}; wait 3s; heal all; wait 1s"
            played = play(target, scenario)
            told = (played.outcome, signatures(played), played.reason)
            assert told == (Outcome.HOLDS, [], ""), scenario


def test_the_hardened_shop_stands_long_plans_of_all_actions():
    target = shop()
    first, drawn = SimRuntime(target), set()
    for number in range(LONG_PLANS):
        scenario = Plans(target, available(first), STEPS, Random(number)).fresh()
        drawn |= {step.action for step in scenario}
        with SimRuntime(target, seed=number) as fleet:
            played = play_on(fleet, scenario)
        assert (played.outcome, signatures(played)) == (Outcome.HOLDS, []), (played.reason, str(scenario))
    assert drawn >= {action.name for action in LINK_FAULTS}
