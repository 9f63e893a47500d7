"""Each seeded flaw of the example shop exists in the simulation, and the hardened shop has none."""

from __future__ import annotations

import pytest

from models.verdict import Outcome
from tests.support.twin import play, shop, signatures

SHOWN = [
    ("crash-on-dependency-failure", "kill product-service", "isolation:checkout-service"),
    ("crash-on-dependency-failure", "pause product-service", "isolation:checkout-service"),
    ("no-restart", "crash user-service", "isolation:user-service"),
    ("no-timeout", "pause analytics-service", "containment:checkout-service"),
    (
        "no-timeout",
        "load checkout 4s 20rps; pause analytics-service; wait 2s; unpause analytics-service",
        "graceful_degradation:checkout-service",
    ),
    ("undeclared-dependency", "kill product-service", "containment:user-service"),
    ("start-order", "kill orders-db; restart checkout-service", "isolation:checkout-service"),
    ("stale-connection", "restart orders-db", "recovery:checkout-service"),
    ("slow-recovery", "crash product-service", "recovery:product-service"),
    ("lost-write", "load checkout 3s 20rps; wait 1s; crash orders-db", "durability:checkout-service"),
    ("retry-storm", "load checkout 4s 20rps; kill orders-db; wait 2s", "amplification:checkout-service"),
    ("retry-storm", "load checkout 4s 20rps; pause orders-db; wait 2s", "amplification:checkout-service"),
    (
        "sticky-degradation",
        "pause analytics-service; wait 1s; unpause analytics-service",
        "containment:api-gateway",
    ),
    ("sticky-degradation", "restart analytics-service", "containment:api-gateway"),
    ("two-fault", "kill checkout-service; pause user-service", "isolation:analytics-service"),
    ("order-dependent", "pause product-service; wait 1s; kill orders-db", "isolation:analytics-service"),
]

QUIET = [
    ("no-restart", "restart user-service"),
    ("no-timeout", "kill analytics-service"),
    ("start-order", "restart checkout-service"),
    ("slow-recovery", "restart product-service"),
    ("lost-write", "load checkout 3s 20rps; wait 1s; restart orders-db"),
    ("two-fault", "kill checkout-service; wait 3s; start checkout-service; wait 2s; kill user-service"),
    ("order-dependent", "kill orders-db; wait 1s; pause product-service"),
]

FELL_TOGETHER = """
services:
  api-gateway:
    x-knockon: {model: {reactions: [{when: {checkout-service: gone}, then: exits, after_s: 0.7}]}}
  analytics-service:
    x-knockon: {model: {reactions: [{when: {checkout-service: gone}, then: exits, after_s: 0.7}]}}
  orders-db:
    x-knockon: {model: {reactions: [{when: {checkout-service: gone}, then: exits}]}}
  user-service:
    x-knockon: {model: {reactions: [{when: {orders-db: gone}, then: exits}]}}
  product-service:
    x-knockon: {model: {reactions: [{when: {analytics-service: gone}, then: exits, after_s: 0.7}]}}
"""


@pytest.mark.parametrize(("flaw", "scenario", "signature"), SHOWN)
def test_a_flaw_shows_under_its_trigger(flaw, scenario, signature):
    played = play(shop(flaw), scenario)
    assert signature in signatures(played), played.reason


@pytest.mark.parametrize("scenario", dict.fromkeys([scenario for _, scenario, _ in SHOWN]))
def test_the_hardened_shop_stands_the_same(scenario):
    played = play(shop(), scenario)
    assert (played.outcome, signatures(played)) == (Outcome.HOLDS, []), played.reason


@pytest.mark.parametrize(("flaw", "scenario"), QUIET)
def test_a_flaw_does_not_show_without_its_trigger(flaw, scenario):
    played = play(shop(flaw), scenario)
    assert (played.outcome, signatures(played)) == (Outcome.HOLDS, []), played.reason


def test_the_fragile_file_alone_tells_that_nothing_restarts():
    played = play(shop(hardened=False), "crash analytics-service")
    assert signatures(played) == ["recovery:analytics-service"]


def test_the_fragile_file_alone_tells_that_nobody_waits_for_health():
    """depends_on without a condition: checkout-service is started before orders-db answers."""
    played = play(shop(hardened=False), "kill orders-db; restart checkout-service")
    assert "isolation:checkout-service" in signatures(played)


def test_the_fragile_shop_falls_as_a_whole(tmp_path):
    hints = tmp_path / "fell.yaml"
    hints.write_text(FELL_TOGETHER)
    played = play(shop(hardened=False, more=[hints]), "kill checkout-service")
    history = played.history
    exits = {p.service: p.at_s - history.began_s for p in history.processes if p.exit_code == 1}
    exits.pop("checkout-service")  # started again at last, while nobody was there
    assert exits.keys() == {
        "api-gateway",
        "analytics-service",
        "orders-db",
        "user-service",
        "product-service",
    }
    assert max(exits.values()) < 2.5, "within about two seconds"
    assert exits["product-service"] > exits["analytics-service"] > exits["user-service"]


def test_ten_orders_a_second_are_served_while_statistics_are_away():
    played = play(shop(), "load checkout 5s 20rps; kill analytics-service; wait 3s")
    assert played.outcome is Outcome.HOLDS
    assert all(request.good for request in played.history.requests)
