"""Poisoned connections: what each fault does to calls and to what a service sees; before, during, after."""

from __future__ import annotations

from collections import Counter

import pytest

from fuzzer.actions.base_link import LinkFault
from fuzzer.actions.catalogue import ACTIONS
from fuzzer.runtimes.base import Undo
from models.errors import StepInvalid
from models.scenario import Scenario
from models.toxic import REFUSING, Stream, Toxic

TRIO = """
x-knockon:
  enabled: true
  loads:
    web: {entry: web, timeout_s: 3}
    shop: {entry: shop, timeout_s: 3}
    pages: {entry: web, needs: []}
services:
  web:
    environment: {DB_URL: "http://db:80", LOG_URL: "http://log:80"}
    restart: always
    depends_on: {db: {condition: service_healthy}}
    x-knockon: {soft: [log], model: WEB}
  shop:
    environment: {DB_URL: "db:80"}
    depends_on: {db: {condition: service_healthy}}
  db: {restart: always, x-knockon: {model: DB}}
  log: {image: x}
"""

LINK = "web -> db"
LINK_FAULTS = [action for action in ACTIONS.values() if isinstance(action, LinkFault)]
ASKED_S = 2.0


def trio(web="{calls: {db: {breaker: 0}}}", db="{}"):
    return TRIO.replace("WEB", web).replace("DB}", db + "}")


def step_of(action, link=LINK):
    """Its example, on this link."""
    words = " ".join(f"{name}={value}" for name, value in Scenario.parse(action.example)[0].params)
    return Scenario.parse(f"{action.name} {link} {words}")[0]


def cleanse(fleet, link=LINK):
    fleet.runtime.undo(Undo("cleanse", (link,)))


def kinds(requests):
    return dict(Counter(request.kind for request in requests))


def late(requests, least_ms):
    return sum(request.latency_ms >= least_ms for request in requests)


BLACKHOLE = tuple(Toxic("timeout", {"timeout": 0}, stream) for stream in Stream)
NARROW = tuple(Toxic("bandwidth", {"rate": 1}, stream) for stream in Stream)


def test_the_links_are_those_that_the_variables_name(twin):
    fleet = twin(trio())
    assert list(fleet.runtime.edges()) == [("web", "db"), ("web", "log"), ("shop", "db")]
    assert all(action.kinds <= fleet.runtime.bears("web", "db").kinds for action in LINK_FAULTS)
    with pytest.raises(StepInvalid, match="there is no connection"):
        fleet.runtime.poison("db -> web", BLACKHOLE)


@pytest.mark.parametrize("action", LINK_FAULTS, ids=lambda action: action.name)
def test_who_asks_over_a_link_sees_each_fault_and_nobody_else_does(twin, action):
    fleet, step = twin(trio()), step_of(action)

    def shown(caller, tries=100):
        """Whether it shows in any of some answers; a share is not in each."""
        answers = (fleet.runtime.ask(caller, "db", action.asked_s(step)) for _ in range(tries))
        return any(action.shows(step, before, answer) for answer in answers)

    before = fleet.runtime.ask("web", "db", ASKED_S)
    assert (before.status, before.ended, before.error) == (200, True, "")
    assert not shown("web")
    fleet.runtime.poison(LINK, action.toxics(step))
    assert shown("web")
    assert not shown("shop")
    cleanse(fleet)
    cleanse(fleet)
    assert not shown("web")


@pytest.mark.parametrize(
    ("toxics", "status", "took_ms"),
    [
        pytest.param([Toxic("latency", {"latency": 200})], "ok", 206, id="latency"),
        pytest.param([Toxic("latency", {"latency": 900})], "HTTP 504", 503, id="too much latency"),
        pytest.param(NARROW, "ok", 406, id="bandwidth"),
        pytest.param([Toxic("bandwidth", {"rate": 0})], "HTTP 504", 503, id="no bandwidth"),
        pytest.param([Toxic("slow_close", {"delay": 900})], "ok", 6, id="slow_close"),
        pytest.param([Toxic("slicer", {"average_size": 50, "delay": 20_000})], "ok", 66, id="slicer"),
        pytest.param(BLACKHOLE, "HTTP 504", 503, id="blackhole"),
        pytest.param([Toxic("timeout", {"timeout": 200})], "HTTP 502", 203, id="timeout"),
        pytest.param([Toxic("timeout", {"timeout": 800})], "HTTP 504", 503, id="timeout that is longer"),
        pytest.param([Toxic("reset_peer", {"timeout": 0})], "HTTP 502", 3, id="reset"),
        pytest.param([Toxic("reset_peer", {"timeout": 100})], "ok", 6, id="reset after the answer"),
        pytest.param([Toxic(REFUSING)], "HTTP 502", 3, id="refuse"),
        pytest.param([Toxic("http_error", {"status": 503})], "HTTP 502", 3, id="http_error"),
        pytest.param([Toxic("http_error", {"status": 429})], "HTTP 502", 3, id="http_error of the client"),
        pytest.param([Toxic("limit_data", {"bytes": 64})], "HTTP 502", 6, id="limit_data"),
        pytest.param([Toxic("limit_data", {"bytes": 6400})], "ok", 6, id="limit_data of long answers"),
        pytest.param([*NARROW, Toxic(REFUSING)], "HTTP 502", 3, id="two at once"),
    ],
)
def test_calls_over_a_link_before_during_and_after(twin, toxics, status, took_ms):
    fleet = twin(trio())
    assert kinds(fleet.send("web")) == {"ok": 10}
    fleet.runtime.poison(LINK, toxics)
    requests = fleet.send("web")
    assert kinds(requests) == {status: 10}
    assert all(request.latency_ms == pytest.approx(took_ms, abs=5) for request in requests)
    assert kinds(fleet.send("pages")) == {"ok": 10}
    assert late(fleet.send("shop"), 20) == 0
    cleanse(fleet)
    fleet.sleep(1.0)
    requests = fleet.send("web")
    assert (kinds(requests), late(requests, 20)) == ({"ok": 10}, 0)


def test_a_share_of_the_calls_is_lost_or_answered_with_an_error(twin):
    fleet = twin(trio())
    fleet.runtime.poison(LINK, [Toxic("http_error", {"status": 500}, toxicity=0.3)])
    assert 40 < kinds(fleet.send("web", 50.0, 4.0))["HTTP 502"] < 80
    assert fleet.away("web") is None, "most looks see nothing"
    cleanse(fleet)
    fleet.runtime.poison(LINK, [Toxic("loss", {"percent": 30}, Stream.UPSTREAM)])
    requests = fleet.send("web", 50.0, 4.0)
    assert 40 < late(requests, 200) < 80
    assert fleet.away("web") is None
    cleanse(fleet)
    fleet.runtime.poison(LINK, [Toxic("latency", {"latency": 200, "jitter": 100})])
    took_ms = [request.latency_ms for request in fleet.send("web", 50.0, 4.0)]
    assert 100 < min(took_ms) < 140 < 270 < max(took_ms) < 310


def test_nobody_answers_by_http_where_something_else_is_spoken(twin):
    fleet = twin(trio())
    fleet.runtime.poison("* -> db", [Toxic("http_error", {"status": 503})])
    assert kinds(fleet.send("shop")) == {"ok": 10}
    assert kinds(fleet.send("web")) == {"HTTP 502": 10}


# What is under way.


def test_a_call_under_way_is_reset(twin):
    fleet = twin(trio("{calls: {db: {timeout_s: 2}}}", "{work_ms: 1000}"))
    fleet.begin("web", 1.0, 1.0)
    fleet.sleep(0.5)
    fleet.runtime.poison(LINK, [Toxic("reset_peer", {"timeout": 0})])
    fleet.sleep(3.0)
    (request,) = fleet.seen.requests
    assert (request.kind, round(request.latency_ms, -2)) == ("HTTP 502", 500)


@pytest.mark.parametrize(
    ("begun_s", "lasts_s", "status", "took_ms"),
    [
        pytest.param(0.5, 1.0, "ok", 1500, id="the answer came late"),
        pytest.param(0.0, 1.0, "ok", 1900, id="the question came late, and so did the work"),
        pytest.param(0.5, 3.0, "HTTP 504", 2000, id="nobody waited for the answer any more"),
        pytest.param(0.0, 3.0, "HTTP 504", 2000, id="nobody waited any more when the question came"),
    ],
)
def test_what_a_black_hole_swallowed_arrives_when_it_is_gone(twin, begun_s, lasts_s, status, took_ms):
    fleet = twin(trio("{calls: {db: {timeout_s: 2}}}", "{work_ms: 900}"))
    if begun_s:
        fleet.begin("web", 1.0, 1.0)
        fleet.sleep(begun_s)
    fleet.runtime.poison(LINK, BLACKHOLE)
    if not begun_s:
        fleet.begin("web", 1.0, 1.0)
    fleet.sleep(lasts_s)
    cleanse(fleet)
    fleet.sleep(3.0)
    (request,) = fleet.seen.requests
    assert request.kind == status
    assert request.latency_ms == pytest.approx(took_ms, abs=100)


def test_a_dependency_that_is_down_refuses_through_any_link(twin):
    fleet = twin(trio())
    fleet.runtime.poison(LINK, BLACKHOLE)
    fleet.runtime.kill(["db"])
    requests = fleet.send("web")
    assert kinds(requests) == {"HTTP 502": 10}
    assert late(requests, 20) == 0


# What is seen.


@pytest.mark.parametrize(
    ("toxics", "away", "after_s"),
    [
        pytest.param([Toxic(REFUSING)], "gone", 0.15, id="refuse"),
        pytest.param([Toxic("reset_peer", {"timeout": 0})], "gone", 0.15, id="reset"),
        pytest.param([Toxic("limit_data", {"bytes": 0})], "gone", 0.15, id="limit_data"),
        pytest.param([Toxic("timeout", {"timeout": 100})], "gone", 0.15, id="timeout"),
        pytest.param([Toxic("timeout", {"timeout": 2000})], "hung", 0.65, id="timeout that is longer"),
        pytest.param(BLACKHOLE, "hung", 0.65, id="blackhole"),
        pytest.param([Toxic("latency", {"latency": 500})], "hung", 0.65, id="latency"),
        pytest.param([Toxic("loss", {"percent": 100})], "hung", 0.65, id="loss"),
        pytest.param([Toxic("http_error", {"status": 503})], "sick", 0.15, id="http_error"),
    ],
)
def test_how_a_dependency_looks_through_a_link(twin, toxics, away, after_s):
    """It exits when the other is away in just this way; the next process never met anybody, and waits."""
    fleet = twin(trio(f"{{reactions: [{{when: {{db: {away}}}, then: exits}}]}}"))
    fleet.sleep(1.0)
    began_s = fleet.now()
    fleet.runtime.poison(LINK, toxics)
    fleet.sleep(5.0)
    assert [at_s - began_s for at_s in fleet.exits("web")] == [pytest.approx(after_s, abs=0.02)]
    assert fleet.away("shop") is None
    assert fleet.away("db") is None
    cleanse(fleet)
    fleet.sleep(1.0)
    assert fleet.away("web") is None


def test_who_is_late_first_and_silent_later_hangs_from_then_on(twin):
    fleet = twin(trio("{reactions: [{when: {db: hung}, then: exits}]}"))
    fleet.sleep(1.0)
    fleet.runtime.poison(LINK, [Toxic("latency", {"latency": 100})])
    fleet.sleep(3.0)
    began_s = fleet.now()
    fleet.runtime.poison(LINK, BLACKHOLE)
    fleet.sleep(3.0)
    assert [at_s - began_s for at_s in fleet.exits("web")] == [pytest.approx(0.65, abs=0.02)]


@pytest.mark.parametrize(
    "toxics",
    [
        [Toxic("latency", {"latency": 400})],
        [Toxic("loss", {"percent": 50})],
        [Toxic("slow_close", {"delay": 5000})],
        [Toxic("http_error", {"status": 429})],
        [Toxic("http_error", {"status": 503}, toxicity=0.3)],
        NARROW,
    ],
    ids=lambda toxics: toxics[0].kind,
)
def test_who_is_only_slow_or_refuses_a_few_looks_well(twin, toxics):
    fleet = twin(trio())
    fleet.runtime.poison(LINK, toxics)
    fleet.sleep(5.0)
    assert fleet.away("web") is None


def test_without_a_hard_dependency_a_service_is_sick_and_without_a_soft_one_it_is_not(twin):
    fleet = twin(trio())
    fleet.runtime.poison("web -> log", BLACKHOLE)
    fleet.sleep(3.0)
    assert fleet.away("web") is None
    fleet.runtime.poison(LINK, BLACKHOLE)
    fleet.sleep(3.0)
    assert fleet.away("web") == "sick"
    cleanse(fleet, "web -> *")
    fleet.sleep(0.5)
    assert fleet.away("web") is None


def test_who_has_an_answer_within_its_patience_notices_no_silence(twin):
    fleet = twin(trio("{calls: {db: {timeout_s: 2}}}"))
    for _ in range(3):
        fleet.runtime.poison(LINK, BLACKHOLE)
        fleet.sleep(1.0)
        cleanse(fleet)
        fleet.sleep(0.5)
        assert fleet.away("web") is None


@pytest.mark.parametrize(
    ("toxics", "after"),
    [
        ([Toxic("reset_peer", {"timeout": 0})], "sick"),
        ([Toxic(REFUSING)], "sick"),
        ([Toxic("timeout", {"timeout": 100})], "sick"),
        ([Toxic("limit_data", {"bytes": 0})], "sick"),
        (BLACKHOLE, None),
        ([Toxic("http_error", {"status": 503})], None),
    ],
    ids=["reset", "refuse", "timeout", "limit_data", "blackhole", "http_error"],
)
def test_a_connection_that_broke_is_kept_until_the_restart(twin, toxics, after):
    fleet = twin(trio("{calls: {db: {reconnects: false}}}"))
    fleet.sleep(1.0)
    fleet.runtime.poison(LINK, toxics)
    fleet.sleep(2.0)
    cleanse(fleet)
    fleet.sleep(30.0)
    assert fleet.away("web") == after
    fleet.runtime.restart(["web"])
    fleet.sleep(1.0)
    assert fleet.away("web") is None


def test_who_needs_somebody_at_its_start_needs_the_way_there(twin):
    fleet = twin(trio("{needs_at_start: [db]}"))
    fleet.runtime.poison(LINK, BLACKHOLE)
    fleet.runtime.restart(["web"])
    fleet.sleep(3.0)
    assert fleet.seen.exits("web")[-1].exit_code == 1
    cleanse(fleet)
    fleet.sleep(5.0)
    assert (fleet.state("web"), fleet.away("web")) == ("running", None)


def test_a_volley_is_sent_at_one_moment(twin):
    text = TRIO.replace("WEB", "{calls: {db: {retries: 50, volley: true, breaker: 0}}}").replace("DB}", "{}}")
    fleet = twin(text.replace("x-knockon: {soft", 'x-knockon: {counters: {url: "http://127.0.0.1:1/"}, soft'))
    fleet.clients.count_calls()
    fleet.runtime.poison(LINK, BLACKHOLE)
    (request,) = fleet.send("web", 1.0, 1.0)
    fleet.sleep(0.5)
    assert (request.kind, round(request.latency_ms, -2)) == ("HTTP 504", 1000)
    assert [seen.count for seen in fleet.seen.calls if seen.caller == "web"][-1] == 51
