"""Files from elsewhere: too large, too deep, or leading astray. One clear message each, and no harm."""

import json

import pytest

from fuzzer.calibration.files import read_twin
from fuzzer.calibration.record import read_record
from fuzzer.cli.inputs import read_inputs
from fuzzer.pins import read_pin
from fuzzer.procfs import Identity
from fuzzer.runtimes.local.fleets import FleetRecord, end_stale_fleets
from fuzzer.targets.files import load_target
from models.errors import RequestError, TargetError
from models.scenario import Scenario

DEEP = "[" * 100_000
SIZE = 100 * 2**20
READERS = {
    "pin": (read_pin, "pin.json"),
    "finding or scenario": (lambda path: read_inputs([str(path)]), "finding.json"),
    "calibration": (read_twin, "twin.json"),
    "record": (read_record, "played.ndjson"),
    "target": (lambda path: load_target([path], {}), "compose.yaml"),
}
LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefghi", "bcdefghij", strict=True)
)


@pytest.mark.parametrize("name", READERS)
def test_a_file_of_100_mb_is_refused_at_once(tmp_path, name):
    read, file = READERS[name]
    path = tmp_path / file
    with path.open("w") as made:
        made.truncate(SIZE)
    with pytest.raises(RequestError, match=r"larger than|more than 1000000 bytes") as refused:
        read(path)
    assert str(path) in str(refused.value)
    assert len(str(refused.value)) < 400 + len(str(path))


@pytest.mark.parametrize("name", READERS)
def test_a_file_of_endless_depth_is_refused(tmp_path, name):
    read, file = READERS[name]
    path = tmp_path / file
    path.write_text(DEEP + "\n")
    with pytest.raises(RequestError) as refused:
        read(path)
    assert str(path) in str(refused.value)


def test_a_scenario_of_endless_depth_is_refused():
    with pytest.raises(RequestError, match="no JSON"):
        Scenario.parse(DEEP)


def test_a_billion_laughs_are_refused_while_they_are_few(tmp_path):
    path = tmp_path / "compose.yaml"
    path.write_text(LAUGHS)
    with pytest.raises(TargetError, match="aliases unfolded"):
        load_target([path], {})


@pytest.mark.parametrize("where", ["env_file", ".env"])
def test_a_file_of_variables_of_100_mb_is_refused(tmp_path, where):
    name = "web.env" if where == "env_file" else ".env"
    with (tmp_path / name).open("w") as made:
        made.truncate(SIZE)
    web = {"image": "x", **({"env_file": name} if where == "env_file" else {})}
    path = tmp_path / "compose.yaml"
    path.write_text(json.dumps({"services": {"web": web}}))
    with pytest.raises(TargetError, match=f"{name}.*more than 1000000 bytes"):
        load_target([path], {})


def test_a_foreign_fleet_record_removes_no_folder_but_of_sockets(tmp_path):
    """A repository may bring a state folder along; what it says must not be believed."""
    victim, folder = tmp_path / "home", tmp_path / "state" / "fleet-evil"
    victim.mkdir()
    (victim / "thesis.txt").write_text("years of work")
    folder.mkdir(parents=True)
    FleetRecord("evil", "another-boot pid:[1]", Identity(1, 1), None, victim).write(folder)
    assert "removed what was left" in end_stale_fleets(tmp_path / "state")[0]
    assert (victim / "thesis.txt").read_text() == "years of work"
