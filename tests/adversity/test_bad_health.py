"""Health endpoints that redirect in a circle, drip, stream for ever, flood, or lie."""

from __future__ import annotations

import pytest

MEMORY_MIB_MOST = 250
"""A run needs some 140 MiB; one that kept what it is sent would need gigabytes."""


@pytest.mark.docker
def test_who_redirects_in_a_circle_or_drips_is_never_healthy(engine_pair):
    engine_pair.manners = {"db": "loops", "web": "drips"}
    engine_pair.recovery_s = 1
    engine_pair.up()
    done = engine_pair.type("kill", "db")
    assert done.code == 3, done.text
    assert "UNKNOWN: the fleet is not steady before any fault" in done.output
    assert "db is unhealthy: HTTP 302" in done.output
    assert "web is unhealthy: timeout after 1.0 s" in done.output
    assert engine_pair.leftovers() == []


@pytest.mark.parametrize("manners", ["streams", "floods"])
def test_who_answers_without_end_is_healthy_by_its_status_and_costs_no_memory(local_pair, manners):
    local_pair.write(db=manners, web=manners)
    done = local_pair.type("kill", "db", "--wait", "1s")
    assert done.code == 0, done.text
    assert "HOLDS: " in done.output
    assert done.memory_mib < MEMORY_MIB_MOST


def test_who_says_that_it_is_well_and_serves_nobody_is_found_out_by_a_load(local_pair):
    local_pair.write(web="lies")
    done = local_pair.type("replay", "load visit 20rps 1s; kill db")
    assert done.code == 3, done.text
    assert "UNKNOWN: " in done.output
