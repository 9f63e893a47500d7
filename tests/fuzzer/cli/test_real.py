"""The same commands on real processes: what a user of the local runtime sees."""

import signal
import time

import pytest

from fuzzer.pins import PinStatus, read_pin
from tests.fuzzer.cli.conftest import Knockon
from tests.support.watchdogs import end_watchdog_of


def test_a_cascade_is_seen_pinned_replayed_and_counted(pair):
    pinned = pair("pin", "crash db", "--name", "web-dies")
    assert pinned.exit_code == 0, pinned.output
    assert "VIOLATED isolation: web exited with code 1 after harm to db" in pinned.stdout
    pin = pair.folder / "pins" / "web-dies.json"
    assert read_pin(pin).signature == "isolation:web"

    replayed = pair("replay", str(pin), "--times", "2")
    assert replayed.exit_code == 1
    assert "reproduced isolation:web: 2/2" in replayed.stdout
    lines = [line.strip() for line in replayed.stdout.splitlines()]
    order = [
        next(number for number, line in enumerate(lines) if line.endswith(end))
        for end in (
            "s  crash db",
            "db exited with code 137; its policy starts it again",
            "web exited with code 1; its policy starts it again",
            "every fault is lifted",
        )
    ]
    assert order == sorted(order)

    guarded = pair("pin", "--guard", str(pin))
    assert guarded.exit_code == 1
    assert read_pin(pin).status is PinStatus.OPEN


def test_a_kill_that_holds(pair):
    result = pair("kill", "web", "--wait", "1s")
    assert result.exit_code == 0, result.output
    assert "web exited with code 137; nothing starts it again" in result.stdout
    assert "web healthy again" in result.stdout
    assert "HOLDS" in result.stdout
    told = Knockon().json("report", "--json", "-", "--state", str(pair.folder / "state"))
    [scenario] = told["scenarios"]
    assert told["verdict"] == "holds"
    states = [one["state"] for one in scenario["story"]["lanes"]["web"]]
    assert states[-1] == "up"
    assert "down" in states


def test_health_starts_measures_and_leaves(pair):
    rows = pair.json("health", "--json")
    assert [(row["service"], row["state"], row["problem"]) for row in rows] == [
        ("db", "running", ""),
        ("web", "running", ""),
    ]
    assert all(0 < row["latency_ms"] < 500 for row in rows)
    assert rows[0]["probe"] == f"GET http://127.0.0.1:{pair.ports[0]}/health"


def test_one_random_scenario_is_played(pair):
    result = pair("random", "--seed", "3", "--steps", "2")
    assert result.exit_code in (0, 1), result.output
    assert result.stdout.startswith("seed:    3\nplaying: ")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_the_fleet_and_the_process_with_130(pair, number):
    process = pair.open("kill", "web", "--wait", "60s")
    assert process.stdout
    assert "playing: " in process.stdout.readline()
    time.sleep(0.5)
    process.send_signal(number)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 130
    assert errors.strip() == "Interrupted; every fault is lifted."
    assert pair.is_gone()


def test_who_stops_reading_hears_nothing_more_and_the_fleet_ends(pair):
    process = pair.open("kill", "web", "--wait", "1s")
    assert process.stdout
    process.stdout.readline()
    process.stdout.close()
    assert process.wait(timeout=20) == 141
    assert process.stderr
    assert process.stderr.read() == ""
    assert pair.is_gone()


def test_heal_ends_what_a_killed_run_left_behind(pair):
    process = pair.open("kill", "web", "--wait", "60s")
    assert process.stdout
    assert "playing: " in process.stdout.readline()
    end_watchdog_of(process.pid)
    process.kill()
    process.communicate()
    assert not pair.is_gone()
    healed = pair("heal")
    assert healed.exit_code == 0, healed.output
    assert healed.stdout.startswith("local: ended the fleet of pair that pid ")
    assert pair.is_gone()
    assert pair("heal").stdout == "nothing to heal\n"


def test_fuzz_finds_it_and_ends_with_1(pair):
    # So many examples, however long they take: two of these first six show it whatever the machine does.
    options = ("--examples", "6", "--budget", "10m", "--seed", "4", "--steps", "2")
    process = pair.open("fuzz", *options)
    output, errors = process.communicate(timeout=500)
    assert process.returncode == 1, output + errors
    assert "VIOLATED isolation: web exited" in output
    assert list((pair.folder / "state" / "findings").glob("*.json"))


def test_fuzz_is_deaf_to_the_project_that_it_is_called_in(pair):
    (pair.folder / "pytest.ini").write_text("[pytest]\naddopts = --nonsense\n")
    (pair.folder / "conftest.py").write_text("raise SystemExit('not for us')\n")
    process = pair.open("fuzz", "--", "--collect-only", "-q")
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 0, output + errors
    assert "test_fuzz" in output


def test_fuzz_tells_a_wrong_target_with_2(pair):
    pair.file.write_text("services: {web: {restart: sometimes}}")
    process = pair.open("fuzz")
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 2, output + errors
    assert "sometimes" in output + errors


def test_an_interrupted_fuzz_ends_with_130(pair):
    process = pair.open("fuzz", "--budget", "60s")
    assert process.stdout
    while "fuzzing pair on local" not in process.stdout.readline():
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == 130
    assert pair.is_gone()
