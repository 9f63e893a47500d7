"""What is sent beside a scenario, in virtual time; and once for real."""

from collections import Counter
from dataclasses import dataclass, field, replace

import pytest

from fuzzer import traffic as module
from fuzzer.events import Events
from fuzzer.loads.schedule import due_times
from fuzzer.recorder import Recorder
from fuzzer.runner import Runner
from fuzzer.traffic import Traffic
from invariants.catalogue import INVARIANTS
from models.errors import StepInvalid
from models.expected import Expected
from models.load import Durable, Endpoint, Fate, Load, LoadRun, Phase, ReadBack, Request, Shape
from models.scenario import Scenario
from models.verdict import Outcome
from tests.support.fake_fleet import SHOP, FakeFleet, target_of

OK = (200, 5.0, "", "")


@dataclass
class FakeLoads:
    """Engines in virtual time, which answer as a test says: status, latency in ms, error, id."""

    fleet: FakeFleet
    sink: Recorder
    answer: object = lambda phase, number: OK
    trouble: object = lambda phase: ""
    started: list = field(default_factory=list)
    under_way: int = 0
    ends_s: float = float("-inf")
    checks: int = 0
    stopped: bool = True
    counting_from: int | None = None
    asked: list = field(default_factory=list)

    @property
    def quiet(self):
        return not self.under_way

    def start(self, load, urls, phase, shape, rate_rps, duration_s):
        self.started.append((load.name, phase, shape, rate_rps, duration_s, dict(urls)))
        self.stopped = False
        began_s = self.fleet.clock.now()
        run = LoadRun(load, phase, rate_rps, began_s)
        self.sink.saw_load(run)
        self.ends_s = max(self.ends_s, began_s + duration_s)
        self.under_way += 1
        last_s = began_s + duration_s
        for number, offset_s in enumerate(due_times(shape, rate_rps, duration_s)):
            due_s = began_s + offset_s
            endpoint = load.endpoints[number % len(load.endpoints)]
            status, latency_ms, error, written = self.answer(phase, number)
            seen = Request(load.name, endpoint.name, due_s, latency_ms, status, error, 0.0, written)
            last_s = max(last_s, seen.ended_s)
            self.fleet.clock.at(seen.ended_s, lambda seen=seen: self.sink.saw_request(seen))

        def over():
            self.under_way -= 1
            self.sink.saw_load(replace(run, ended_s=self.fleet.clock.now(), trouble=self.trouble(phase)))

        self.fleet.clock.at(last_s, over)

    def count_calls(self):
        self.counting_from = len(self.started)

    def read_back(self, written, urls):
        self.asked.append((list(written), dict(urls)))
        return [ReadBack(w.load, w.endpoint, w.id, w.at_s, Fate.FOUND) for w in written]

    def check(self):
        self.checks += 1

    def stop(self):
        self.stopped = True

    @property
    def phases(self):
        return [phase for _, phase, *_ in self.started]


class Stage:
    """A fleet, its recorder, fake loads, and traffic for a scenario."""

    def __init__(self, text="load checkout 20rps 3s", target=None, loads=None, **limits):
        target = target or target_of(
            *SHOP, published=("checkout", "db", "gateway"), **{"baseline_s": 2.0, **limits}
        )
        self.target = replace(target, loads=loads) if loads else target
        self.fleet = FakeFleet(self.target)
        self.fleet.url = lambda service: f"http://{service}:80"
        self.recorder = Recorder(self.target.topology.services, self.target.limits)
        self.fleet.watch(self.recorder)
        self.loads = FakeLoads(self.fleet, self.recorder)
        self.scenario = Scenario.parse(text)
        self.traffic = Traffic(
            self.scenario,
            self.target,
            self.fleet,
            self.recorder,
            self.loads,
            self.fleet.clock.sleep,
            self.history,
        )
        self.recorder.begin(self.scenario, self.now)

    @property
    def now(self):
        return self.fleet.clock.now()

    def history(self):
        expected = Expected(self.target.topology, self.target.limits.recovery_s_max, self.now)
        return self.recorder.snapshot(expected, self.now)

    def play_on(self):
        """From the end of the baseline to a steady fleet."""
        self.traffic.before()
        self.recorder.first_step(self.now)
        self.fleet.clock.sleep(1.0)
        self.recorder.settled(self.now, steady=True)

    def runner(self):
        return Runner(
            self.target, self.fleet, self.recorder, INVARIANTS, Events(lambda event: None), self.loads
        )


def loads_of(*names, **keys):
    return {name: Load(name, (Endpoint(f"GET /{name}", "checkout", **keys),)) for name in names}


def test_without_a_load_nothing_is_sent_and_no_time_is_spent():
    stage = Stage("crash db; wait 1s")
    began_s = stage.now
    stage.traffic.before()
    stage.traffic.after(began_s + 60)
    stage.traffic.end()
    assert stage.loads.started == []
    assert stage.now == began_s


def test_a_baseline_is_each_load_once_evenly_at_its_highest_rate():
    text = "load browse 20rps 3s; crash db; burst browse 40rps 2s; ramp buy 30rps 2s; load browse 5rps 9s"
    stage = Stage(text, loads=loads_of("browse", "buy", "unused"))
    began_s = stage.now
    stage.traffic.before()
    urls = {"checkout": "http://checkout:80"}
    assert stage.loads.started == [
        ("browse", Phase.BEFORE, Shape.STEADY, 40, 2.0, urls),
        ("buy", Phase.BEFORE, Shape.STEADY, 30, 2.0, urls),
    ]
    assert 2.0 <= stage.now - began_s < 2.5  # at the same time, not one after the other
    assert len(stage.history().requests) == 140
    assert stage.loads.quiet


@pytest.mark.parametrize(("rate", "seconds"), [("8rps", 2.5), ("1rps", 5.0), ("50rps", 2.0)])
def test_a_slow_load_is_sent_for_longer_but_not_for_ever(rate, seconds):
    stage = Stage(f"load checkout {rate} 3s")
    stage.traffic.before()
    assert [duration_s for *_, duration_s, _ in stage.loads.started] == [seconds]


def test_without_a_rate_the_loads_own_is_sent():
    stage = Stage("load checkout 3s")
    stage.traffic.before()
    assert [rate_rps for _, _, _, rate_rps, *_ in stage.loads.started] == [20.0]


def test_a_load_that_fails_on_a_fleet_that_is_well_proves_nothing():
    stage = Stage()
    stage.loads.answer = lambda phase, number: (503, 5.0, "", "") if number % 4 else (None, 5.0, "reset", "")
    with pytest.raises(StepInvalid) as error:
        stage.traffic.before()
    assert str(error.value) == (
        "load checkout is not answered well before any fault: 40 of 40 requests failed (HTTP 503, reset)"
    )


def test_one_stray_failure_before_any_fault_is_no_reason_to_refuse():
    stage = Stage()
    stage.loads.answer = lambda phase, number: OK if number else (503, 5.0, "", "")
    stage.traffic.before()


def test_an_engine_in_trouble_is_no_baseline():
    stage = Stage()
    stage.loads.trouble = lambda phase: "the engine of load checkout fell behind"
    with pytest.raises(StepInvalid, match=r"^the engine of load checkout fell behind$"):
        stage.traffic.before()


def test_a_service_without_an_address_is_told():
    stage = Stage()
    stage.fleet.url = lambda service: None
    with pytest.raises(StepInvalid, match="checkout has no address now"):
        stage.traffic.before()


def test_every_service_that_is_read_back_has_an_address_too():
    load = Load("checkout", (Endpoint("GET /", "checkout", durable=Durable("db", "/{id}")),))
    stage = Stage(loads={"checkout": load})
    stage.traffic.before()
    assert stage.loads.started[0][-1] == {"checkout": "http://checkout:80", "db": "http://db:80"}


def sending(stage):
    from fuzzer.actions.catalogue import ACTIONS

    return ACTIONS["load"].sends(stage.scenario.steps[0], stage.target)


@pytest.mark.parametrize(("latency_ms", "waits_s"), [(300.0, 0.3), (30_000.0, module.FIRST_ANSWER_S)])
def test_a_step_waits_for_the_first_answer_of_its_own_but_not_for_long(latency_ms, waits_s):
    stage = Stage()
    stage.traffic.before()
    stage.loads.answer = lambda phase, number: (200, latency_ms, "", "")
    began_s = stage.now
    stage.traffic.send(sending(stage))
    assert stage.now - began_s == pytest.approx(waits_s, abs=0.05)
    assert stage.loads.phases == [Phase.BEFORE, Phase.DURING]
    assert stage.traffic.ends_s == pytest.approx(began_s + 3)


def test_afterwards_own_loads_end_first_and_are_looked_after():
    stage = Stage()
    stage.play_on()
    stage.traffic.send(sending(stage))
    checks = stage.loads.checks
    stage.traffic.after(stage.now)
    [during, after] = [run for run in stage.history().loads if run.phase is not Phase.BEFORE]
    assert during.ended_s <= after.began_s
    assert stage.loads.checks > checks


def test_afterwards_it_is_tried_again_until_clients_are_served_as_before():
    stage = Stage()
    stage.play_on()
    stage.loads.answer = lambda phase, number: (503, 5.0, "", "") if stage.now < recovers_s else OK
    recovers_s = stage.now + 5
    stage.traffic.after(stage.now + 60)
    assert stage.loads.phases == [Phase.BEFORE] + [Phase.AFTER] * 4  # the fourth began well, after 6 s


def test_afterwards_it_is_not_tried_for_longer_than_anything_is_excused():
    stage = Stage()
    stage.play_on()
    stage.loads.answer = lambda phase, number: (503, 5.0, "", "")
    began_s = stage.now
    stage.traffic.after(began_s + 5)
    runs = [run.began_s for run in stage.history().loads if run.phase is Phase.AFTER]
    assert runs[-1] > began_s + 5  # the last word is spoken when nothing excuses it
    assert runs[-2] <= began_s + 5
    assert len(stage.history().requests) == 40 * (1 + len(runs))


def durable_load():
    first = Endpoint("POST /orders", "checkout", durable=Durable("db", "/orders/{id}", "id"))
    return {"checkout": Load("checkout", (first, Endpoint("GET /", "checkout")))}


def test_what_was_acknowledged_is_read_back():
    stage = Stage(loads=durable_load())
    stage.loads.answer = lambda phase, number: (201, 5.0, "", "" if number % 2 else f"{phase}-{number}")
    stage.play_on()
    stage.traffic.after(stage.now)
    [(written, urls)] = stage.loads.asked
    assert urls == {"db": "http://db:80"}
    assert Counter(one.id.partition("-")[0] for one in written) == {"before": 20, "after": 20}
    requests = {request.written: request for request in stage.history().requests if request.written}
    assert all(one.at_s == requests[one.id].ended_s for one in written)
    assert {one.endpoint for one in written} == {"POST /orders"}
    assert len(stage.history().read_backs) == 40


def test_nothing_written_is_nothing_to_read():
    stage = Stage()
    stage.play_on()
    stage.traffic.after(stage.now)
    assert stage.loads.asked == []


def test_counts_are_watched_from_the_baseline_to_the_end():
    stage = Stage()
    stage.traffic.before()
    assert stage.loads.counting_from == 0
    stage.traffic.end()
    assert stage.loads.stopped


def test_a_scenario_with_a_load_from_end_to_end():
    stage = Stage("load checkout 40rps 3s; crash db")
    played = stage.runner().play(stage.scenario)
    assert played.outcome is Outcome.HOLDS, played.reason
    assert stage.loads.phases == [Phase.BEFORE, Phase.DURING, Phase.AFTER]
    assert played.history.whole
    phases = Counter(played.history.phase_of(request) for request in played.history.requests)
    assert phases == {Phase.BEFORE: 80, Phase.DURING: 120, Phase.AFTER: 80}
    assert stage.loads.stopped


def test_a_fleet_that_stays_bad_for_clients_is_found():
    stage = Stage("load checkout 40rps 3s; crash db", recovery_s_max=5.0)
    stage.loads.answer = lambda phase, number: (
        OK if phase is Phase.BEFORE or number % 2 else (503, 5.0, "", "")
    )
    played = stage.runner().play(stage.scenario)
    assert played.outcome is Outcome.VIOLATED
    assert "metastability" in {violation.invariant for violation in played.violations}


def test_a_sick_baseline_is_unknown_and_nothing_is_harmed():
    stage = Stage("load checkout 40rps 3s; crash db")
    stage.loads.answer = lambda phase, number: (None, 5.0, "refused", "")
    played = stage.runner().play(stage.scenario)
    assert played.outcome is Outcome.UNKNOWN
    assert "80 of 80 requests failed (refused)" in played.reason
    assert "crash db" not in stage.fleet.calls
    assert stage.loads.stopped


def test_a_load_that_is_refused_as_a_whole_is_a_mistake_in_the_target():
    stage = Stage("load checkout 40rps 3s; crash db")
    stage.loads.answer = lambda phase, number: (404, 5.0, "", "")
    played = stage.runner().play(stage.scenario)
    assert played.outcome is Outcome.UNKNOWN
    assert "every request was answered with 404 before any fault" in played.reason


@pytest.mark.parametrize("phase", [Phase.DURING, Phase.AFTER])
def test_an_engine_in_trouble_accuses_nobody(phase):
    stage = Stage("load checkout 40rps 3s; crash db")
    stage.loads.answer = lambda phase, number: OK if phase is Phase.BEFORE else (None, 5.0, "reset", "")
    stage.loads.trouble = lambda now: "the engine of load checkout was killed" if now is phase else ""
    played = stage.runner().play(stage.scenario)
    assert played.outcome is Outcome.UNKNOWN
    assert "the engine of load checkout was killed" in played.reason


def test_an_interruption_stops_the_loads():
    stage = Stage("load checkout 40rps 30s; crash db")
    sleep, asleep = stage.fleet.clock.sleep, []

    def interrupted(seconds):
        if Phase.DURING in stage.loads.phases and not asleep:
            asleep.append(seconds)
            raise KeyboardInterrupt
        sleep(seconds)

    stage.fleet.clock.sleep = interrupted
    with pytest.raises(KeyboardInterrupt):
        stage.runner().play(stage.scenario)
    assert stage.loads.stopped
