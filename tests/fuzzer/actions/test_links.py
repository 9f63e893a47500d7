"""Faults of connections, played on a fleet in memory; real proxies are met in tests/conformance."""

from dataclasses import replace

import pytest

from fuzzer.actions.base_link import LinkFault
from fuzzer.actions.catalogue import ACTIONS, available
from fuzzer.scenarios import check_scenario
from models.bearing import Bearing
from models.errors import ScenarioError
from models.expected import Expected
from models.history import StepState
from models.link import Link
from models.scenario import Scenario
from models.toxic import REFUSING, SILENCE
from models.verdict import Outcome
from tests.support.fake_fleet import SHOP, FakeFleet, target_of
from tests.support.rig import rig
from tests.support.wired_fleet import HEALTHY, WiredFleet

LINK_FAULTS = [action for action in ACTIONS.values() if isinstance(action, LinkFault)]


def wired(misbehave=lambda fleet: None, target=None):
    return rig(misbehave, target, WiredFleet)


def text_of(action):
    """Its example, on this fleet."""
    words = " ".join(f"{name}={value}" for name, value in Scenario.parse(action.example)[0].params)
    return f"{action.name} checkout -> db {words}"


@pytest.mark.parametrize("action", LINK_FAULTS, ids=lambda action: action.name)
def test_each_is_done_seen_and_lifted(action):
    run = wired()
    played = run.play(f"{text_of(action)}; wait 1s")
    assert played.outcome is Outcome.HOLDS, played.reason
    assert played.history.steps[0].state is StepState.DONE
    assert "poison checkout -> db" in run.fleet.calls
    assert run.fleet.calls[-1] == "cleanse checkout -> db"
    assert not any(run.fleet.poisoned.values())
    assert run.fleet.journal.entries == {}


@pytest.mark.parametrize("action", LINK_FAULTS, ids=lambda action: action.name)
def test_one_that_does_not_bite_is_unknown(action):
    run = wired()
    run.fleet.dead_to_orders.add("checkout -> db")
    played = run.play(f"{text_of(action)}; wait 1s")
    assert played.outcome is Outcome.UNKNOWN
    assert f"{action.name} had no effect on checkout -> db: answered after 2 ms" in played.reason
    assert played.history.steps[0].state is StepState.INVALID


def hanging_while_cut(victim, edge):
    """A service without time limits: while a connection is silent, nobody hears from it."""

    def misbehave(fleet):
        fleet.sick.pop(victim, None)
        if getattr(fleet, "poisoned", {}).get(edge):
            fleet.sick[victim] = "hangs"

    return misbehave


def test_a_dependency_that_an_earlier_fault_keeps_silent_is_not_waited_for():
    run = wired(hanging_while_cut("checkout", ("checkout", "db")))
    played = run.play("blackhole checkout -> db; latency gateway -> checkout 200ms")
    assert played.outcome is Outcome.HOLDS, played
    cut, late = played.history.steps
    assert late.state is StepState.DONE
    assert late.ended_s - cut.ended_s < 3
    assert "poison gateway -> checkout" in run.fleet.calls
    assert not any(run.fleet.poisoned.values())


def test_a_dependency_that_owes_an_answer_is_waited_for_and_judged_meanwhile():
    run = wired(hanging_while_cut("checkout", ("checkout", "analytics")))
    played = run.play("blackhole checkout -> analytics; latency gateway -> checkout 200ms")
    assert played.outcome is Outcome.VIOLATED
    assert "containment:checkout" in {violation.signature for violation in played.violations}
    assert "poison gateway -> checkout" not in run.fleet.calls
    assert played.history.ended_s - played.history.began_s < 15  # the limit is 40 s


def test_an_end_that_never_comes_cannot_come_late():
    run = wired()
    run.fleet.healthy = replace(HEALTHY, ended=False)
    run.fleet.dead_to_orders.add("checkout -> db")
    assert run.play("slow_close checkout -> db 500ms").outcome is Outcome.HOLDS
    assert run.play("latency checkout -> db 500ms").outcome is Outcome.UNKNOWN


def test_nothing_is_asked_of_a_fleet_without_proxies():
    assert not {action.name for action in LINK_FAULTS} & available(FakeFleet(target_of(*SHOP))).keys()
    with pytest.raises(ScenarioError, match="the runtime fake cannot latency"):
        rig().play("latency checkout -> db 200ms")


def test_a_proxy_that_knows_less_can_do_less():
    fleet = WiredFleet(target_of(*SHOP))
    fleet.known = frozenset({"latency", "timeout"})
    able = {action.name for action in LINK_FAULTS} & available(fleet).keys()
    assert able == {"latency", "blackhole", "timeout", "partition", "refuse"}


def sick_while_cut(victim, edge):
    """A service that is unhealthy while a connection is poisoned."""

    def misbehave(fleet):
        fleet.sick.pop(victim, None)
        if getattr(fleet, "poisoned", {}).get(edge):
            fleet.sick[victim] = "HTTP 503"

    return misbehave


@pytest.mark.parametrize(
    ("victim", "link", "outcome"),
    [
        ("checkout", "checkout -> db", Outcome.HOLDS),
        ("gateway", "checkout -> db", Outcome.HOLDS),  # it needs checkout
        ("db", "checkout -> db", Outcome.VIOLATED),  # nobody touched it
        ("checkout", "checkout -> analytics", Outcome.VIOLATED),  # it can do without
        ("checkout", "* -> db", Outcome.HOLDS),
        ("analytics", "* <-> db", Outcome.VIOLATED),
    ],
)
def test_only_who_needs_the_connection_is_excused(victim, link, outcome):
    edge = ("checkout", "analytics" if "analytics" in link else "db")
    played = wired(sick_while_cut(victim, edge)).play(f"blackhole {link}; wait 4s")
    assert played.outcome is outcome, played
    if outcome is Outcome.VIOLATED:
        assert played.violations[0].signature == f"containment:{victim}"
        assert f"outside the blast radius of {link}" in played.violations[0].summary


def test_a_process_that_exits_for_a_lost_connection_is_a_cascade():
    def give_up(fleet):
        if getattr(fleet, "poisoned", {}).get(("checkout", "db")):
            fleet.exit("checkout")

    (violation, *_) = wired(give_up).play("reset checkout -> db; wait 2s").violations
    assert violation.signature == "isolation:checkout"
    assert "after harm to checkout -> db" in violation.summary
    assert "path: checkout -> db (hard)" in violation.evidence


def test_a_link_is_healed_by_its_name_in_the_middle():
    run = wired()
    played = run.play("blackhole checkout -> db; wait 1s; heal checkout -> db; wait 1s; crash db")
    assert played.outcome is Outcome.HOLDS, played
    assert run.fleet.calls.index("cleanse checkout -> db") < run.fleet.calls.index("crash db")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("latency checkout 200ms", "found 'checkout'; expected a link, for example"),
        ("latency checkout -> nobody 200ms", "there is no service 'nobody'; expected one of: gateway"),
        ("latency db -> checkout 200ms", "expected one of: gateway -> checkout, checkout -> db"),
        ("latency checkout -> db 0ms", "delay_ms is 0; expected 1 to 60000"),
        ("latency checkout -> db", "delay_ms is None; expected a number"),
        ("crash checkout -> db", "there is no service 'checkout -> db' here"),
        ("blackhole checkout -> db; reset checkout -> db", "checkout -> db is still under an earlier fault"),
        ("blackhole * -> db; reset checkout -> *", "expected `heal * -> db` before this step"),
        ("kill db; reset checkout -> db", "db is still under an earlier fault; expected `heal db`"),
    ],
)
def test_what_makes_no_sense_is_refused(text, told):
    with pytest.raises(ScenarioError) as refused:
        wired().play(text)
    assert told in str(refused.value)


def test_links_to_what_is_protected_are_left_alone():
    target = target_of(*SHOP, protect=["db"])
    assert target.edges == (("gateway", "checkout"), ("checkout", "analytics"))
    with pytest.raises(ScenarioError, match="no connection that faults may touch"):
        wired(target=target).play("latency checkout -> db 200ms")


def test_what_is_kept_down_is_asked_nothing():
    target = target_of(*SHOP)
    down = Expected(target.topology, 30.0).harmed(["db"], next(iter([ACTIONS["kill"].effect])))
    drawn = ACTIONS["latency"].candidates(target, down)
    assert "checkout -> db" not in drawn
    assert "checkout -> analytics" in drawn


PACKETS = Bearing(frozenset({SILENCE, REFUSING}), {"latency": "it takes netem"})
"""What a kernel bears."""

WHOLE = target_of(*SHOP)
PARTLY = replace(
    WHOLE,
    wires=tuple(
        replace(wire, bears=Bearing.of_proxy({"latency"}) if wire.caller == "checkout" else PACKETS)
        for wire in WHOLE.wires
    ),
)


@pytest.mark.parametrize("name", ["latency", "blackhole"])
def test_a_fault_is_only_drawn_where_a_connection_bears_it(name):
    drawn = ACTIONS[name].known_targets(PARTLY)
    for link in drawn:
        for wire in PARTLY.wires:
            if Link.parse(link).covers(*wire.edge):
                assert ACTIONS[name].kinds <= wire.bears.kinds, link
    assert set(drawn) <= set(ACTIONS[name].known_targets(WHOLE))
    assert drawn, "and there it is"


def test_a_link_is_refused_as_a_whole_and_told_why():
    borne = next(wire for wire in PARTLY.wires if wire.caller == "checkout")
    other = next(wire for wire in PARTLY.wires if wire.caller != "checkout")
    check_scenario(Scenario.parse(f"latency {borne.caller} -> {borne.dependency} 200ms"), PARTLY)
    for link in (f"{other.caller} -> {other.dependency}", f"{other.caller} <-> *"):
        told = rf"cannot be done to {other.caller} -> {other.dependency}: it takes netem"
        with pytest.raises(ScenarioError, match=told):
            check_scenario(Scenario.parse(f"latency {link} 200ms"), PARTLY)
