"""Nothing is touched that must not be, and no more at once than may be: whatever is drawn or asked for."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from fuzzer.actions.catalogue import ACTIONS
from fuzzer.scenarios import check_scenario, undos
from fuzzer.search.machine import build_machine
from models.errors import ScenarioError
from models.scenario import Scenario
from models.topology import Group
from tests.support.fake_fleet import SHOP, opted, target_of
from tests.support.rig import rig


def refused(text, target):
    with pytest.raises(ScenarioError) as error:
        check_scenario(Scenario.parse(text), target)
    return str(error.value)


def test_what_reaches_too_much_of_the_fleet_is_refused_with_the_numbers():
    target = target_of(*SHOP, max_blast_radius=0.5)
    assert refused("kill db", target) == (
        "`kill db`: with it 3 of 4 services (75%) are inside the blast radius of what is in force (db): "
        "gateway, checkout, db; x-knockon.safety.max_blast_radius allows 0.5"
    )
    check_scenario(Scenario.parse("kill checkout"), target)
    assert "3 of 4" in refused("kill checkout; pause analytics", target)
    check_scenario(Scenario.parse("kill checkout; heal all; pause analytics"), target)
    check_scenario(Scenario.parse("kill db"), target_of(*SHOP, max_blast_radius=0.75))


def test_so_is_a_link_and_a_series_at_its_widest_moment():
    target = target_of(*SHOP, max_blast_radius=0.5)
    check_scenario(Scenario.parse("partition checkout -> db"), target)
    assert "3 of 4" in refused("partition checkout -> db; kill analytics", target)
    assert "`cascade analytics checkout`" in refused("cascade analytics checkout", target)
    check_scenario(Scenario.parse("rolling_restart analytics checkout gateway"), target)


def test_of_a_group_only_more_than_it_tolerates_reach_its_callers():
    plain = target_of(
        "web -> a", "web -> b", "web -> c", services=("web", "a", "b", "c"), max_blast_radius=0.5
    )
    group = Group("abc", ("a", "b", "c"), 1)
    target = replace(plain, topology=replace(plain.topology, groups=(group,)))
    check_scenario(Scenario.parse("kill a"), target)
    assert "4 of 4 services (100%)" in refused("kill a b", target)


@pytest.mark.parametrize("share", [0.25, 0.5, 0.75])
def test_no_plan_is_drawn_that_would_be_refused(share):
    target = opted(
        target_of(*SHOP, max_blast_radius=share, max_faults=3, published=("checkout", "analytics"))
    )
    plans = []
    machine = build_machine(target, ACTIONS, plans.append)
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=25,
            stateful_step_count=8,
            phases=[Phase.generate],
            database=None,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert plans
    for plan in plans:
        check_scenario(plan, target)
        touched = {name for step in plan for name in step.targets if ACTIONS[step.action].harmful}
        assert "db" not in touched or share == 0.75


def test_a_protected_service_is_no_target_no_end_of_a_link_and_no_part_of_a_group():
    target = target_of(*SHOP, protect=["db"])
    group = Group("all", ("gateway", "checkout", "db"), 1)
    target = replace(target, topology=replace(target.topology, groups=(group,)))
    for text in ("kill db", "heal db", "start db", "rolling_restart db gateway"):
        assert "there is no service 'db' here" in refused(text, target)
    assert "no connection that faults may touch" in refused("partition checkout -> db", target)
    assert "no connection that faults may touch" in refused("latency * -> db", target)
    assert "faults may touch gateway, checkout" in refused("kill all:all", target)
    assert ("checkout", "db") not in target.edges


def test_whoever_may_not_be_touched_is_not_started_either_when_a_run_is_cut_short():
    group = Group("etcd", ("checkout", "db"), 1)
    target = target_of(*SHOP, protect=["db"])
    target = replace(target, topology=replace(target.topology, groups=(group,)))
    found = undos(Scenario.parse("kill primaries:etcd"), target)
    assert [undo.targets for undo in found] == [("checkout",)]


def test_between_scenarios_only_what_may_be_touched_is_restarted():
    target = target_of(*SHOP, protect=["db"])
    target = replace(
        target, services={**target.services, "gateway": replace(target.services["gateway"], opted_in=False)}
    )
    run = rig(target=target)
    run.play("crash analytics", fresh=True)
    run.play("crash analytics; wait 3s; crash analytics; wait 3s")
    run.play("wait 1s")
    touched = {name for call in run.fleet.calls for name in call.split()[1:]}
    assert touched == {"checkout", "analytics"}
    assert "restart analytics" in run.fleet.calls
