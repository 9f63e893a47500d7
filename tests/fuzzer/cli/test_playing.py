"""replay, kill and random on a fleet in memory; test_real.py does the same with processes."""

import json
import re
import shlex
from pathlib import Path

import pytest

from fuzzer.pins import Pin
from models.scenario import Scenario
from tests.fuzzer.cli.conftest import Knockon, analytics_takes_checkout_along

CASCADE = "crash analytics; wait 1s"


def finding(path, scenario=CASCADE, signature="isolation:checkout", target="fake"):
    steps = Scenario.parse(scenario)
    pin = Pin(steps=steps, invariant=signature.split(":")[0], signature=signature, target=target)
    return str(pin.write(path))


def test_a_scenario_that_holds_ends_with_0_and_shows_what_was_done(shop):
    result = shop("replay", "crash db; wait 1s")
    assert result.exit_code == 0, result.output
    lines = [line.strip() for line in result.stdout.splitlines()]
    assert lines[0] == "playing: crash db; wait 1s"
    assert any(line.endswith("s  crash db") for line in lines)
    assert any(line.endswith("db exited with code 137; its policy starts it again") for line in lines)
    assert any("db healthy again" in line for line in lines)
    assert any(
        line.startswith("HOLDS: isolation, containment, recovery, restart_storm, steady_state")
        for line in lines
    )


def test_a_cascade_ends_with_1_evidence_advice_and_how_to_keep_it(shop):
    shop.misbehave = analytics_takes_checkout_along
    result = shop("replay", CASCADE)
    assert result.exit_code == 1
    assert "VIOLATED isolation: checkout exited with code 1 after harm to analytics" in result.stdout
    assert "path: checkout -> analytics (soft)" in result.stdout
    assert "fix: let checkout go on without analytics" in result.stdout
    assert f"pin it:  knockon pin '{CASCADE}' --target {shop.file} --runtime fake" in result.stdout


def test_the_last_line_leads_to_the_page_of_the_run(shop):
    *_, last = shop("kill", "db", "--wait", "1s").stdout.splitlines()
    command, _, id_ = last.removeprefix("report:  knockon ").partition(" ")
    assert Knockon()(command, id_).exit_code == 0
    assert Path(f".knockon/runs/{id_}/{id_}.html").is_file()


def test_a_run_that_is_kept_elsewhere_is_looked_for_there(shop, tmp_path):
    *_, last = shop("kill", "db", "--wait", "1s", "--state", "my runs").stdout.splitlines()
    assert last.endswith(" --state 'my runs'")
    command, id_, *rest = shlex.split(last.removeprefix("report:  knockon "))
    assert Knockon()(command, id_, *rest).exit_code == 0


def test_without_a_log_nothing_leads_to_it(shop, tmp_path):
    (tmp_path / ".knockon").mkdir()
    (tmp_path / ".knockon" / "runs").write_text("in the way")
    result = shop("kill", "db", "--wait", "1s")
    assert result.exit_code == 0, result.output
    assert "report:" not in result.stdout


def test_a_fleet_that_is_sick_before_anything_is_done_ends_with_3(shop):
    shop.misbehave = lambda fleet: fleet.sick.update(db="HTTP 500")
    result = shop("kill", "analytics")
    assert result.exit_code == 3
    assert "UNKNOWN: the fleet is not steady before any fault: db is unhealthy: HTTP 500" in result.stdout
    assert not [call for call in shop.started[0].calls if call.startswith("kill")]


def test_each_replay_begins_with_a_fresh_fleet(shop):
    shop("replay", "wait 1s")
    renewed = {name for call in shop.started[0].calls for name in call.split()[1:]}
    assert renewed == {"gateway", "checkout", "db", "analytics"}


def test_replays_are_counted(shop):
    shop.misbehave = analytics_takes_checkout_along
    result = shop("replay", CASCADE, "--times", "3")
    assert result.exit_code == 1
    assert "    1/3 " in result.stdout
    assert "    3/3 " in result.stdout
    assert "reproduced isolation:checkout: 3/3" in result.stdout
    assert result.stdout.count("HOLDS") == 0


def test_what_counts_as_reproduced_can_be_said(shop):
    shop.misbehave = analytics_takes_checkout_along
    result = shop("replay", CASCADE, "--signature", "isolation:gateway")
    assert result.exit_code == 1  # a promise was broken, though not that one
    assert "reproduced isolation:gateway: 0/1" in result.stdout


def test_replays_that_told_nothing_do_not_count_as_held(shop):
    shop.misbehave = lambda fleet: fleet.dead_to_orders.add("analytics")
    result = shop("replay", CASCADE, "--times", "2")
    assert result.exit_code == 3
    assert "reproduced a violation: 0/0; 2 told nothing" in result.stdout


def test_a_fleet_that_does_not_come_back_is_left_alone(shop):
    shop.misbehave = lambda fleet: fleet.sick.update(db="HTTP 500")
    result = shop("replay", CASCADE, "--times", "5")
    assert result.exit_code == 3
    assert "Stopped: the breaker: the fleet does not come back" in result.stderr
    assert "db is unhealthy: HTTP 500" in result.stderr
    assert not [call for call in shop.started[0].calls if call.startswith("crash")]


def test_a_finding_a_list_of_steps_a_text_file_and_stdin_can_be_replayed(shop, tmp_path):
    steps = tmp_path / "steps.json"
    steps.write_text(json.dumps(Scenario.parse("wait 3s").to_json()))
    text = tmp_path / "steps"
    text.write_text("wait 4s  # a while\n")
    result = shop(
        "replay", finding(tmp_path / "f.json"), str(steps), str(text), "-", given="wait 5s\nwait 6s"
    )
    assert result.exit_code == 0, result.output
    played = [line for line in result.stdout.splitlines() if line.startswith("playing: ")]
    assert played == [
        f"playing: {CASCADE}",
        "playing: wait 3s",
        "playing: wait 4s",
        "playing: wait 5s; wait 6s",
    ]


def test_a_finding_offers_its_file_to_pin_and_a_pin_offers_nothing(shop, tmp_path):
    shop.misbehave = analytics_takes_checkout_along
    found, pinned = finding(tmp_path / "f.json"), finding(shop.pins / "p.json")
    assert f"pin it:  knockon pin {found}" in shop("replay", found).stdout
    assert "pin it:" not in shop("replay", pinned).stdout


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("{", "is damaged: no JSON"),
        ("{}", "is no pin"),
        ('{"knockon_pin": 9, "steps": []}', "has format version 9; this knockon reads up to 1: upgrade it"),
        ('{"knockon_pin": 1, "steps": 3}', "is damaged: steps: found int"),
        ("[3]", "expected a step"),
        ("\xff", "x.json"),
    ],
)
def test_a_damaged_file_is_refused_before_anything_starts(shop, tmp_path, content, says):
    path = tmp_path / "x.json"
    path.write_bytes(content.encode("latin-1"))
    result = shop("replay", "wait 1s", str(path))
    assert result.exit_code == 2
    assert says in result.stderr
    assert shop.started == []


def test_a_finding_of_another_target_is_refused(shop, tmp_path):
    result = shop("replay", finding(tmp_path / "f.json", target="bank"))
    assert result.exit_code == 2
    assert "was found on 'bank', and the target is 'fake'" in result.stderr


def test_a_finding_of_a_service_that_is_no_more_is_refused_by_its_name(shop, tmp_path):
    path = finding(tmp_path / "f.json", scenario="crash cache")
    result = shop("replay", path)
    assert result.exit_code == 2
    assert f"{path}: `crash cache`: there is no service 'cache' here" in result.stderr


# kill


def test_several_services_are_killed_at_once_and_healed(shop):
    result = shop("kill", "db", "analytics", "--wait", "2s")
    assert result.exit_code == 0, result.output
    assert "playing: kill db analytics; wait 2s" in result.stdout
    assert "kill db analytics" in shop.started[0].calls
    assert set(shop.started[0].state.values()) == {"running"}


@pytest.mark.parametrize("action", ["crash", "stop", "pause", "restart"])
def test_so_are_they_by_other_faults(shop, action):
    result = shop("kill", "db", "analytics", "--action", action, "--wait", "1.5s")
    assert result.exit_code == 0, result.output
    assert f"playing: {action} db analytics; wait 1.5s" in result.stdout
    assert f"{action} db analytics" in shop.started[0].calls


def test_a_fault_of_one_service_is_done_to_one_after_the_other(shop):
    result = shop("kill", "db", "analytics", "--action", "flap", "--wait", "1.5s")
    assert result.exit_code == 0, result.output
    assert "playing: flap db; flap analytics; wait 1.5s" in result.stdout


# random


def but_for_the_run(text):
    """Each run has an id of its own."""
    return re.sub(r"knockon report \S+", "knockon report", text)


def test_a_seed_writes_the_same_scenario_again(shop):
    first, second, other = (shop("random", "--seed", seed) for seed in ("7", "7", "8"))
    assert first.exit_code == 0, first.output
    assert but_for_the_run(first.stdout) == but_for_the_run(second.stdout)
    assert but_for_the_run(first.stdout) != but_for_the_run(other.stdout)


def test_without_a_seed_the_one_that_was_taken_is_told(shop):
    first = shop("random", "--steps", "4").stdout
    seed = first.splitlines()[0].removeprefix("seed:").strip()
    again = shop("random", "--steps", "4", "--seed", seed).stdout
    assert but_for_the_run(again) == but_for_the_run(first)


def test_random_scenarios_differ_and_are_not_longer_than_asked(shop):
    played = set()
    for seed in range(8):
        result = shop("random", "--steps", "3", "--seed", str(seed))
        played.add(result.stdout.splitlines()[1])
    assert len(played) > 4
    assert all(line.count(";") <= 2 for line in played)
