"""The record of what was played, and how the twin is held against it."""

from dataclasses import replace

import pytest

from fuzzer.calibration.check import Compared, compare
from fuzzer.calibration.record import LINES_MOST, SLACK, PlayedLine, Record, read_record
from fuzzer.events import Played
from models.errors import RequestError, ScenarioError
from models.scenario import Scenario
from models.verdict import Outcome, Violation

HOLDS, VIOLATED, UNKNOWN = Outcome.HOLDS, Outcome.VIOLATED, Outcome.UNKNOWN


def played(text="crash db", outcome=HOLDS, *signatures):
    found = [Violation(*one.split(":"), at_s=1.0, summary="") for one in signatures]
    return Played(Scenario.parse(text), outcome, violations=tuple(found), seconds=4.2)


def line(*of):
    return PlayedLine.of(played(*of), "compose.yaml", "local")


def test_what_is_recorded_is_read_back(tmp_path):
    record = Record(tmp_path / "state" / "played.ndjson")
    lines = [line(), line("kill db; wait 2s", VIOLATED, "isolation:web", "recovery:db")]
    for one in lines:
        record.add(one)
    assert read_record(tmp_path / "state" / "played.ndjson") == lines
    assert lines[1].signatures == ("isolation:web", "recovery:db")
    assert str(lines[1].steps) == "kill db; wait 2s"


def test_only_the_latest_are_kept(tmp_path):
    path = tmp_path / "played.ndjson"
    text = line().model_dump_json() + "\n"
    path.write_text(text * (LINES_MOST + SLACK))
    Record(path).add(line("crash web"))
    lines = read_record(path)
    assert len(lines) == LINES_MOST
    assert lines[-1].scenario == "crash web"


def test_a_line_that_a_death_cut_short_is_left_out(tmp_path):
    path = tmp_path / "played.ndjson"
    Record(path).add(line())
    path.write_text(path.read_text() + '{"fleet": "comp')
    assert read_record(path) == [line()]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("nothing\n", "line 1 is damaged"),
        (line().model_dump_json() + "\n{}\n", "line 2 is damaged"),
        (line().model_copy(update={"scenario": "crash db="}).model_dump_json() + "\n", "line 1 is damaged"),
    ],
)
def test_a_damaged_record_says_where(tmp_path, text, says):
    path = tmp_path / "played.ndjson"
    path.write_text(text)
    with pytest.raises(RequestError, match=says):
        read_record(path)


def test_a_record_that_is_not_there_is_named(tmp_path):
    with pytest.raises(RequestError, match=r"played.ndjson: cannot be read"):
        read_record(tmp_path / "played.ndjson")


@pytest.mark.parametrize(
    ("reality", "twin", "verdict", "signature"),
    [
        (line(), played(), True, True),
        (line("crash db", VIOLATED, "isolation:web"), played(), False, False),
        (line("crash db", VIOLATED, "isolation:web"), played("x", VIOLATED, "recovery:web"), True, False),
        (
            line("crash db", VIOLATED, "isolation:web", "recovery:db"),
            played("x", VIOLATED, "isolation:api", "isolation:web"),
            True,
            True,
        ),
        (line(), played("x", UNKNOWN), False, False),
    ],
)
def test_verdicts_and_signatures_are_told_apart(reality, twin, verdict, signature):
    one = Compared(reality, twin)
    assert (one.same_verdict, one.same_signature) == (verdict, signature)


def test_what_told_nothing_or_makes_no_sense_any_more_is_not_compared():
    class Twin:
        def play(self, scenario, purpose="replay"):
            if "ghost" in str(scenario):
                raise ScenarioError("there is no service 'ghost'")
            return played()

    lines = [line("crash ghost"), line("crash db", UNKNOWN), line("crash db")]
    assert [one.line for one in compare(lines, Twin())] == [lines[2]]


def test_a_person_reads_the_gravest_violation_and_how_many_more():
    one = Compared(
        line("x", VIOLATED, "isolation:web", "recovery:db"), replace(played("x", UNKNOWN), reason="why")
    )
    assert one.reality == "isolation:web and 1 more"
    assert one.foretold == "unknown: why"
