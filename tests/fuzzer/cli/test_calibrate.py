"""calibrate on a fleet in memory, and on two processes: what is learnt, written, and held against reality."""

import json

import pytest

from fuzzer.calibration.record import Record, read_record
from tests.fuzzer.cli.conftest import analytics_takes_checkout_along


def known(shop, name="checkout"):
    data = json.loads((shop.file.parent / "knockon-twin.json").read_text())
    [fleet] = data["fleets"].values()
    return fleet["services"][name]


def test_what_is_learnt_is_told_and_written_beside_the_target(shop):
    shop.misbehave = analytics_takes_checkout_along
    result = shop("calibrate")
    assert result.exit_code == 0, result.output
    assert "calibrating fake on fake: " in result.stdout
    rows = [line.split("  ") for line in result.stdout.splitlines()]
    told = {(row[0], row[1].strip()) for row in rows if len(row) > 1}
    assert ("checkout", "while analytics is gone") in told
    assert f"written: {shop.file.parent / 'knockon-twin.json'}" in result.stdout
    then = {(one["to"], one["away"]): one["recent"][-1]["then"] for one in known(shop)["reactions"]}
    assert then["analytics", "gone"] == "exits"


def test_one_service_can_be_calibrated_again_without_forgetting_the_others(shop):
    shop("calibrate")
    before = known(shop, "db")
    shop.misbehave = analytics_takes_checkout_along
    result = shop("calibrate", "analytics")
    assert result.exit_code == 0, result.output
    assert known(shop, "db")["took"] == before["took"]
    [gone] = [r for r in known(shop)["reactions"] if (r["to"], r["away"]) == ("analytics", "gone")]
    assert {one["then"] for one in gone["recent"]} == {"exits"}


def test_every_other_run_learns_on_its_way_and_leaves_the_targets_folder_alone(shop):
    beside = sorted(shop.file.parent.iterdir())
    shop("replay", "kill analytics; wait 3s")
    state = shop.file.parent / ".knockon"
    assert [one.scenario for one in read_record(state / "played-fake.ndjson")] == ["kill analytics; wait 3s"]
    assert (state / "twin-fake.json").exists()
    assert sorted(set(shop.file.parent.iterdir()) - {state}) == beside


def test_the_twin_does_what_reality_did(shop):
    """Before, the twin has no reason to believe that checkout needs analytics; then it knows better."""
    shop.misbehave = analytics_takes_checkout_along
    scenario = ("replay", "kill analytics; wait 3s")
    in_the_twin = (*scenario, "--runtime", "sim")
    assert shop(*in_the_twin).exit_code == 0
    assert "VIOLATED isolation: checkout exited" in shop(*scenario).stdout
    assert "VIOLATED isolation: checkout exited" in shop(*in_the_twin).stdout


def test_the_check_tells_how_often_they_agree_and_where_they_do_not(shop):
    shop.misbehave = analytics_takes_checkout_along
    shop("replay", "crash db; wait 1s", "kill analytics; wait 3s")
    agreed = shop("calibrate", "--check")
    assert agreed.exit_code == 0, agreed.output
    assert "agree in verdict: 2 of 2 (100 %)" in agreed.stdout
    assert "agree in signature: 2 of 2 (100 %)" in agreed.stdout

    (shop.file.parent / ".knockon" / "twin-fake.json").unlink()
    differ = shop("calibrate", "--check")
    assert differ.exit_code == 0
    assert "nothing was learnt of this fleet yet" in differ.stdout
    assert "agree in verdict: 1 of 2 (50 %)" in differ.stdout
    [row] = [line for line in differ.stdout.splitlines() if line.startswith("kill analytics; wait 3s")]
    assert row.split("  ")[1:] == ["isolation:checkout and 2 more", "holds", "verdict"]


def test_what_was_played_on_other_files_is_not_compared(shop):
    shop("replay", "crash db")
    path = shop.file.parent / ".knockon" / "played-fake.ndjson"
    [line] = read_record(path)
    Record(path).add(line.model_copy(update={"fleet": "another.yaml"}))
    result = shop("calibrate", "--check", "--from", str(path))
    assert "agree in verdict: 1 of 1" in result.stdout
    assert "left out: 1 of other files or another environment" in result.stdout


def test_with_nothing_recorded_nothing_is_known(shop):
    result = shop("calibrate", "--check")
    assert result.exit_code == 3
    assert "nothing to compare" in result.stdout
    assert not shop.started


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--runtime", "sim"], "a simulation cannot teach how a fleet behaves"),
        (["ghost"], "there is no service 'ghost' that may be harmed; expected one of: gateway"),
        (["db", "--check"], "leave the services out"),
        (["--from", "x"], "--from is for --check"),
        (["--check", "--from", "nowhere"], "nowhere: cannot be read"),
    ],
)
def test_a_wrong_request_starts_nothing(shop, words, says):
    result = shop("calibrate", *words)
    assert result.exit_code == 2
    assert says in result.output
    assert not shop.started


def test_a_damaged_twin_is_told_before_anything_is_played_and_breaks_no_other_run(shop):
    (shop.file.parent / "knockon-twin.json").write_text("{")
    result = shop("calibrate")
    assert result.exit_code == 2
    assert "knockon-twin.json: is damaged" in result.output
    assert not shop.started
    assert shop("replay", "crash db").exit_code == 0
    assert shop("replay", "crash db", "--runtime", "sim").exit_code == 2


def test_two_processes_are_learnt_as_they_are_and_the_twin_foretells_them(pair):
    """web exits as soon as db is gone; nobody told the twin."""
    result = pair("calibrate", "db")
    assert result.exit_code == 0, result.output
    played = read_record(pair.folder / "state" / "played-pair.ndjson")
    assert "isolation:web" in {one.signatures[0] for one in played if one.signatures}
    check = pair("calibrate", "--check")
    assert check.exit_code == 0, check.output
    agreed = int(check.stdout.split("agree in verdict: ")[1].split(" of ")[0])
    assert agreed >= len(played) - 1, check.output
