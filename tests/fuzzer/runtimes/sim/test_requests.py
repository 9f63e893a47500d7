"""What becomes of the requests of clients."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest

from models.load import Durable, Fate, Shape, Written

CHAIN = """
x-knockon:
  enabled: true
  loads:
    web: {entry: web, timeout_s: 3}
    pages: {entry: web, needs: []}
    orders: {entry: web, method: POST, durable: {path: "/{id}"}}
services:
  web:
    depends_on: {db: {condition: service_healthy}}
    x-knockon: {model: WEB, counters: {url: "http://127.0.0.1:1/metrics"}}
  db: {restart: always, x-knockon: {model: DB}}
"""


def chain(web="{}", db="{}"):
    return CHAIN.replace("WEB", web).replace("DB", db)


def kinds(requests):
    return dict(Counter(request.kind for request in requests))


def test_a_request_takes_the_work_of_everybody_on_its_way(twin):
    requests = twin(chain("{work_ms: 10}", "{work_ms: 20}")).send("web")
    assert kinds(requests) == {"ok": 10}
    assert all(24 < request.latency_ms < 37 for request in requests)


@pytest.mark.parametrize("shape", list(Shape))
def test_every_shape_sends_as_many_requests_as_it_should(twin, shape):
    fleet = twin(chain())
    began_s = fleet.now()
    requests = fleet.send("web", 20.0, 3.0, shape)
    assert kinds(requests) == {"ok": 60}
    due_s = [request.intended_s - began_s for request in requests]
    assert all(a <= b for a, b in pairwise(due_s))
    assert 0 <= due_s[0] <= due_s[-1] < 3.0
    assert [run.ended_s is not None for run in fleet.seen.loads] == [False, True]


def test_a_dead_service_refuses_and_one_that_dies_resets(twin):
    fleet = twin(chain("{work_ms: 500}"))
    fleet.begin("web", 4.0, 2.0)
    fleet.sleep(0.9)
    fleet.runtime.kill(["web"])
    fleet.sleep(3.0)
    assert kinds(fleet.seen.requests) == {"ok": 2, "reset": 2, "refused": 4}


def test_clients_of_a_frozen_service_give_up_or_are_served_late(twin):
    fleet = twin(chain())
    fleet.begin("web", 2.0, 6.0)
    fleet.sleep(1.9)
    fleet.runtime.pause(["web"])
    fleet.sleep(4.0)
    fleet.runtime.unpause(["web"])
    fleet.sleep(3.0)
    assert kinds(fleet.seen.requests) == {"ok": 10, "timeout": 2}
    late = [
        request.latency_ms for request in fleet.seen.requests if request.good and request.latency_ms > 100
    ]
    assert len(late) == 6


def test_a_frozen_service_answers_nobody_however_many_there_are(twin):
    fleet = twin(chain("{workers: 1, queue: 2}"))
    fleet.runtime.pause(["web"])
    assert kinds(fleet.send("web", 50.0, 1.0)) == {"timeout": 50}


def test_more_requests_than_workers_queue_and_more_than_that_are_turned_away(twin):
    fleet = twin(chain("{work_ms: 100, workers: 2, queue: 3}"))
    requests = fleet.send("web", 10.0, 1.0, Shape.BURST)
    assert kinds(requests) == {"ok": 5, "HTTP 503": 5}
    rounds = sorted(round(request.latency_ms / 100) for request in requests if request.good)
    assert rounds == [1, 1, 2, 2, 3]


def test_replicas_that_are_added_take_work_and_those_that_go_finish_theirs(twin):
    fleet = twin(chain("{work_ms: 900, workers: 1, queue: 20, replicas: 2, start_s: 1}"))
    fleet.begin("web", 5.0, 4.0)  # 4.5 at a time, of which two are worked on
    fleet.sleep(1.0)
    assert fleet.runtime.services["web"].busy == 2
    fleet.runtime.scale("web", 4)
    assert (fleet.runtime.running("web"), fleet.runtime.serving("web")) == (4, 2)
    fleet.sleep(1.5)
    assert fleet.runtime.serving("web") == fleet.runtime.services["web"].busy == 4
    fleet.runtime.scale("web", 1)
    assert fleet.runtime.services["web"].busy == 4, "nothing is broken off"
    fleet.sleep(1.0)
    assert fleet.runtime.services["web"].busy == 1
    fleet.sleep(30.0)
    assert fleet.runtime.services["web"].busy == 0
    assert {request.kind for request in fleet.seen.requests} <= {"ok", "timeout"}


def test_workers_of_all_replicas_count(twin):
    fleet = twin(chain("{work_ms: 100, workers: 2, queue: 0, replicas: 3}"))
    assert kinds(fleet.send("web", 10.0, 1.0, Shape.BURST)) == {"ok": 6, "HTTP 503": 4}


def test_a_worker_is_never_in_two_places(twin):
    """Whoever comes between two others must not be served beside them."""
    fleet = twin(chain("{work_ms: 50, workers: 1, queue: 100}"))
    began_s = fleet.now()
    requests = fleet.send("pages", 40.0, 1.0)
    assert kinds(requests) == {"ok": 40}
    assert fleet.now() - began_s > 40 * 0.05 * 0.9


def test_what_is_full_is_well_again_when_it_is_restarted(twin):
    fleet = twin(chain("{work_ms: 1000, workers: 1, queue: 1}"))
    fleet.begin("web", 10.0, 1.0)
    fleet.sleep(0.95)
    fleet.runtime.restart(["web"])
    fleet.sleep(1.0)
    assert kinds(fleet.send("web", 0.5, 2.0)) == {"ok": 1}


# Calls to others.


@pytest.mark.parametrize(
    ("harm", "call", "status", "took_ms"),
    [
        ("kill", "{breaker: 0}", "HTTP 502", 3),
        ("pause", "{breaker: 0}", "HTTP 504", 503),
        ("pause", "{breaker: 0, timeout_s: 0.2}", "HTTP 504", 203),
        ("pause", "{breaker: 0, timeout_s: 0.2, retries: 2}", "HTTP 504", 603),
        ("pause", "{}", "HTTP 502", 3),
        ("kill", "{fallback: true}", "ok", 3),
        ("pause", "{fallback: true, breaker: 0}", "ok", 503),
    ],
)
def test_a_dependency_that_is_away(twin, harm, call, status, took_ms):
    fleet = twin(chain(f"{{calls: {{db: {call}}}}}"))
    fleet.sleep(1.0)
    getattr(fleet.runtime, harm)(["db"])
    fleet.sleep(3.0)
    requests = fleet.send("web")
    assert kinds(requests) == {status: 10}
    assert all(request.latency_ms == pytest.approx(took_ms, abs=5) for request in requests)


def test_requests_that_do_not_need_what_is_away_are_served(twin):
    fleet = twin(chain())
    fleet.runtime.kill(["db"])
    fleet.sleep(1.0)
    assert fleet.away("web") == "sick"
    assert kinds(fleet.send("pages")) == {"ok": 10}


def test_a_service_with_an_answer_of_its_own_stays_well(twin):
    fleet = twin(chain("{calls: {db: {fallback: true}}}"))
    fleet.runtime.kill(["db"])
    fleet.sleep(3.0)
    assert fleet.away("web") is None


def test_an_open_circuit_closes_when_the_other_is_well(twin):
    fleet = twin(chain("{calls: {db: {breaker: 2}}}"))
    fleet.begin("web", 10.0, 6.0)
    fleet.sleep(0.95)
    fleet.runtime.kill(["db"])
    fleet.sleep(1.0)
    fleet.runtime.start(["db"])
    fleet.sleep(6.0)
    requests = fleet.seen.requests
    assert {request.kind for request in requests} == {"ok", "HTTP 502"}
    assert all(request.good for request in requests[-35:])


def test_a_circuit_that_opened_by_overload_closes_too(twin):
    fleet = twin(chain("{calls: {db: {breaker: 2}}}", "{work_ms: 100, workers: 1, queue: 0}"))
    fleet.send("web", 30.0, 1.0, Shape.BURST)
    fleet.sleep(1.0)
    assert kinds(fleet.send("web", 1.0, 2.0)) == {"ok": 2}


@pytest.mark.parametrize(("retries", "each"), [(0, 1), (7, 8)])
def test_calls_are_counted_and_told(twin, retries, each):
    fleet = twin(chain(f"{{calls: {{db: {{retries: {retries}, breaker: 0}}}}}}"))
    fleet.clients.count_calls()
    fleet.runtime.kill(["db"])
    fleet.send("web", 10.0, 1.0)
    fleet.sleep(0.5)
    counts = [seen.count for seen in fleet.seen.calls if (seen.caller, seen.dependency) == ("web", "db")]
    assert counts == sorted(counts)
    assert (counts[0], counts[-1]) == (0, 10 * each)


def test_nobody_is_refused_without_time_passing(twin):
    fleet = twin(chain("{calls: {db: {retries: 1000, breaker: 0}}, work_ms: 0}"))
    fleet.runtime.kill(["db"])
    requests = fleet.send("web", 5.0, 1.0)
    assert kinds(requests) == {"HTTP 502": 5}
    assert all(request.latency_ms > 200 for request in requests)


@pytest.mark.parametrize(
    ("then", "status"), [("errors", "HTTP 503"), ("hangs", "timeout"), ("serves", "ok"), ("slows", "ok")]
)
def test_a_reaction_to_somebody_whom_no_request_needs_concerns_all_requests(twin, then, status):
    fleet = twin(chain(f"{{reactions: [{{when: {{log: gone}}, then: {then}}}]}}") + "  log: {image: x}\n")
    fleet.sleep(1.0)
    fleet.runtime.kill(["log"])
    fleet.sleep(1.0)
    requests = fleet.send("web", 5.0)
    assert kinds(requests) == {status: 5}
    assert (requests[0].latency_ms > 1000) is (then in ("hangs", "slows"))


def test_errors_that_stay_until_the_restart_are_errors_for_clients_too(twin):
    fleet = twin(chain("{reactions: [{when: {db: gone}, then: errors, until: restart}]}"))
    fleet.sleep(1.0)
    fleet.runtime.restart(["db"])
    fleet.sleep(5.0)
    assert kinds(fleet.send("web")) == {"HTTP 503": 10}
    assert kinds(fleet.send("pages")) == {"ok": 10}
    fleet.runtime.restart(["web"])
    fleet.sleep(1.0)
    assert kinds(fleet.send("web")) == {"ok": 10}


# Writing.


def fates(fleet):
    """What became of all that was acknowledged."""
    durable = Durable("web", "/{id}")
    written = [
        Written("orders", "POST /", request.written, request.ended_s, durable)
        for request in fleet.seen.requests
        if request.written
    ]
    return dict(Counter(read.fate for read in fleet.clients.read_back(written, {})))


@pytest.mark.parametrize(
    ("deed", "wait_s", "lost"),
    [
        ("crash", 0.0, True),
        ("kill", 0.0, True),
        ("crash", 1.1, False),
        ("stop", 0.0, False),
        ("pause", 0.0, False),
    ],
)
def test_only_an_unclean_death_loses_what_was_just_acknowledged(twin, deed, wait_s, lost):
    fleet = twin(chain(db="{commit_s: 1}"))
    fleet.send("orders", 20.0, 2.0)
    fleet.sleep(wait_s)
    getattr(fleet.runtime, deed)(["db"])
    fleet.sleep(1.0)
    fleet.runtime.unpause(["db"])
    fleet.runtime.start(["db"])
    fleet.sleep(2.0)
    found = fates(fleet)
    assert sum(found.values()) == 40
    assert (0 < found.get(Fate.LOST, 0) < 40) if lost else found == {Fate.FOUND: 40}


def test_what_cannot_be_read_is_neither_lost_nor_found(twin):
    fleet = twin(chain())
    fleet.send("orders")
    fleet.runtime.kill(["db"])
    fleet.sleep(1.0)
    assert fates(fleet) == {Fate.UNREADABLE: 10}


def test_what_was_acknowledged_without_asking_the_store_is_lost(twin):
    fleet = twin(chain("{calls: {db: {fallback: true}}}"))
    fleet.runtime.kill(["db"])
    fleet.send("orders")
    fleet.runtime.start(["db"])
    fleet.sleep(1.0)
    assert fates(fleet) == {Fate.LOST: 10}


def test_only_what_was_acknowledged_is_a_promise(twin):
    fleet = twin(chain())
    fleet.runtime.kill(["db"])
    assert all(request.written == "" for request in fleet.send("orders"))
    fleet.runtime.start(["db"])
    fleet.sleep(1.0)
    written = [request.written for request in fleet.send("orders")]
    assert len(set(written)) == 10


def test_a_load_that_is_stopped_tells_no_more(twin):
    fleet = twin(chain("{work_ms: 300}"))
    fleet.begin("web", 10.0, 5.0)
    fleet.sleep(1.0)
    told = len(fleet.seen.requests)
    fleet.clients.stop()
    assert fleet.clients.quiet
    fleet.sleep(10.0)
    assert len(fleet.seen.requests) == told
    assert fleet.seen.loads[-1].trouble == "the load was stopped"
