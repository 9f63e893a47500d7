"""Services that stand in for one another: what needs them as a whole errs only without too many of them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from fuzzer.runtimes.base import Undo
from fuzzer.runtimes.sim.assumptions import assume
from fuzzer.targets.files import load_target
from models.load import Durable, Fate, Written
from models.toxic import Stream, Toxic
from models.verdict import Outcome
from tests.support.twin import play, signatures

ETCD = Path(__file__).parents[4] / "examples" / "etcd"

CLUSTER = """
x-knockon:
  enabled: true
  groups: {store: {members: [one, two, three]}}
  loads:
    web: {entry: web, timeout_s: 3}
    orders: {entry: web, method: POST, durable: {path: "/{id}"}}
services:
  web:
    environment: {STORE: "http://one:80,http://two:80,http://three:80"}
    depends_on: [one, two, three]
  one: {image: x, x-knockon: {soft: [two, three]}}
  two: {image: x, x-knockon: {soft: [one, three]}}
  three: {image: x, x-knockon: {soft: [one, two]}}
"""


def kinds(requests):
    return dict(Counter(request.kind for request in requests))


@pytest.mark.parametrize("harm", ["kill", "pause"])
def test_one_that_is_away_is_made_up_for_and_two_are_not(twin, harm):
    fleet = twin(CLUSTER)
    do, undo = getattr(fleet.runtime, harm), {"kill": fleet.runtime.start, "pause": fleet.runtime.unpause}
    do(["two"])
    fleet.sleep(1.0)
    assert fleet.away("web") is None
    assert kinds(fleet.send("web")) == {"ok": 10}
    do(["one"])
    fleet.sleep(1.0)
    assert fleet.away("web") == "sick"
    assert kinds(fleet.send("web")) == {"HTTP 503": 10}
    assert fleet.exits("web") == []
    undo[harm](["two"])
    fleet.sleep(1.0)
    assert fleet.away("web") is None
    assert kinds(fleet.send("web")) == {"ok": 10}


def test_who_is_cut_off_from_too_many_errs_alone(twin):
    fleet = twin(CLUSTER)
    cut = [Toxic("timeout", {"timeout": 0}, stream) for stream in Stream]
    fleet.runtime.poison("web -> one", cut)
    fleet.sleep(1.0)
    assert fleet.away("web") is None
    fleet.runtime.poison("web -> two", cut)
    fleet.sleep(1.0)
    assert fleet.away("web") == "sick"
    assert [fleet.away(name) for name in ("one", "two", "three")] == [None] * 3
    fleet.runtime.undo(Undo("cleanse", ("web -> two",)))
    fleet.sleep(1.0)
    assert fleet.away("web") is None


def test_what_the_others_stored_is_found(twin):
    fleet = twin(CLUSTER)
    fleet.runtime.kill(["one"])
    fleet.send("orders")
    fleet.runtime.start(["one"])
    fleet.sleep(1.0)
    written = [
        Written("orders", "POST /", request.written, request.ended_s, Durable("web", "/{id}"))
        for request in fleet.seen.requests
        if request.written
    ]
    assert Counter(read.fate for read in fleet.clients.read_back(written, {})) == {Fate.FOUND: 10}


def test_who_starts_without_one_of_them_does_not_exit(twin):
    fleet = twin(CLUSTER)
    fleet.runtime.kill(["one"])
    fleet.runtime.restart(["web"])
    fleet.sleep(1.0)
    assert (fleet.state("web"), fleet.away("web")) == ("running", None)


def test_it_is_told_as_an_assumption(read):
    told = assume(read(CLUSTER)).about(["web", "two"])
    assert "web answers with errors while more than 1 of group store are away, and no longer" in told
    assert not [text for text in told if "two is gone" in text or "two does not answer" in text]


@pytest.mark.parametrize(
    ("files", "scenario"),
    [
        (["compose.yaml"], "load write 4s 20rps; kill etcd-1; wait 2s"),
        (["compose.yaml"], "load read 4s 20rps; blackhole register -> etcd-2; wait 2s"),
        (["compose.yaml"], "load write 4s 20rps; partition * <-> etcd-3; wait 2s"),
        (["compose.yaml", "compose.majority.yaml"], "load write 4s 20rps; kill etcd-1 etcd-2; wait 2s"),
    ],
)
def test_the_cluster_of_the_examples_stands_it(files, scenario):
    played = play(load_target([ETCD / name for name in files], {}), scenario)
    assert (played.outcome, signatures(played)) == (Outcome.HOLDS, []), played.reason
