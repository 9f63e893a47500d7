"""What becomes of a service's processes."""

from __future__ import annotations

import pytest

from fuzzer.runtimes.sim.runtime import UP_S, SimRuntime
from models.errors import StepInvalid
from models.observation import Change

WEB = "services: {web: {restart: POLICY, x-knockon: {model: MODEL}}}"


def web(policy="always", model="{}"):
    return WEB.replace("POLICY", f'"{policy}"').replace("MODEL", model)


def gaps(fleet, service):
    """Seconds from each death to the start after it."""
    return [round(s - e, 2) for e, s in zip(fleet.exits(service), fleet.starts(service), strict=False)]


def test_crashes_in_a_row_come_back_later_each_time(twin):
    fleet = twin(web())
    for _ in range(4):
        fleet.runtime.crash(["web"])
        fleet.sleep(3.0)
    assert gaps(fleet, "web") == [0.35, 0.45, 0.65, 1.05]
    fleet.sleep(10.0)
    fleet.runtime.crash(["web"])
    fleet.sleep(3.0)
    assert gaps(fleet, "web")[-1] == 0.35
    assert fleet.runtime.status("web").restarts == 5


def test_on_failure_gives_up_after_its_retries(twin):
    fleet = twin(web("on-failure:2"))
    for _ in range(3):
        fleet.runtime.crash(["web"])
        fleet.sleep(5.0)
    assert fleet.state("web") == "down"
    assert [exited.returns for exited in fleet.seen.exits("web")] == [True, True, False]


@pytest.mark.parametrize("deed", ["kill", "stop"])
def test_what_waits_for_its_policy_can_be_called_off(twin, deed):
    fleet = twin(web())
    fleet.runtime.crash(["web"])
    getattr(fleet.runtime, deed)(["web"])
    fleet.sleep(60.0)
    assert fleet.state("web") == "down"
    crashed, called_off = fleet.seen.exits("web")
    assert (crashed.returns, called_off.returns) == (True, False)
    assert crashed.instance == called_off.instance, "it is the same death"
    assert (crashed.exit_code, called_off.exit_code) == (137, 137)


def test_what_waits_for_its_policy_can_be_started_or_restarted_at_once(twin):
    fleet = twin(web())
    for deed in (fleet.runtime.start, fleet.runtime.restart):
        fleet.runtime.crash(["web"])
        deed(["web"])
        assert fleet.state("web") == "running"
        fleet.sleep(60.0)
    assert fleet.seen.changes("web") == [Change.EXITED, Change.STARTED] * 2


def test_a_start_by_hand_forgets_earlier_deaths(twin):
    fleet = twin(web())
    for _ in range(3):
        fleet.runtime.crash(["web"])
        fleet.sleep(2.0)
    fleet.runtime.restart(["web"])
    fleet.runtime.crash(["web"])
    fleet.sleep(1.0)
    assert gaps(fleet, "web")[-1] == 0.35


def test_a_start_that_is_frozen_goes_on_when_it_is_let_go(twin):
    fleet = twin(web(model="{start_s: 2}"))
    fleet.runtime.restart(["web"])
    fleet.sleep(1.0)
    fleet.runtime.pause(["web"])
    fleet.sleep(10.0)
    assert fleet.away("web") == "gone", "nobody listens yet"
    fleet.runtime.unpause(["web"])
    fleet.sleep(0.1)
    assert fleet.away("web") is None


def test_who_is_frozen_at_its_start_still_fails_at_its_start(twin):
    fleet = twin(web(model="{unclean: {exit_code: 3}}", policy="on-failure"))
    fleet.runtime.crash(["web"])
    fleet.sleep(0.36)
    fleet.runtime.pause(["web"])
    fleet.sleep(1.0)
    fleet.runtime.unpause(["web"])
    fleet.sleep(0.1)
    assert [exited.exit_code for exited in fleet.seen.exits("web")] == [137, 3]


def test_a_frozen_service_can_be_restarted(twin):
    fleet = twin(web())
    fleet.runtime.pause(["web"])
    fleet.runtime.restart(["web"])
    fleet.sleep(1.0)
    assert fleet.seen.changes("web") == [Change.PAUSED, Change.RESUMED, Change.EXITED, Change.STARTED]
    assert fleet.away("web") is None


@pytest.mark.parametrize(("deed", "listens_after_s"), [("crash", 20.35), ("restart", 0.4)])
def test_a_start_after_an_unclean_death_may_take_longer(twin, deed, listens_after_s):
    fleet = twin(web(model="{unclean: {start_s: 20}}"))
    getattr(fleet.runtime, deed)(["web"])
    died_s = fleet.exits("web")[0]
    while fleet.away("web"):
        fleet.sleep(0.01)
    assert fleet.now() - died_s == pytest.approx(listens_after_s, abs=0.1)


def test_calling_off_a_return_does_not_make_a_death_clean(twin):
    fleet = twin(web(model="{unclean: {start_s: 20}}"))
    fleet.runtime.crash(["web"])
    fleet.runtime.stop(["web"])
    fleet.runtime.start(["web"])
    fleet.sleep(10.0)
    assert fleet.away("web") == "gone"


def test_an_exit_at_the_start_happens_once(twin):
    fleet = twin(web("always", "{unclean: {exit_code: 0}}"))
    fleet.runtime.crash(["web"])
    fleet.sleep(5.0)
    assert [exited.exit_code for exited in fleet.seen.exits("web")] == [137, 0]
    assert fleet.away("web") is None


def test_a_stop_takes_its_time_and_ten_seconds_at_most(twin):
    fleet = twin(web(model="{stop_s: 60}"))
    began_s = fleet.now()
    fleet.runtime.stop(["web"])
    (exited,) = fleet.seen.exits("web")
    assert exited.at_s - began_s == pytest.approx(10.0, abs=0.1)
    assert exited.exit_code == 137


def test_who_dies_while_it_is_stopped_dies_once(twin):
    fleet = twin("""
services:
  web: {x-knockon: {soft: [db], model: {stop_s: 5, reactions: [{when: {db: gone}, then: exits}]}}}
  db: {image: x}
""")
    fleet.sleep(1.0)
    fleet.runtime.kill(["db"])
    fleet.runtime.stop(["web"])
    assert [exited.exit_code for exited in fleet.seen.exits("web")] == [1]
    assert fleet.state("web") == "down"


def test_replicas_live_and_die_together(twin):
    fleet = twin("services: {web: {restart: always, scale: 3}}")
    assert len(set(fleet.runtime.status("web").instances)) == 3
    fleet.runtime.crash(["web"])
    fleet.sleep(2.0)
    assert len({exited.instance for exited in fleet.seen.exits("web")}) == 3
    assert fleet.seen.changes("web") == [Change.EXITED] * 3 + [Change.STARTED] * 3


def test_a_service_that_does_not_run_cannot_be_crashed(twin):
    fleet = twin(web())
    fleet.runtime.crash(["web"])
    with pytest.raises(StepInvalid, match="cannot crash web: it is returning"):
        fleet.runtime.crash(["web"])


# Coming up.


def test_compose_waits_for_what_it_was_told_to_wait_for(read):
    target = read("""
services:
  web: {depends_on: {db: {condition: service_healthy}}}
  log: {depends_on: [db]}
  db: {healthcheck: {test: x, interval: 5s}, x-knockon: {model: {start_s: 7}}}
""")
    with SimRuntime(target) as runtime:
        started_s = {name: service._started_s for name, service in runtime.services.items()}
    assert started_s["db"] == 0
    assert started_s["web"] == pytest.approx(10.0, abs=0.3), "the second look of the check finds it well"
    assert started_s["log"] < 10, "it was only to be started, and tries again until db answers"


def test_who_waits_for_somebody_that_never_gets_well_is_never_started(read):
    target = read("""
services:
  web: {depends_on: {db: {condition: service_healthy}}}
  db: {x-knockon: {model: {start_s: 3600}}}
""")
    with SimRuntime(target) as runtime:
        assert runtime.status("db").state == "running"
        assert runtime.status("web").state == "down"
        assert runtime.clock.now() == pytest.approx(UP_S, abs=1)


def test_services_that_need_each_other_at_their_start_do_not_come_up(read):
    target = read(
        """
services:
  a: {restart: POLICY, x-knockon: {model: {start_s: 0, needs_at_start: [b]}}}
  b: {restart: POLICY, x-knockon: {model: {start_s: 0, needs_at_start: [a]}}}
""".replace("POLICY", '"no"')
    )
    with SimRuntime(target) as runtime:
        assert [service.away for service in runtime.services.values()] == ["gone", "gone"]
        assert runtime.kernel.happened < 100_000
