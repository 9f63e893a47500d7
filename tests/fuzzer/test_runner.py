import pytest

from fuzzer.halts import Interrupted
from fuzzer.runner import AWAY_S
from fuzzer.runtimes.base import ProcessState, Undo
from models.errors import RuntimeUnavailable, ScenarioError
from models.history import StepState
from models.target import Restart
from models.verdict import Outcome
from tests.support.fake_fleet import SHOP, target_of
from tests.support.rig import rig


def dies_with(victim, *causes):
    """The victim exits while all causes are away."""

    def misbehave(fleet):
        if fleet.is_up(victim) and not any(fleet.is_up(cause) for cause in causes):
            fleet.exit(victim)

    return misbehave


@pytest.mark.parametrize(
    "text",
    [
        "crash db",
        "kill db; wait 3s; start db; wait 1s",
        "stop gateway",
        "pause analytics; wait 5s; unpause analytics",
        "restart checkout",
        "kill db analytics; wait 4s",
        "pause db; crash gateway; wait 3s; heal all; crash db",
        "wait 2s",
    ],
)
def test_a_healthy_fleet_keeps_every_promise(text):
    run = rig()
    played = run.play(text)
    assert played.outcome is Outcome.HOLDS, played
    assert set(run.fleet.state.values()) == {ProcessState.RUNNING}
    assert run.fleet.journal.entries == {}


def test_a_cascade_is_seen_in_full_and_the_fleet_is_brought_back():
    def cascade(fleet):
        if not fleet.is_up("checkout"):
            for other in ("gateway", "analytics"):
                fleet.exit(other)

    run = rig(cascade, target_of(*SHOP, restart=Restart.NO))
    played = run.play("crash checkout; wait 1s; crash db")
    assert played.outcome is Outcome.VIOLATED
    assert {v.signature for v in played.violations} >= {
        "isolation:gateway",
        "isolation:analytics",
        "recovery:checkout",
    }
    assert played.violations[0].invariant == "isolation"
    assert run.fleet.journal.entries  # nobody else may think that this fleet is whole
    run.runner.leave_steady()
    assert run.fleet.journal.entries == {}
    assert set(run.fleet.state.values()) == {ProcessState.RUNNING}


def test_after_a_violation_the_rest_is_not_played():
    run = rig(dies_with("analytics", "db"))
    played = run.play("kill db; wait 30s; crash gateway")
    assert played.outcome is Outcome.VIOLATED
    assert [p.step.action for p in played.history.steps] == ["kill"]
    assert not played.complete
    assert "crash gateway" not in run.fleet.calls


def test_recovery_that_never_comes_is_waited_for_and_found():
    def stale(fleet):
        if not fleet.is_up("db"):
            fleet.sick["checkout"] = "HTTP 503"

    run = rig(stale)
    began_s = run.fleet.clock.now()
    played = run.play("crash db")
    assert [v.signature for v in played.violations] == ["recovery:checkout"]
    assert run.fleet.clock.now() - began_s > 30
    run.runner.leave_steady()
    assert not run.recorder.unsteady(run.fleet.clock.now())


def test_a_replay_stops_as_soon_as_the_wanted_signature_shows():
    run = rig(dies_with("analytics", "db"))
    took = {}
    for stop_at in (None, "isolation:analytics"):
        began_s = run.fleet.clock.now()
        assert run.play("kill db; wait 9s", stop_at=stop_at).shows("isolation:analytics")
        took[stop_at] = run.fleet.clock.now() - began_s
    assert took["isolation:analytics"] < took[None] - 2


def test_nothing_that_can_return_is_no_reason_to_wait():
    run = rig(target=target_of(*SHOP, restart=Restart.NO))
    began_s = run.fleet.clock.now()
    assert run.play("crash db").violations[0].signature == "recovery:db"
    assert run.fleet.clock.now() - began_s < 15


def test_a_service_that_stays_slow_is_found():
    def sticky(fleet):
        if not fleet.is_up("analytics"):
            fleet.slow_ms["checkout"] = 900

    assert [v.signature for v in rig(sticky).play("pause analytics; wait 1s").violations] == [
        "steady_state:checkout"
    ]


def test_a_fault_without_effect_is_unknown():
    run = rig()
    run.fleet.dead_to_orders.add("db")
    played = run.play("crash db; wait 2s")
    assert played.outcome is Outcome.UNKNOWN
    assert "0 of 1 processes of db" in played.reason
    assert played.history.steps[-1].state is StepState.INVALID


def test_a_fleet_that_was_sick_before_any_fault_is_left_as_it_is():
    def sick(fleet):
        fleet.sick["gateway"] = "HTTP 500"

    run = rig(sick)
    assert run.play("crash db").outcome is Outcome.UNKNOWN
    assert run.runner.leave_steady() == ""
    assert run.fleet.calls == []


def test_no_chaos_on_a_sick_system():
    def sick(fleet):
        fleet.sick["gateway"] = "HTTP 500"

    run = rig(sick)
    played = run.play("crash db")
    assert played.outcome is Outcome.UNKNOWN
    assert "gateway is unhealthy: HTTP 500" in played.reason
    assert "crash db" not in run.fleet.calls


def test_what_somebody_else_did_is_unknown():
    def meddle(fleet):
        if not fleet.is_up("db") and run.recorder:
            run.recorder.saw_interference("gateway was stopped by somebody else")

    run = rig(meddle)
    assert run.play("kill db").outcome is Outcome.UNKNOWN


def test_the_undo_is_written_before_the_fault_is_done():
    run = rig()
    seen = []
    run.fleet.kill, kill = (
        (lambda services: (seen.append(dict(run.fleet.journal.entries)), kill(services))),
        run.fleet.kill,
    )
    run.play("kill db")
    assert list(seen[0].values()) == [(Undo("start", ("db",)),)]


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError])
def test_an_interruption_heals(error):
    run = rig()
    sleep, raised = run.fleet.clock.sleep, []

    def breaking(seconds):
        if not raised and run.fleet.state["db"] is ProcessState.PAUSED:
            raised.append(error)
            raise error
        sleep(seconds)

    run.fleet.clock.sleep = breaking
    with pytest.raises(error):
        run.play("pause db; wait 5s")
    assert run.fleet.state["db"] is ProcessState.RUNNING
    run.runner.leave_steady()
    assert run.fleet.journal.entries == {}


def interrupted_renewal(start=lambda run: None):
    run = rig()
    stop = run.fleet.stop

    def interrupted(services):
        stop(services)
        run.fleet.dead_to_orders.update(start(run) or ())
        raise KeyboardInterrupt

    run.fleet.stop = interrupted
    with pytest.raises(Interrupted) as halted:
        run.play("crash db", fresh=True)
    run.fleet.stop = stop
    return run, halted.value


def test_an_interruption_while_the_fleet_is_renewed_starts_it_at_once():
    run, halt = interrupted_renewal()
    assert set(run.fleet.state.values()) == {ProcessState.RUNNING}
    assert run.fleet.journal.entries == {}
    assert str(halt) == "Interrupted; every fault is lifted"


def test_what_an_interruption_cannot_start_stays_in_the_journal_and_is_told():
    run, halt = interrupted_renewal(lambda run: {"gateway"})
    assert run.fleet.state["gateway"] is ProcessState.DOWN
    [undos] = run.fleet.journal.entries.values()
    assert undos == (Undo("start", run.fleet.target.faultable),)
    assert str(halt) == "Interrupted; NOT healed: gateway is down; try `knockon heal`"
    run.fleet.dead_to_orders.clear()
    run.runner.leave_steady()
    assert set(run.fleet.state.values()) == {ProcessState.RUNNING}
    assert run.fleet.journal.entries == {}


def test_one_undo_that_fails_keeps_no_other_from_being_done():
    run = rig()

    def refuse(services):
        raise RuntimeUnavailable("no")

    run.fleet.start = refuse
    assert run.play("pause analytics; kill db").outcome is Outcome.UNKNOWN
    assert run.fleet.state["analytics"] is ProcessState.RUNNING


def test_healing_takes_no_violation_back():
    run = rig(target=target_of(*SHOP, restart=Restart.NO))
    assert run.play("kill db; start db; wait 1s; crash db").shows("recovery:db")
    run = rig(target=target_of(*SHOP, restart=Restart.NO))
    assert run.play("crash db; wait 1s; start db; wait 5s").shows("recovery:db")


def test_a_slow_stop_is_watched_from_its_end():
    def late(fleet):
        if not fleet.is_up("db") and fleet.clock.now() - fleet.down_at > 1.0:
            fleet.exit("analytics")

    run = rig(late)
    run.fleet.down_at = 1e9
    stop = run.fleet.stop

    def slowly(services):
        run.fleet.clock.sleep(10.0)
        run.fleet.down_at = run.fleet.clock.now()
        stop(services)

    run.fleet.stop = slowly
    assert run.play("stop db").shows("isolation:analytics")


def test_recovery_counts_from_when_the_harm_was_done():
    """Two crashes in a row: the second waits for the return from the first."""
    run = rig(target=target_of(*SHOP, recovery_s_max=6.0))
    monkey = pytest.MonkeyPatch()
    monkey.setattr("tests.support.fake_fleet.RESTART_S", 4.0)
    assert run.play("crash db; crash db").outcome is Outcome.HOLDS
    monkey.undo()


@pytest.mark.parametrize(
    ("text", "told"),
    [("kill db gateway; crash checkout", "max_faults"), ("pause db; crash db", "earlier fault")],
)
def test_more_harm_than_is_allowed_is_refused(text, told):
    run = rig()
    with pytest.raises(ScenarioError, match=told):
        run.play(text)
    assert run.fleet.calls == []


def test_a_runtime_that_vanishes_is_unknown_and_its_undo_stays_in_the_journal():
    run = rig()

    def vanish(*_):
        raise RuntimeUnavailable("the engine does not answer")

    run.fleet.pause = run.fleet.undo = vanish
    played = run.play("pause db")
    assert played.outcome is Outcome.UNKNOWN
    assert "does not answer" in played.reason
    assert run.fleet.journal.entries


@pytest.mark.parametrize("comes_back", [True, False])
def test_an_engine_that_is_away_is_waited_for_once_and_then_everything_is_lifted(comes_back):
    run, asked, gone = rig(), [], [True]
    undo, write = run.fleet.undo, run.fleet.journal.write

    def away(do):
        def called(*words):
            if gone[0]:
                raise RuntimeUnavailable("the engine does not answer")
            return do(*words)

        return called

    def answers_within(limit_s):
        asked.append(limit_s)
        gone[0] = not comes_back
        return comes_back

    run.fleet.answers_within = answers_within
    run.fleet.pause = away(run.fleet.pause)
    run.fleet.undo, run.fleet.journal.write = away(undo), write
    assert run.play("pause db").outcome is Outcome.UNKNOWN
    if comes_back:
        assert run.runner.leave_steady() == ""
        assert "unpause db" in run.fleet.calls
        assert run.fleet.journal.entries == {}
        assert asked == [AWAY_S]
        return
    for _ in range(2):
        with pytest.raises(RuntimeUnavailable, match="is not healed; once the engine is back: knockon heal"):
            run.runner.leave_steady()
    assert asked == [AWAY_S, 0.0]
    assert run.fleet.journal.entries


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("explode db", "no action 'explode'"),
        ("crash ghost", "no service 'ghost'"),
        ("crash", "names no service"),
        ("flap db gateway", "at most 1"),
        ("crash db 2s", "takes no duration_s"),
        ("wait", "duration_s"),
        ("wait 9999s", "0 to 600"),
        ("load nothing 5rps 1s", "no load 'nothing'"),
        ("heal ghost", "no service 'ghost'"),
    ],
)
def test_a_scenario_that_makes_no_sense_touches_nothing(text, told):
    run = rig()
    with pytest.raises(ScenarioError) as caught:
        run.play(f"kill db; {text}")
    assert told in str(caught.value)
    assert run.fleet.calls == []


def test_protected_services_are_refused():
    run = rig(target=target_of(*SHOP, protect=["db"]))
    with pytest.raises(ScenarioError, match="db"):
        run.play("crash db")


def test_the_next_scenario_does_not_inherit_an_engines_growing_patience():
    run = rig()
    run.play("crash db; wait 1s; crash db; wait 1s; crash gateway")
    run.fleet.calls.clear()
    run.play("wait 1s")
    assert run.fleet.calls == ["restart db"]
    run.fleet.calls.clear()
    run.play("wait 1s")
    assert run.fleet.calls == []


def test_a_fresh_fleet_is_stopped_callers_first_and_started_dependencies_first():
    run = rig()
    run.play("wait 1s", fresh=True)
    assert run.fleet.calls == [
        *("stop gateway", "stop checkout", "stop db analytics"),
        *("start db analytics", "start checkout", "start gateway"),
    ]


def test_a_fleet_that_dies_while_it_starts_is_started_again():
    tries = []

    def dies_at_first(fleet):
        if len(tries) < 2 and "start gateway" in fleet.calls[-1:] and fleet.is_up("gateway"):
            tries.append(1)
            fleet.exit("checkout")

    run = rig(dies_at_first, target_of(*SHOP, restart=Restart.NO))
    assert run.play("wait 1s", fresh=True).outcome is Outcome.HOLDS
    assert tries
