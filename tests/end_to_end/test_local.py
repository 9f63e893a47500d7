"""``pytest fuzzer`` on processes, as a user sees it."""

from __future__ import annotations

import json

import pytest

from tests.end_to_end.conftest import SHOP

FRAGILE = f"--target {SHOP}/compose.yaml --runtime local"
HARDENED = f"--target {SHOP}/compose.yaml --target {SHOP}/compose.hardened.yaml --runtime local"


def test_the_default_is_the_hardened_shop_and_it_holds(desk, fuzzer):
    done = desk.type(f"pytest {fuzzer} --examples 2 --budget 10m --steps 4")
    assert done.code == 0, done.text
    assert "fuzzing shop on local" in done.text
    assert "held:    isolation" in done.text
    assert "1 passed" in done.text


def test_a_flaw_is_found_made_small_and_saved(desk, fuzzer):
    desk.environ["SHOP_FLAWS"] = "crash-on-dependency-failure"
    faults = "--action crash --action kill --action pause --findings 1"
    done = desk.type(f"pytest {fuzzer} {HARDENED} {faults} --budget 10m --seed 1")
    assert done.code == 1, done.text
    assert "VIOLATED isolation: checkout-service exited with code 1" in done.text
    assert "minimal scenario: 1 step, reproduced" in done.text
    assert "proved: with no fault at all everything holds" in done.text
    [saved] = (desk.folder / ".knockon" / "findings").iterdir()
    assert json.loads(saved.read_text())["signature"] == "isolation:checkout-service"
    told = json.loads(desk.type(f"{done.line('report:')} --json -").text)
    [finding] = told["findings"]
    assert told["verdict"] == "violated"
    assert finding["violation"]["service"] == "checkout-service"
    assert finding["story"]["lanes"]["checkout-service"]


def pin(desk, status, scenario="crash checkout-service", **changes):
    action, service = scenario.split()
    content = {
        "knockon_pin": 1,
        "status": status,
        "steps": [{"action": action, "targets": [service]}],
        "invariant": "isolation",
        "signature": "isolation:api-gateway",
        "reproduced": 4,
        "replays": 4,
        **changes,
    }
    folder = desk.folder / "pins"
    folder.mkdir(exist_ok=True)
    (folder / "the-incident.json").write_text(json.dumps(content))
    return folder


@pytest.mark.parametrize(
    ("target", "status", "code", "told", "verdict"),
    [
        (FRAGILE, "open", 0, "1 xfailed", "UNKNOWN"),  # that it fails is known; nothing else was played
        (FRAGILE, "guard", 1, "the guard the-incident.json fails: crash checkout-service", "VIOLATED"),
        (HARDENED, "open", 0, "the-incident.json: fixed", "HOLDS"),
        (HARDENED, "guard", 0, "1 passed", "HOLDS"),
    ],
)
def test_a_pin_does_what_its_status_says(desk, fuzzer, target, status, code, told, verdict):
    done = desk.type(f"pytest {fuzzer}/test_pins.py {target} --pins {pin(desk, status)} -v")
    assert done.code == code, done.text
    assert told in done.text
    assert "the-incident" in done.text
    page = desk.type(f"{done.line('report:')} --html page.html")
    assert page.text.startswith(f"{verdict}: shop on local, "), page.text
    assert (desk.folder / "page.html").stat().st_size < 300_000


def test_pins_come_before_the_search(desk, fuzzer):
    one = "--examples 1 --budget 10m --steps 2"
    done = desk.type(f"pytest {fuzzer} {HARDENED} --pins {pin(desk, 'guard')} {one} -v")
    assert done.code == 0, done.text
    assert done.text.index("test_pin[the-incident]") < done.text.index("test_fuzz.py::test_fuzz")


def test_a_pin_that_cannot_be_played_here_is_an_error(desk, fuzzer):
    done = desk.type(f"pytest {fuzzer}/test_pins.py {HARDENED} --pins {pin(desk, 'guard', 'crash ghost')}")
    assert done.code == 2, done.text
    assert "there is no service 'ghost'" in done.text
    assert "passed" not in done.text


def test_a_damaged_pin_is_an_error(desk, fuzzer):
    folder = pin(desk, "guard")
    (folder / "the-incident.json").write_text("{")
    done = desk.type(f"pytest {fuzzer}/test_pins.py {HARDENED} --pins {folder}")
    assert done.code == 2, done.text
    assert "is damaged" in done.text


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ("--target nowhere.yaml", "nowhere.yaml"),
        ("--target bad.yaml", "x-knockon.helth"),
        ("--runtime moon", "no runtime 'moon'"),
        ("--budget soon", "soon"),
    ],
)
def test_a_wrong_request_is_exit_2_and_no_traceback(desk, fuzzer, options, told):
    (desk.folder / "bad.yaml").write_text("services: {web: {image: x, x-knockon: {helth: 'http://x/'}}}\n")
    done = desk.type(f"pytest {fuzzer} {options}")
    assert done.code == 2, done.text
    assert told in done.text
    assert "Traceback" not in done.text
