"""What every runtime promises. A new runtime is done when it passes this, unchanged.

Services of the hardened shop: ``orders-db`` and most others come back by themselves
(``unless-stopped``), ``analytics-service`` does not (``no``), and nothing else minds its absence.
"""

from __future__ import annotations

from itertools import pairwise

import pytest

from fuzzer.runtimes.able import CanCrash, CanKill, CanPause, CanRestart, CanStart, CanStop
from fuzzer.runtimes.base import ProcessState, Undo
from models.errors import RequestError, StepInvalid
from models.observation import Change
from tests.conformance.saw import Saw, until

RETURNS = "product-service"
STAYS = "analytics-service"
ABLE = (CanKill, CanCrash, CanStop, CanStart, CanRestart, CanPause)


def state(runtime, service):
    return runtime.status(service).state


def until_back(runtime, saw, service, since_s):
    until(runtime.clock, lambda: state(runtime, service) is ProcessState.RUNNING, f"{service} does not run")
    until(runtime.clock, lambda: saw.healthy_since(service, since_s), f"{service} is not healthy again")


def in_order(saw, service):
    """The changes of one service, whose times must not go back."""
    seen = saw.of(service)
    assert all(a.at_s <= b.at_s for a, b in pairwise(seen)), seen
    assert all(p.instance for p in seen)
    return [p.change for p in seen]


def test_it_is_watched_from_the_first_moment(runtime, saw):
    for name in runtime.target.topology.services:
        status = runtime.status(name)
        assert (status.service, status.state) == (name, ProcessState.RUNNING)
        assert len(status.instances) == 1
        assert status.since
        seen = saw.health_of(name)
        assert all(h.at_s <= h.ended_s <= runtime.clock.now() for h in seen)
        assert all(a.ended_s <= b.at_s for a, b in pairwise(seen)), "one probe after the other"


def test_a_service_answers_at_its_url(runtime, kind):
    for name in runtime.target.topology.services:
        assert runtime.url(name)
        assert kind.answers(runtime, name, 5.0)


def test_a_kill_is_final_until_started(runtime, saw):
    assert isinstance(runtime, ABLE)
    began_s = runtime.clock.now()
    runtime.kill([RETURNS])
    ended_s = runtime.clock.now()
    (seen,) = saw.exits(RETURNS)
    assert (seen.exit_code, seen.returns) == (137, False)
    assert began_s <= seen.at_s <= ended_s, "it is told before kill returns"
    assert state(runtime, RETURNS) is ProcessState.DOWN
    assert runtime.status(RETURNS).instances == ()
    until(runtime.clock, lambda: saw.health_of(RETURNS, ended_s), "no probe says that it is down")
    runtime.clock.sleep(1.0)  # longer than any policy takes
    assert not any(h.healthy for h in saw.health_of(RETURNS, ended_s))
    assert state(runtime, RETURNS) is ProcessState.DOWN
    back_s = runtime.clock.now()
    runtime.start([RETURNS])
    runtime.start([RETURNS])
    until_back(runtime, saw, RETURNS, back_s)
    assert in_order(saw, RETURNS) == [Change.EXITED, Change.STARTED]
    assert saw.of(RETURNS)[-1].at_s >= back_s
    assert saw.interference == []


def test_a_crash_comes_back_by_its_policy(runtime, saw):
    before = runtime.status(RETURNS).restarts
    began_s = runtime.clock.now()
    runtime.crash([RETURNS])
    (seen,) = saw.exits(RETURNS)
    assert (seen.exit_code, seen.returns) == (137, True)
    assert began_s <= seen.at_s <= runtime.clock.now()
    until_back(runtime, saw, RETURNS, seen.at_s)
    assert in_order(saw, RETURNS) == [Change.EXITED, Change.STARTED]
    unhealthy = [h for h in saw.health_of(RETURNS, began_s) if not h.healthy]
    assert unhealthy, "probes saw it down"
    assert unhealthy[0].ended_s - seen.at_s < 0.5, "soon"
    assert runtime.status(RETURNS).restarts == before + 1
    assert saw.interference == []


def test_a_crash_under_the_policy_no_is_final(runtime, saw):
    runtime.crash([STAYS])
    (seen,) = saw.exits(STAYS)
    assert (seen.exit_code, seen.returns) == (137, False)
    assert state(runtime, STAYS) is ProcessState.DOWN
    runtime.clock.sleep(0.5)
    assert state(runtime, STAYS) is ProcessState.DOWN
    assert in_order(saw, STAYS) == [Change.EXITED]


def test_each_process_has_a_name_of_its_own(runtime, saw):
    old = runtime.status(RETURNS).instances
    runtime.crash([RETURNS])
    until(runtime.clock, lambda: Change.STARTED in saw.changes(RETURNS))
    until(runtime.clock, lambda: runtime.status(RETURNS).instances)
    exited, started = saw.of(RETURNS)
    assert (exited.instance,) == old
    assert (started.instance,) == runtime.status(RETURNS).instances


def test_several_die_at_the_same_moment(runtime, saw):
    several = ["api-gateway", "user-service", STAYS]
    runtime.crash(several)
    died_s = [saw.exits(name)[0].at_s for name in several]
    assert max(died_s) - min(died_s) < 0.5
    assert [saw.exits(name)[0].returns for name in several] == [True, True, False]
    for name in several[:2]:
        until(runtime.clock, lambda name=name: state(runtime, name) is ProcessState.RUNNING)
    saw.processes.clear()
    runtime.kill(several[:2])
    died_s = [saw.exits(name)[0].at_s for name in several[:2]]
    assert max(died_s) - min(died_s) < 0.5
    runtime.start(several)
    started_s = [saw.of(name)[-1].at_s for name in several]
    assert started_s == sorted(started_s), "in the given order"


def test_a_stop_is_orderly_and_final_until_started(runtime, saw):
    runtime.stop([RETURNS])
    (seen,) = saw.exits(RETURNS)
    assert (seen.exit_code, seen.returns) == (0, False)
    assert state(runtime, RETURNS) is ProcessState.DOWN
    began_s = runtime.clock.now()
    runtime.undo(Undo("start", (RETURNS,)))
    runtime.undo(Undo("start", (RETURNS,)))
    until_back(runtime, saw, RETURNS, began_s)
    assert in_order(saw, RETURNS) == [Change.EXITED, Change.STARTED]


def test_a_restart_comes_back_whatever_the_policy(runtime, saw):
    began_s = runtime.clock.now()
    runtime.restart([STAYS, RETURNS])
    for name in (STAYS, RETURNS):
        assert in_order(saw, name) == [Change.EXITED, Change.STARTED]
        assert saw.exits(name)[0].returns is True, "nobody has to think that it stays down"
        until_back(runtime, saw, name, began_s)
    runtime.kill([STAYS])
    runtime.restart([STAYS])
    until(runtime.clock, lambda: state(runtime, STAYS) is ProcessState.RUNNING)
    assert saw.interference == []


def test_a_frozen_service_hangs_until_it_is_let_go(runtime, saw, kind):
    began_s = runtime.clock.now()
    runtime.pause([RETURNS])
    frozen_s = runtime.clock.now()
    assert state(runtime, RETURNS) is ProcessState.PAUSED
    assert len(runtime.status(RETURNS).instances) == 1
    until(runtime.clock, lambda: len(saw.health_of(RETURNS, frozen_s)) > 1)
    hang = saw.health_of(RETURNS, frozen_s)[0]
    assert not hang.healthy
    assert "timeout" in hang.detail
    timeout_s = runtime.target.limits.health_timeout_s
    assert timeout_s <= hang.ended_s - hang.at_s < timeout_s + 1.0
    with pytest.raises(StepInvalid):
        runtime.pause([RETURNS])
    assert not kind.answers(runtime, RETURNS, 0.3)
    thawed_s = runtime.clock.now()
    runtime.unpause([RETURNS])
    runtime.unpause([RETURNS])
    until_back(runtime, saw, RETURNS, thawed_s)
    assert in_order(saw, RETURNS) == [Change.PAUSED, Change.RESUMED]
    paused, resumed = saw.of(RETURNS)
    assert began_s <= paused.at_s <= frozen_s
    assert thawed_s <= resumed.at_s


@pytest.mark.parametrize("deed", ["kill", "stop"])
def test_what_is_frozen_can_be_ended(runtime, saw, deed):
    runtime.pause([RETURNS])
    getattr(runtime, deed)([RETURNS])
    assert state(runtime, RETURNS) is ProcessState.DOWN
    assert saw.exits(RETURNS)[-1].returns is False
    began_s = runtime.clock.now()
    runtime.undo(Undo("unpause", (RETURNS,)))
    assert state(runtime, RETURNS) is ProcessState.DOWN, "there is nothing to let go"
    runtime.undo(Undo("start", (RETURNS,)))
    until_back(runtime, saw, RETURNS, began_s)


def test_what_is_down_can_only_be_started(runtime, saw):
    runtime.kill([STAYS])
    for deed in (runtime.kill, runtime.stop, runtime.crash, runtime.pause):
        with pytest.raises(StepInvalid, match=STAYS):
            deed([STAYS])
    runtime.unpause([STAYS])
    assert in_order(saw, STAYS) == [Change.EXITED]


def test_undoing_is_idempotent_and_knows_its_verbs(runtime, saw):
    runtime.pause([STAYS])
    for _ in range(2):
        runtime.undo(Undo("unpause", (STAYS, RETURNS)))
        runtime.undo(Undo("start", (STAYS, RETURNS, "a-service-of-an-older-version")))
        assert state(runtime, STAYS) is ProcessState.RUNNING
    assert in_order(saw, STAYS) == [Change.PAUSED, Change.RESUMED]
    assert in_order(saw, RETURNS) == []
    with pytest.raises(RequestError, match="'thaw'"):
        runtime.undo(Undo("thaw", (STAYS,)))


def test_a_dead_dependency_harms_only_who_needs_it(runtime, saw):
    """Not a runtime's promise, but the reason for all of them: both agree on who is sick."""
    runtime.kill(["orders-db"])
    radius = runtime.target.topology.blast_radius({"orders-db"})
    outside = set(runtime.target.topology.services) - radius
    until(runtime.clock, lambda: not any(saw.health_of(name)[-1].healthy for name in radius))
    assert all(saw.health_of(name)[-1].healthy for name in outside)
    assert {p.service for p in saw.processes} == {"orders-db"}


def test_a_journal_is_written_and_forgotten(runtime):
    entry = runtime.journal.write([Undo("start", (STAYS,)), Undo("unpause", (RETURNS,))])
    runtime.journal.remove(entry)
    runtime.journal.remove(entry)
    assert entry not in runtime.journal.pending()


def test_nothing_is_told_after_leaving(kind):
    saw = Saw()
    with kind.make() as runtime:
        runtime.watch(saw)
        until(runtime.clock, lambda: saw.health)
    heard = len(saw.health), len(saw.processes)
    runtime.clock.sleep(0.3)
    assert (len(saw.health), len(saw.processes)) == heard
    assert saw.interference == []
