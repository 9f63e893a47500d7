"""From a finding to a pin, from a pin to a guard and back, on a fleet in memory."""

import pytest

from fuzzer.pins import PinStatus, read_pin
from tests.fuzzer.cli.conftest import analytics_takes_checkout_along
from tests.fuzzer.cli.test_playing import CASCADE, finding

BROKEN = staticmethod(analytics_takes_checkout_along)


@pytest.fixture
def pin(shop):
    """An open pin beside the compose file."""
    return finding(shop.pins / "mine.json")


def status(path):
    return read_pin(path).status


def test_a_finding_is_kept_beside_the_compose_file_without_a_fleet(shop, tmp_path):
    result = shop("pin", finding(tmp_path / "f.json"))
    assert result.exit_code == 0, result.output
    kept = shop.pins / "isolation-checkout.json"
    assert result.stdout.splitlines() == [
        "pinned: pins/isolation-checkout.json  (open, isolation:checkout)",
        "next:   commit it; knockon fuzz plays it first, as a known failure",
        f"fixed?  knockon pin --guard pins/isolation-checkout.json --target {shop.file} --runtime fake",
    ]
    assert str(read_pin(kept).steps) == CASCADE
    assert shop.started == []


def test_the_folder_and_the_name_can_be_chosen(shop, tmp_path):
    result = shop("pin", finding(tmp_path / "f.json"), "--pins", "elsewhere", "--name", "gateway-dies")
    assert result.exit_code == 0, result.output
    assert status(tmp_path / "elsewhere" / "gateway-dies.json") is PinStatus.OPEN


def test_the_same_finding_twice_is_one_pin_whatever_its_name(shop, tmp_path):
    shop("pin", finding(tmp_path / "f.json"), "--name", "one")
    result = shop("pin", finding(tmp_path / "f.json"))
    assert "pinned: pins/one.json" in result.stdout
    assert [path.name for path in shop.pins.iterdir()] == ["one.json"]


def test_a_name_that_pins_something_else_is_not_overwritten(shop, tmp_path, pin):
    result = shop("pin", finding(tmp_path / "f.json", scenario="crash db"), "--name", "mine")
    assert result.exit_code == 2
    assert "pins/mine.json: pins something else; give another --name" in result.stderr
    assert str(read_pin(shop.pins / "mine.json").steps) == CASCADE


def test_a_scenario_that_fails_is_played_and_pinned(shop):
    shop.misbehave = analytics_takes_checkout_along
    result = shop("pin", CASCADE)
    assert result.exit_code == 0, result.output
    assert "VIOLATED isolation: checkout exited" in result.stdout
    pinned = read_pin(shop.pins / "isolation-checkout.json")
    assert (pinned.signature, pinned.runtime, pinned.target) == ("isolation:checkout", "fake", "fake")
    assert "checkout exited with code 1" in pinned.summary


def test_a_scenario_that_holds_is_not_pinned(shop):
    result = shop("pin", CASCADE)
    assert result.exit_code == 2
    assert "it held; nothing to pin" in result.stderr
    assert f"knockon pin --guard --signature INVARIANT:SERVICE '{CASCADE}'" in result.stderr
    assert not shop.pins.exists()


def test_a_scenario_of_which_nothing_can_be_said_is_not_pinned(shop):
    shop.misbehave = lambda fleet: fleet.sick.update(db="HTTP 500")
    result = shop("pin", CASCADE)
    assert result.exit_code == 3
    assert "the fleet does not come back" in result.stderr
    assert "db is unhealthy: HTTP 500" in result.stderr
    assert not shop.pins.exists()


def test_a_pin_becomes_a_guard_after_it_was_seen_to_hold(shop, pin):
    result = shop("pin", "--guard", pin)
    assert result.exit_code == 0, result.output
    assert "guard: pins/mine.json" in result.stdout
    assert result.stdout.count("  holds\n") > 1  # once is not enough
    assert status(shop.pins / "mine.json") is PinStatus.GUARD


def test_a_pin_that_still_fails_stays_open(shop, pin):
    shop.misbehave = analytics_takes_checkout_along
    result = shop("pin", "--guard", pin)
    assert result.exit_code == 1
    assert "not made a guard, it still fails:" in result.stdout
    assert "isolation: checkout exited with code 1" in result.stdout
    assert status(shop.pins / "mine.json") is PinStatus.OPEN


def test_a_pin_of_which_nothing_can_be_said_stays_open(shop, pin):
    shop.misbehave = lambda fleet: fleet.sick.update(db="HTTP 500")
    result = shop("pin", "--guard", pin)
    assert result.exit_code == 3
    assert "the fleet does not come back" in result.stderr
    assert status(shop.pins / "mine.json") is PinStatus.OPEN


def test_a_guard_can_be_forced_without_a_fleet_and_opened_again(shop, pin):
    assert shop("pin", "--guard", "--force", pin).exit_code == 0
    assert status(shop.pins / "mine.json") is PinStatus.GUARD
    result = shop("pin", "--reopen", pin)
    assert result.exit_code == 0, result.output
    assert "open again: pins/mine.json" in result.stdout
    assert status(shop.pins / "mine.json") is PinStatus.OPEN
    assert shop.started == []


def test_a_new_finding_does_not_silence_a_guard(shop, tmp_path, pin):
    shop("pin", "--guard", "--force", pin)
    result = shop("pin", finding(tmp_path / "f.json"))
    assert result.exit_code == 2
    assert "knockon pin --reopen pins/mine.json" in result.stderr
    assert status(shop.pins / "mine.json") is PinStatus.GUARD


def test_a_scenario_that_holds_can_become_a_guard_at_once(shop):
    result = shop("pin", "--guard", "--signature", "containment:checkout", "pause analytics; wait 4s")
    assert result.exit_code == 0, result.output
    kept = read_pin(shop.pins / "containment-checkout.json")
    assert (kept.status, kept.signature) == (PinStatus.GUARD, "containment:checkout")


def test_only_files_of_pins_can_be_opened_again(shop):
    result = shop("pin", "--reopen", "crash db")
    assert result.exit_code == 2
    assert "--reopen takes the files of pins" in result.stderr
