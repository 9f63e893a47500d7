import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuzzer.pins import Pin, PinStatus, check_pin, free_path, pin_files, read_pin
from models.errors import CannotWrite, PinError
from models.scenario import Scenario
from tests.support.fake_fleet import SHOP, target_of

PIN = Pin(
    steps=Scenario.parse("crash checkout; wait 2s"),
    invariant="isolation",
    signature="isolation:gateway",
    summary="x",
)


def test_what_is_written_is_read(tmp_path):
    assert read_pin(PIN.write(tmp_path / "deep" / "a.json")) == PIN


def test_a_pin_is_named_after_its_finding_and_twins_share_a_file(tmp_path):
    path = free_path(tmp_path, PIN)
    assert path.name == "isolation-gateway.json"
    PIN.write(path)
    assert free_path(tmp_path, PIN) == path
    other = PIN.model_copy(update={"steps": Scenario.parse("kill db")})
    assert free_path(tmp_path, other).name == "isolation-gateway-2.json"


def test_an_open_pin_becomes_a_guard(tmp_path):
    guard = PIN.become(PinStatus.GUARD)
    assert read_pin(guard.write(tmp_path / "a.json")).status is PinStatus.GUARD


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "no JSON"),
        ("{", "no JSON"),
        ("[]", "is no pin"),
        ("{}", "is no pin"),
        ('{"knockon_pin": 2}', "upgrade"),
        ('{"knockon_pin": 1}', "steps"),
        ('{"knockon_pin": 1, "steps": [], "invariant": "a", "signature": 3}', "signature"),
        ('{"knockon_pin": 1, "steps": [{"action": 3}], "invariant": "a", "signature": "b"}', "step"),
        ('{"knockon_pin": 1, "steps": [], "invariant": "a", "signature": "b", "more": 1}', "more"),
    ],
)
def test_a_damaged_or_newer_pin_is_a_clear_error(tmp_path, text, told):
    path = tmp_path / "pin.json"
    path.write_text(text)
    with pytest.raises(PinError) as caught:
        read_pin(path)
    assert told in str(caught.value)
    assert "pin.json" in str(caught.value)


@given(data=st.data())
def test_a_pin_with_anything_changed_is_a_pin_or_a_clear_error(tmp_path_factory, data):
    raw = json.loads(PIN.model_dump_json())
    raw[data.draw(st.sampled_from(sorted(raw)))] = data.draw(
        st.none() | st.integers() | st.text(max_size=5) | st.lists(st.integers(), max_size=2)
    )
    path = tmp_path_factory.mktemp("pins") / "pin.json"
    path.write_text(json.dumps(raw))
    try:
        read_pin(path)
    except PinError as error:
        assert "pin.json" in str(error)


def test_binary_is_a_clear_error(tmp_path):
    path = tmp_path / "pin.json"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(PinError):
        read_pin(path)


def test_no_folder_no_pins(tmp_path):
    assert pin_files(tmp_path / "none") == []


def test_a_pin_that_cannot_be_written_is_a_clear_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(CannotWrite, match="cannot be written"):
        PIN.write(tmp_path / "file" / "pin.json")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, ""),
        ({"signature": "isolation:old-name"}, "renamed"),
        ({"signature": "izolation:gateway", "invariant": "izolation"}, "izolation"),
        ({"invariant": "recovery"}, "signature"),
        ({"steps": Scenario.parse("wait 1s")}, "no fault"),
        ({"steps": Scenario(())}, "no fault"),
        ({"steps": Scenario.parse("crash ghost")}, "ghost"),
    ],
)
def test_a_pin_that_could_never_fail_is_refused(changes, told):
    pin = PIN.model_copy(update=changes)
    if not told:
        check_pin(pin, target_of(*SHOP), Path("a.json"))
        return
    with pytest.raises(PinError, match=told):
        check_pin(pin, target_of(*SHOP), Path("a.json"))
