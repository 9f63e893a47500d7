"""Whom a named scenario is about where nobody is named."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fuzzer.named.choosing import choose, is_store
from fuzzer.named.template import Kind, Template, Who
from models.errors import RequestError
from models.topology import Dependency, Topology
from tests.support.fake_fleet import target_of

NAMES = ("web", "api", "orders-db", "cache")


@pytest.fixture
def target():
    plain = target_of(services=NAMES)
    edges = (Dependency("web", "api"), Dependency("api", "orders-db"))
    return replace(plain, topology=Topology(NAMES, edges))


def about(count, kind):
    return Template("mine", Path("mine.txt"), "", Who(count, kind), "", ((1, "wait 1s"),))


def test_the_most_needed_first_and_no_more_than_may_be_harmed_at_once(target):
    assert choose(about(1, Kind.MOST_NEEDED), target, 1) == ("orders-db",)
    assert target.safety.max_faults == 2
    assert choose(about(3, Kind.MOST_NEEDED), target, 1) == ("orders-db", "api")


def test_the_same_seed_chooses_the_same(target):
    chosen = {seed: choose(about(1, Kind.RANDOM), target, seed) for seed in range(20)}
    assert chosen == {seed: choose(about(1, Kind.RANDOM), target, seed) for seed in range(20)}
    assert {name for (name,) in chosen.values()} == set(NAMES)


def test_stores_are_told_by_their_names_if_they_need_nobody(target):
    assert choose(about(2, Kind.STORES), target, 1) == ("orders-db",)
    with pytest.raises(RequestError, match=r"no service of fake is called like one; name it with --services"):
        choose(about(1, Kind.STORES), target_of(services=("web", "restore")), 1)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("db", True),
        ("postgres-14", True),
        ("user.redis", True),
        ("etcd-1", True),
        ("dbadmin", False),
        ("nats", True),
        ("storefront", False),
    ],
)
def test_names_of_stores(name, told):
    assert is_store(target_of(services=(name, "web")), name) is told


def test_a_caller_is_no_store_whatever_its_name_is():
    plain = target_of(services=("db-proxy", "db"))
    edges = (Dependency("db-proxy", "db"),)
    target = replace(plain, topology=Topology(plain.topology.services, edges))
    assert [name for name in target.topology.services if is_store(target, name)] == ["db"]


def test_nobody_is_chosen_where_nobody_is_meant_or_may_be_touched(target):
    assert choose(about(0, Kind.NONE), target, 1) == ()
    untouchable = replace(target, safety=replace(target.safety, protect=frozenset(NAMES)))
    with pytest.raises(RequestError, match="no service may be touched"):
        choose(about(1, Kind.RANDOM), untouchable, 1)
