"""Learning on the way: it fills its two files, and whatever goes wrong with them, the run does not notice."""

from fuzzer.calibration.files import fleet_name, in_state, read_twin
from fuzzer.calibration.learner import Learner
from fuzzer.calibration.record import read_record, record_path
from fuzzer.events import Played, ScenarioEnded
from models.scenario import Scenario
from models.verdict import Outcome
from tests.fuzzer.calibration.test_learn import db_killed


def ended(target, outcome=Outcome.HOLDS):
    history = db_killed(target).unhealthy("checkout", 1.15, 4.25).until(8)
    return ScenarioEnded(Played(Scenario.parse("kill db"), outcome, history=history), "search")


def learner(target, folder):
    told = []
    return Learner(target, folder, "local", told.append), told


def test_every_scenario_is_recorded_and_learnt_from(target, tmp_path):
    listen, told = learner(target, tmp_path)
    listen(ended(target))
    listen(ended(target))
    assert told == []
    assert [one.runtime for one in read_record(record_path(tmp_path, target))] == ["local", "local"]
    known = read_twin(in_state(tmp_path, target)).fleets[fleet_name(target)]
    assert known.scenarios == 2
    assert known.services["checkout"].reactions[0].samples == 2


def test_an_inconclusive_scenario_is_recorded_and_teaches_nothing(target, tmp_path):
    listen, _ = learner(target, tmp_path)
    listen(ended(target, Outcome.UNKNOWN))
    assert len(read_record(record_path(tmp_path, target))) == 1
    assert not in_state(tmp_path, target).exists()


def test_a_damaged_file_is_told_once_and_left_alone(target, tmp_path):
    in_state(tmp_path, target).write_text("{")
    listen, told = learner(target, tmp_path)
    listen(ended(target))
    listen(ended(target))
    [note] = told
    assert "is damaged" in note
    assert in_state(tmp_path, target).read_text() == "{"


def test_a_full_disk_is_told_once(target, tmp_path):
    (tmp_path / "file").write_text("")
    listen, told = learner(target, tmp_path / "file")
    listen(ended(target))
    listen(ended(target))
    assert len(told) == 1
