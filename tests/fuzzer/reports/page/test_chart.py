"""The timeline: everything on the canvas, nothing that is no number, nothing made up."""

from dataclasses import astuple
from itertools import pairwise
from math import isfinite

import pytest

from fuzzer.reports.page.chart import LABEL, TOP, WIDTH, chart
from fuzzer.runs.lines import LoggedStep, LoggedStretch, Story
from tests.support.logged import beats, story_of


def numbers(value):
    if isinstance(value, tuple | list):
        for one in value:
            yield from numbers(one)
    elif isinstance(value, str):
        assert "nan" not in value.split()
    elif value is not None:
        yield value


SOME = story_of("db", blind=((1.0, 2.0, "not scheduled"),))


@pytest.mark.parametrize(
    "story",
    [
        SOME,
        Story(ended_s=0.0),
        Story(ended_s=-1.0),
        story_of("db", ended_s=0.0),
        story_of("db", loads={}, lanes={}),
        story_of("db", loads={"none": ()}),
        story_of("db", loads={"bad": beats(3, good=0), "one": beats(1), "long": beats(120)}),
        story_of(ended_s=1e6),
        story_of(ended_s=0.07),
    ],
    ids=range(9),
)
def test_everything_is_a_number_and_on_the_canvas(story):
    drawn = chart(story, broken_s=1e9)
    assert all(isfinite(number) for number in numbers(astuple(drawn)))
    bars = [*drawn.windows, *drawn.stretches, *drawn.blind, *(bar for p in drawn.panels for bar in p.bars)]
    assert all(LABEL <= bar.x <= WIDTH and bar.width > 0 and bar.height >= 0 for bar in bars)
    assert all(bar.y + bar.height <= drawn.height for bar in bars)
    assert len(drawn.ticks) <= 12
    assert drawn.broken.x <= WIDTH


def test_a_lane_a_service_and_a_bar_a_stretch():
    drawn = chart(SOME)
    assert [lane.text for lane in drawn.lanes] == ["gateway", "db"]
    assert [bar.kind for bar in drawn.stretches] == ["up", "down", "down"]
    assert drawn.stretches[1].words == "gateway down, from 1.50 s to 5.00 s: exited with code 1"
    assert drawn.stretches[0].x + drawn.stretches[0].width == pytest.approx(drawn.stretches[1].x, abs=0.2)


def test_what_was_not_seen_is_a_gap():
    gap = (
        LoggedStretch(state="up", since_s=0.0, until_s=1.0),
        LoggedStretch(state="up", since_s=3.0, until_s=4.0),
    )
    first, second = chart(story_of(lanes={"db": gap})).stretches
    assert second.x - (first.x + first.width) > 100


def test_a_fault_lasts_until_it_is_healed_and_one_that_is_not_until_the_end():
    [window] = chart(SOME).windows
    assert window.words == "db: down, from 0.00 s to 4.00 s"
    lasting = SOME.faults[0].model_copy(update={"ended_s": None})
    [longer] = chart(SOME.model_copy(update={"faults": (lasting,)})).windows
    assert longer.width > window.width
    assert longer.words == "db: down, from 0.00 s"


def test_where_knockon_did_not_look_is_hatched_across_all_lanes():
    [bar] = chart(SOME).blind
    assert bar.words == "knockon did not look, from 1.00 s to 2.00 s: not scheduled"
    assert bar.y < TOP
    assert bar.y + bar.height == chart(SOME).lanes_end


def test_steps_that_would_cover_one_another_share_a_badge_that_names_them_all():
    steps = tuple(LoggedStep(step=f"wait {n}s", began_s=n / 100, ended_s=n / 100) for n in range(30))
    drawn = chart(SOME.model_copy(update={"steps": steps})).steps
    assert drawn[0].text.startswith("1–")
    assert drawn[0].width > 20
    assert "step 2 at 0.01 s: wait 1s" in drawn[0].words
    assert all(b.x - a.x >= a.width for a, b in pairwise(drawn))


def test_failed_requests_stand_below_the_good_ones_and_both_add_up():
    [panel] = chart(story_of(loads={"browse": beats(1, good=3, sent=4)})).panels
    good, bad = panel.bars
    assert (good.kind, bad.kind) == ("good", "bad")
    assert good.height == pytest.approx(3 * bad.height)
    assert good.words == "-1 s: 4 requests, 1 failed"
    assert (panel.rate_max, panel.latency_max) == ("8/s", "9 ms")


def test_without_a_good_answer_there_is_no_line_of_latency():
    silent = tuple(beat.model_copy(update={"p50_ms": None, "p95_ms": None}) for beat in beats(4, good=0))
    [panel] = chart(story_of(loads={"browse": silent})).panels
    assert (panel.p50, panel.p95) == ("", "")


def test_panels_of_several_loads_stand_below_one_another():
    first, second = chart(story_of(loads={"a": beats(3), "b": beats(3)})).panels
    assert second.y >= first.y + 2 * 84
