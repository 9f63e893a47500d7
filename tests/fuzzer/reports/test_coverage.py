from io import StringIO

import pytest
from rich.console import Console

from fuzzer.events import RunEnded, Summary
from fuzzer.reports.coverage import CoverageTable, coverage_lines, shortfall, table_lines
from fuzzer.reports.text import summary_lines
from models.coverage import Cells, Coverage, Dimension
from models.histogram import Histogram

SERVICES, FAULTS = ("gateway", "checkout", "db"), ("crash", "kill", "pause")
ACTIONS = tuple((service, fault) for service in SERVICES for fault in FAULTS)
PAIRS = tuple((a, b) for a in SERVICES for b in SERVICES if a != b)


def actions(*missing: str, in_vain: tuple[str, ...] = ()) -> Coverage:
    def named(words):
        return {tuple(reversed(word.split())) for word in words}

    done = {cell: 1 for cell in ACTIONS if cell not in named((*missing, *in_vain))}
    return Coverage({Dimension.ACTIONS: Cells(ACTIONS, done, dict.fromkeys(named(in_vain), 2))})


def summary_of(coverage: Coverage) -> Summary:
    return Summary(3, 4, {}, {}, (0, 0), Histogram(), {}, (), (), 60.0, "over", False, 7, coverage)


@pytest.mark.parametrize(
    ("coverage", "line"),
    [
        (actions(), "actions 9/9 (100 %)"),
        (actions("crash db"), "actions 8/9 (88 %); never exercised: crash db"),
        (
            actions("crash db", "pause gateway", in_vain=("kill checkout",)),
            "actions 6/9 (66 %); had no effect: kill checkout; never exercised: pause gateway, crash db",
        ),
        (
            actions("crash db", "kill db", "pause db", "kill gateway"),
            "actions 5/9 (55 %); never exercised: any fault on db, kill gateway",
        ),
        (
            actions("pause db", "pause checkout", "pause gateway"),
            "actions 6/9 (66 %); never exercised: pause any service",
        ),
        (
            actions("crash gateway", "kill gateway", "kill checkout", "pause checkout", "crash db"),
            "actions 4/9 (44 %); never exercised: crash gateway, kill gateway, kill checkout and 2 more",
        ),
        (actions(in_vain=tuple(f"{f} {s}" for s, f in ACTIONS)), "actions 0/9 (0 %); had no effect: all"),
    ],
)
def test_a_dimension_is_one_line_that_names_what_is_missing(coverage, line):
    assert list(coverage_lines(coverage)) == [line]


def test_a_missing_row_and_a_missing_column_are_told_as_such_and_their_common_cells_once():
    done = {("checkout", "gateway"): 1, ("db", "gateway"): 1}
    [line] = coverage_lines(Coverage({Dimension.PAIRS: Cells(PAIRS, done)}))
    assert line == (
        "pairs 2/6 (33 %); never exercised: gateway then any other, any other then checkout, "
        "any other then db"
    )


def test_many_rows_are_counted_by_what_they_hold():
    services = tuple("abcdefgh")
    every = tuple((service, fault) for service in services for fault in FAULTS)
    done = {("a", "crash"): 1, ("a", "kill"): 1, ("a", "pause"): 1}
    [line] = coverage_lines(Coverage({Dimension.ACTIONS: Cells(every, done)}))
    assert line.endswith("never exercised: any fault on b, any fault on c, any fault on d and 12 more")


def test_the_summary_shows_it_below_what_was_tried():
    pairs = Cells(PAIRS, {("db", "gateway"): 1})
    both = Coverage({**actions("crash db").dimensions, Dimension.PAIRS: pairs, Dimension.PHASES: Cells(())})
    lines = list(summary_lines(summary_of(both)))
    assert lines[1] == "  covered: actions 8/9 (88 %); never exercised: crash db"
    assert lines[2].startswith("           pairs 1/6 (16 %); never exercised: gateway then any other")
    assert not any("phases" in line for line in lines)


def test_nothing_is_said_of_a_search_that_tried_nothing():
    nothing = Coverage({Dimension.ACTIONS: Cells(ACTIONS)})
    assert not any("covered" in line for line in summary_lines(summary_of(nothing)))
    assert not any("covered" in line for line in summary_lines(summary_of(Coverage())))


def test_what_is_missing_for_a_threshold_is_told_with_what_to_do():
    coverage = actions("crash db", in_vain=("kill db",))
    assert shortfall(coverage, {Dimension.ACTIONS: 0.7}) == ""
    assert shortfall(coverage, {}) == ""
    assert shortfall(coverage, {Dimension.ACTIONS: 0.8}) == (
        "coverage of actions is 77 %, below the 80 % that --min-coverage asks for; "
        "had no effect: kill db; never exercised: crash db; give it more time (--budget)"
    )


def test_every_dimension_that_is_too_low_is_told():
    both = Coverage({**actions("crash db").dimensions, Dimension.PAIRS: Cells(PAIRS)})
    told = shortfall(both, {Dimension.ACTIONS: 0.999, Dimension.PAIRS: 0.001})
    assert "actions is 88 %, below the 99.9 %" in told
    assert "pairs is 0 %, below the 0.1 %" in told
    assert told.count("--budget") == 1


def test_the_table_shows_every_cell():
    coverage = Coverage(
        {
            **actions("crash db", "pause gateway", in_vain=("kill checkout",)).dimensions,
            Dimension.PAIRS: Cells(PAIRS, {("gateway", "db"): 12}, {("db", "gateway"): 1}),
            Dimension.PHASES: Cells((), undefined="x-knockon.loads names no load"),
        }
    )
    assert "\n".join(table_lines(coverage)) == (
        "coverage map: how often each was exercised; - never, ! tried without effect\n"
        "\n"
        "actions 6/9 (66 %)\n"
        "            crash  kill  pause\n"
        "  gateway       1     1      -\n"
        "  checkout      1     !      1\n"
        "  db            -     1      1\n"
        "\n"
        "pairs 1/6 (16 %): the row was harmed already when a fault was done to the column\n"
        "              1  2   3\n"
        "  1 gateway      -  12\n"
        "  2 checkout  -      -\n"
        "  3 db        !  -\n"
        "\n"
        "phases: none; x-knockon.loads names no load"
    )


def test_a_cell_that_cannot_be_is_left_blank():
    edges = Cells((("db", "crash"), ("web -> db", "partition")), {("db", "crash"): 1})
    lines = list(table_lines(Coverage({Dimension.ACTIONS: edges})))
    assert lines[-2:] == ["  db             1", "  web -> db                 -"]


def test_the_table_comes_once_the_search_is_over_and_is_never_cut():
    out = StringIO()
    show = CoverageTable(Console(file=out, width=20))
    show(RunEnded(summary_of(actions())))
    assert out.getvalue().splitlines()[-1] == "  db            1     1      1"
