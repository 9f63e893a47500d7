"""The format of a log: what is written is read again, whatever a fleet said."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from fuzzer.runs.lines import LINE, LoggedStretch
from tests.support.logged import SHOP, TOTAL, beats, end_of, finding_of, scenario_of, story_of

WHOLE = story_of(
    "db",
    "gateway -> checkout",
    loads={"a": beats(3), "b": beats(9)},
    totals=(TOTAL,),
    blind=((1, 2, "busy"),),
)


@pytest.mark.parametrize(
    "line", [SHOP, scenario_of(story=WHOLE), finding_of(), end_of()], ids=lambda line: line.kind
)
def test_a_line_is_read_as_it_was_written(line):
    text = line.model_dump_json()
    assert "\n" not in text
    assert LINE.validate_json(text) == line


@given(st.text())
def test_so_is_whatever_a_probe_said(detail):
    stretch = LoggedStretch(state="up", since_s=0, until_s=1, detail=detail)
    line = scenario_of(story=story_of("db", lanes={"db": (stretch,)}))
    assert LINE.validate_json(line.model_dump_json()) == line


def test_a_file_whose_name_is_no_text_is_told_all_the_same():
    head = SHOP.model_validate(SHOP.model_dump() | {"files": ("caf\udce9.yaml",)})
    assert head.files == ("caf?.yaml",)
    assert LINE.validate_json(head.model_dump_json()) == head


def test_what_a_newer_knockon_adds_is_passed_over():
    text = finding_of().model_dump_json().replace('{"kind"', '{"mood":"fine","kind"')
    assert LINE.validate_json(text) == finding_of()


@pytest.mark.parametrize("number", [math.inf, math.nan])
def test_a_time_that_is_no_time_is_refused(number):
    with pytest.raises(ValidationError):
        LoggedStretch(state="up", since_s=0, until_s=number)
