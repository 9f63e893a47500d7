"""What is read from a log: all that is whole, and what it says of the target."""

import pytest

from fuzzer.runs.lines import LoggedStretch
from fuzzer.runs.reading import read_run
from models.errors import RequestError
from models.verdict import Outcome
from tests.support.logged import BROKEN, SHOP, end_of, finding_of, run_of, scenario_of, story_of

HOLDS, VIOLATED, UNKNOWN = Outcome


def logged(tmp_path, *lines):
    path = tmp_path / "events.ndjson"
    path.write_text(
        "".join(f"{line if isinstance(line, str) else line.model_dump_json()}\n" for line in lines)
    )
    return path


def test_a_log_is_read_as_it_was_written(tmp_path):
    lines = (SHOP, scenario_of(purpose="search"), finding_of(), end_of())
    run = read_run(logged(tmp_path, *lines))
    assert (run.head, *run.scenarios, *run.findings, run.end) == lines
    assert run.damaged == ()


def test_a_last_line_that_a_death_cut_short_is_left_out(tmp_path):
    path = logged(tmp_path, SHOP, scenario_of())
    path.write_text(path.read_text() + finding_of().model_dump_json()[:300])
    run = read_run(path)
    assert (len(run.scenarios), run.findings, run.damaged) == (1, (), ())


def test_damaged_lines_are_left_out_and_named(tmp_path):
    strange = '{"kind":"weather"}'
    run = read_run(logged(tmp_path, SHOP, "{", scenario_of(), strange, "", scenario_of(number=2)))
    assert [one.number for one in run.scenarios] == [1, 2]
    assert run.damaged == (2, 4, 5)


def test_bytes_that_are_no_text_damage_only_their_own_line(tmp_path):
    path = logged(tmp_path, SHOP, scenario_of())
    path.write_bytes(
        path.read_bytes() + b'{"kind":\xff\xfe}\n' + scenario_of().model_dump_json().encode() + b"\n"
    )
    run = read_run(path)
    assert (len(run.scenarios), run.damaged) == (2, (3,))


@pytest.mark.parametrize("separator", ["\u2028", "\x85", "\x0c", "\x1e"])
def test_what_some_take_for_the_end_of_a_line_is_none(tmp_path, separator):
    stretch = LoggedStretch(state="degraded", since_s=0, until_s=1, detail=f"a{separator}b")
    scenario = scenario_of(story=story_of("db", lanes={"db": (stretch,)}))
    assert read_run(logged(tmp_path, SHOP, scenario)).scenarios == (scenario,)


def test_a_newer_log_asks_for_a_newer_knockon(tmp_path):
    newer = SHOP.model_dump_json().replace('"version":1', '"version":2')
    with pytest.raises(
        RequestError, match=r"events.ndjson: was written by a newer knockon; upgrade this one"
    ):
        read_run(logged(tmp_path, newer))


@pytest.mark.parametrize("content", ["", "\n", "hello\n", "[1]\n", '{"kind":"end"}\n', "{}"])
def test_anything_else_is_no_log(tmp_path, content):
    path = tmp_path / "x"
    path.write_text(content)
    with pytest.raises(RequestError, match="x: is no log of a run"):
        read_run(path)


def test_what_cannot_be_read_is_told(tmp_path):
    with pytest.raises(RequestError, match="cannot be read: Is a directory"):
        read_run(tmp_path)
    with pytest.raises(RequestError, match="cannot be read: No such file"):
        read_run(tmp_path / "gone")


@pytest.mark.parametrize(
    ("run", "outcome", "reason"),
    [
        (run_of(scenario_of(HOLDS)), HOLDS, ""),
        (run_of(scenario_of(VIOLATED)), VIOLATED, ""),
        (run_of(scenario_of(HOLDS), scenario_of(UNKNOWN)), UNKNOWN, "the fleet is not steady"),
        (run_of(scenario_of(UNKNOWN), scenario_of(VIOLATED)), VIOLATED, ""),
        (run_of(), UNKNOWN, "nothing was played"),
        # A search.
        (run_of(scenario_of(HOLDS, "search"), end=end_of()), HOLDS, ""),
        (run_of(scenario_of(UNKNOWN, "search"), scenario_of(HOLDS, "search"), end=end_of()), HOLDS, ""),
        (run_of(scenario_of(HOLDS, "search"), end=end_of(reason="9 of 10 told nothing")), UNKNOWN, "9 of 10"),
        (run_of(scenario_of(HOLDS, "search")), UNKNOWN, "the search did not come to its end"),
        (run_of(scenario_of(VIOLATED, "search")), VIOLATED, ""),
        (run_of(scenario_of(VIOLATED, "search"), findings=[finding_of()], end=end_of()), VIOLATED, ""),
        # Pins.
        (run_of(scenario_of(VIOLATED, "pin"), scenario_of(HOLDS, "search"), end=end_of()), HOLDS, ""),
        (run_of(scenario_of(VIOLATED, "guard"), scenario_of(HOLDS, "search"), end=end_of()), VIOLATED, ""),
        (
            run_of(scenario_of(UNKNOWN, "guard"), scenario_of(HOLDS, "search"), end=end_of()),
            UNKNOWN,
            "not steady",
        ),
        (run_of(scenario_of(VIOLATED, "pin")), UNKNOWN, "only known failures were played"),
        (run_of(scenario_of(HOLDS, "pin")), HOLDS, ""),
    ],
)
def test_a_run_says_what_its_exit_code_says(run, outcome, reason):
    assert run.outcome is outcome
    assert reason in run.reason
    assert bool(reason) == bool(run.reason)


def test_what_broke_is_told_by_findings_where_there_are_any():
    other = BROKEN.model_copy(update={"service": "checkout"})
    assert run_of(scenario_of(), findings=[finding_of(violation=other)]).broken == (other,)
    assert run_of(scenario_of(), scenario_of(HOLDS)).broken == (BROKEN,)
