"""The parts that need no engine: whose a run is, what time it is there, what an event means."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from docker.errors import APIError, NotFound
from requests import Response
from requests.exceptions import ConnectionError as Refused

from fuzzer.runtimes.base import ProcessState
from fuzzer.runtimes.docker.clients import reachable_host, translated
from fuzzer.runtimes.docker.clock import EngineTime, epoch_s
from fuzzer.runtimes.docker.containers import Container, Look
from fuzzer.runtimes.docker.fleet import Fleet
from fuzzer.runtimes.docker.intents import AFTER_S, Intents
from fuzzer.runtimes.docker.lease import LEASE, LEASE_S, Living
from fuzzer.runtimes.docker.lives import Event, Life
from fuzzer.runtimes.docker.owner import Owner
from models.errors import Interference, RuntimeUnavailable, StepInvalid
from models.observation import Change
from models.target import Restart, RestartPolicy

RUNNING = Look(ProcessState.RUNNING, 7, 0, 100.0, 0.0, 0, "", RestartPolicy(Restart.ALWAYS), ())


def life(policy=Restart.ALWAYS, retries=None):
    seen = Look(ProcessState.RUNNING, 7, 0, 100.0, 0.0, 0, "", RestartPolicy(policy, retries), ())
    return Life(Container("c" * 64, "shop_web_1", "web", 1, "sha256:1", 10), seen, 101.0)


def event(action, engine_s=200.0, exit_code=0):
    return Event("c" * 64, "shop_web_1", "web", action, engine_s, engine_s - 90, exit_code)


def test_an_operators_kill_cancels_every_policy_until_the_next_start():
    web = life()
    assert web.heard(event("kill"), "kill") == (None, "")
    assert web.heard(event("die", exit_code=137), "kill")[0].returns is False
    assert web.heard(event("start"), "start")[0].change is Change.STARTED
    assert web.heard(event("die", exit_code=137), None)[0].returns is True


def test_the_policys_own_start_is_nobodys_interference():
    web = life()
    web.heard(event("die", exit_code=1), None)
    assert web.not_running == "exited with 1, is being started again"
    assert web.heard(event("start"), None)[1] == ""
    assert web.restarts == 1


def test_what_happened_before_the_look_is_no_news():
    web = life()
    assert web.heard(event("die", engine_s=100.5), None) == (None, "")
    assert web.heard(event("kill", engine_s=99.0), None) == (None, "")
    assert not web.poisoned, "that was an earlier process"
    web.heard(event("kill", engine_s=100.5), None)
    assert web.poisoned


def test_an_event_told_twice_counts_once():
    web = life(Restart.NO)
    assert web.heard(event("die", exit_code=1), None)[0]
    assert web.heard(event("die", exit_code=1), None)[0] is None
    assert web.not_running == "exited with 1"


@pytest.mark.parametrize("ahead_s", [0.0, 3600.0, -5.0])
def test_the_engines_time_is_placed_on_our_clock(ahead_s):
    def ask():
        time.sleep(0.004)
        said = datetime.fromtimestamp(time.time() + ahead_s, UTC).isoformat()
        time.sleep(0.004)
        return said

    there = EngineTime()
    there.measure(ask)
    now_s = time.monotonic()
    assert there.on_our_clock(time.time() + ahead_s - 1) == pytest.approx(now_s - 1, abs=0.005)
    assert there.on_our_clock(time.time() + ahead_s + 9) <= time.monotonic(), "not in the future"
    assert there.engine_now_s() <= time.time() + ahead_s
    assert (there.skew_s == 0) is (ahead_s == 0)


@pytest.fixture
def clocks(monkeypatch):
    """Our wall clock and the engine's, by how much each was set, and the engine's time as it was measured."""
    ours, engines, wall = [0.0], [0.0], time.time
    monkeypatch.setattr(time, "time", lambda: wall() + ours[0])
    there = EngineTime()
    there.measure(lambda: datetime.fromtimestamp(wall() + engines[0], UTC).isoformat())
    return there, ours, engines, lambda: wall() + engines[0]


def test_our_clock_that_was_set_moves_no_event(clocks):
    there, ours, _, engine_now_s = clocks
    for ours[0] in (3600.0, -3600.0):
        assert there.was_set() == 0.0
        assert there.on_our_clock(engine_now_s() - 1) == pytest.approx(time.monotonic() - 1, abs=0.05)
        assert there.engine_now_s() == pytest.approx(engine_now_s(), abs=0.05)


@pytest.mark.parametrize("step_s", [60.0, -60.0])
def test_the_one_clock_of_both_that_was_set_is_noticed_once(clocks, step_s):
    there, ours, engines, engine_now_s = clocks
    ours[0] = engines[0] = step_s
    assert there.was_set() == pytest.approx(step_s, abs=0.05)
    assert there.was_set() == 0.0
    assert there.on_our_clock(engine_now_s()) == pytest.approx(time.monotonic(), abs=0.05)


def test_an_engines_clock_that_was_set_elsewhere_is_noticed_by_its_events(clocks, monkeypatch):
    there, _, engines, engine_now_s = clocks
    monkeypatch.setattr("fuzzer.runtimes.docker.clock.AGAIN_S", 0.0)
    engines[0] = 60.0
    assert there.was_set() == 0.0, "nothing shows it yet"
    assert there.was_set(engine_now_s()) == pytest.approx(60, abs=0.05)
    assert there.was_set(engine_now_s() - 3600) == 0.0, "an event of an hour ago that is told again"


def adopted(web, saw, intents, inspect=lambda container: None):
    fleet = Fleet(["web"], intents, inspect, lambda: 300.0)
    fleet.adopt([(web.container, RUNNING)], 150.0)
    fleet.report_to(saw, lambda service: None)
    return fleet


def test_after_the_clock_was_set_back_the_next_event_is_news(saw):
    fleet, early = adopted(life(), saw, Intents(lambda: 0.0)), event("die", engine_s=140.0, exit_code=1)
    fleet.heard(early)
    assert saw.processes == []
    fleet.clock_was_set(-60.0)
    assert saw.interference == ["the engine's clock was set by -60.0 s"]
    fleet.heard(early)
    assert saw.changes("web") == [Change.EXITED]


@pytest.mark.parametrize("ours", [False, True])
def test_an_exit_that_nobody_heard_of_proves_nothing_unless_we_asked_for_it(saw, ours):
    web, intents = life(), Intents(lambda: 20.0)
    ended = replace(RUNNING, state=ProcessState.DOWN, exit_code=137, finished_s=290.2)
    fleet = adopted(web, saw, intents, lambda container: (web.container, ended))
    if ours:
        with intents.meaning("kill", [web.container.id]):
            pass
    fleet.reconcile(fleet.lives, lambda engine_s: engine_s - 270)
    assert saw.changes("web") == [Change.EXITED]
    assert saw.interference == ([] if ours else ["shop_web_1 exited while the engine could not be heard"])


def test_why_an_engine_does_not_answer_is_told_without_its_wrapping():
    error = Refused("('Connection aborted.', ConnectionRefusedError(111, 'Connection refused'))")
    error.__context__ = ConnectionRefusedError(111, "Connection refused")
    with pytest.raises(RuntimeUnavailable) as told, translated("ask"):
        raise error
    assert str(told.value) == "ask: the engine does not answer: connection refused"


def test_moments_are_read_as_the_engine_writes_them():
    assert epoch_s("2026-11-23T13:37:47.890515055Z") == pytest.approx(1795441067.890515)
    assert epoch_s("2026-11-23T15:37:47+02:00") == epoch_s("2026-11-23T13:37:47Z")
    assert epoch_s("0001-01-01T00:00:00Z") == 0


def test_only_what_we_asked_for_when_we_asked_is_ours():
    now = [10.0]
    intents = Intents(lambda: now[0])
    with intents.meaning("kill", ["a"]):
        now[0] = 11.0
    assert intents.behind("die", "a", 10.5) == ("kill", 10.0)
    assert intents.behind("kill", "a", 11.0 + AFTER_S / 2) == ("kill", 10.0)
    assert intents.behind("kill", "a", 11.1 + AFTER_S) is None
    assert intents.behind("kill", "b", 10.5) is None
    assert intents.behind("start", "a", 10.5) is None


def test_a_run_is_over_when_its_process_is():
    me = Owner.me()
    assert not me.gone
    assert not Owner.from_label(me.to_label()).gone
    assert replace(me, pid=2**22 + 1).gone
    assert replace(me, started="1").gone, "its pid has come round again"


NOW_S = 1_700_000_000.0


class Leases:
    """An engine that knows leases, and what time it is."""

    def __init__(self, now_s: float, **renewed_s: float) -> None:
        self.now_s, self.renewed_s, self.asked = now_s, renewed_s, 0

    @contextmanager
    def lent(self, doing):
        self.asked += 1
        yield self

    def info(self):
        return {"SystemTime": datetime.fromtimestamp(self.now_s, UTC).isoformat()}

    def containers(self, **options):
        return [
            {"Labels": {LEASE: run}, "Names": [f"/knockon-lease-{run}-{at_s:.3f}"]}
            for run, at_s in self.renewed_s.items()
        ]


def test_a_run_elsewhere_lives_for_as_long_as_it_renews_its_lease():
    there = replace(Owner.me(), place="another machine", pid=1, written_ns=0)
    engine = Leases(NOW_S, fresh=NOW_S - LEASE_S + 1, stale=NOW_S - LEASE_S - 1)
    living = Living(engine)
    assert not living.is_over(there, "fresh"), "however long ago it wrote this"
    assert living.is_over(there, "stale")
    assert living.is_over(there, "gave it back")
    assert not living.is_over(replace(there, written_ns=int(NOW_S - 1) * 10**9), "took none yet")
    assert engine.asked == 1


def test_of_a_run_on_this_machine_no_lease_is_asked_for():
    engine = Leases(0.0)
    assert not Living(engine).is_over(Owner.me(), "any")
    assert Living(engine).is_over(replace(Owner.me(), pid=2**22 + 1), "any")
    assert Living(engine).is_over(None, "any"), "who that was cannot be read"
    assert engine.asked == 0
    assert Owner.from_label("{}") is None


def answered(status):
    response = Response()
    response.status_code = status
    return response


@pytest.mark.parametrize(
    ("error", "wanted"),
    [
        (NotFound("", answered(404), "No such container"), Interference),
        (APIError("", answered(409), "is not running"), StepInvalid),
        (APIError("", answered(500), "out of space"), RuntimeUnavailable),
        (Refused("refused"), RuntimeUnavailable),
        (ValueError("half an answer"), RuntimeUnavailable),
    ],
)
def test_errors_keep_what_the_engine_said(error, wanted):
    with pytest.raises(wanted, match=r"^kill shop_web_1: the engine"), translated("kill shop_web_1"):
        raise error


def test_published_ports_of_an_engine_elsewhere_are_there():
    assert reachable_host("unix:///var/run/docker.sock") == "127.0.0.1"
    assert reachable_host("tcp://docker:2375") == "docker"
    assert reachable_host("ssh://me@big-machine") == "big-machine"


def test_a_death_right_after_our_restart_is_its_own_and_the_latest_request_is_meant():
    times = iter([10.0, 11.0, 11.2, 12.0])
    intents = Intents(lambda: next(times))
    with intents.meaning("restart", ["c"]):
        assert intents.behind("die", "c", 10.5) == ("restart", 10.0)
    assert intents.behind("die", "c", 11.1) is None
    assert intents.behind("start", "c", 11.1) == ("restart", 10.0)
    with intents.meaning("kill", ["c"]):
        assert intents.behind("die", "c", 11.3) == ("kill", 11.2)


def test_a_replica_is_a_service_with_one_container():
    seen = Look(ProcessState.RUNNING, 7, 0, 100.0, 0.0, 0, "", RestartPolicy(), ())
    both = [Container(str(n) * 64, f"shop_web_{n}", "web", n, "sha256:1", 10) for n in (2, 1)]
    fleet = Fleet(["web"], Intents(lambda: 0.0), lambda container: None, lambda: 0.0)
    fleet.adopt([(one, seen) for one in both], 0.0)
    assert [one.name for one in fleet.containers(["web"])] == ["shop_web_1", "shop_web_2"]
    assert [one.name for one in fleet.containers(["web#2"])] == ["shop_web_2"]
    with pytest.raises(Interference, match="web#3 has no container"):
        fleet.containers(["web#3"])
