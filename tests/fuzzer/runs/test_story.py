"""A history made short: lanes, faults and beats say what the history says, and no more."""

from dataclasses import replace

import pytest

from fuzzer.runs.story import BEATS_MOST, STRETCHES_MOST, story_of
from models.expected import Effect
from models.histogram import Histogram
from models.load import Summary
from models.observation import Change, ProcessChange
from tests.support.fake_fleet import SHOP, target_of
from tests.support.histories import HistoryOf

TARGET = target_of(*SHOP)


def history():
    return HistoryOf(TARGET)


def lane(history, service):
    return [(one.state, one.since_s, one.until_s) for one in story_of(history).lanes[service]]


def test_a_service_that_nothing_happens_to_is_up_throughout():
    assert lane(history().until(3), "db") == [("up", 0.0, 3.0)]


def test_an_exit_without_return_is_down_and_one_with_is_restarting():
    made = history().exited("db", 1.0, 137, returns=False).exited("gateway", 1.0).started("gateway", 2.0)
    story = story_of(made.until(3))
    assert [(one.state, one.since_s) for one in story.lanes["db"]] == [("up", 0.0), ("down", 1.0)]
    assert story.lanes["db"][1].detail == "exited with code 137"
    assert [one.state for one in story.lanes["gateway"]] == ["up", "restarting", "up"]


def test_an_unhealthy_service_is_degraded_from_the_first_bad_probe_to_the_first_good_answer():
    made = history().unhealthy("checkout", 1.0, 2.0).until(3)
    assert lane(made, "checkout") == [("up", 0.0, 1.0), ("degraded", 1.0, 2.002), ("up", 2.002, 3.0)]
    assert story_of(made).lanes["checkout"][1].detail == "HTTP 503"


def test_one_that_never_got_well_again_is_degraded_to_the_end():
    assert lane(history().unhealthy("db", 2.0, 9).until(3), "db")[-1] == ("degraded", 2.0, 3.0)


def test_a_frozen_process_is_frozen_and_not_merely_unhealthy():
    assert ("frozen", 1.0, 2.0) in lane(history().frozen("analytics", 1.0, 2.0).until(3), "analytics")


def test_of_several_replicas_one_that_is_down_counts():
    made = replace(
        history().until(4),
        processes=(
            ProcessChange("db", 1.0, Change.EXITED, "1", 137, True),
            ProcessChange("db", 2.0, Change.EXITED, "2", 137, True),
            ProcessChange("db", 2.5, Change.STARTED, "2"),
            ProcessChange("db", 3.0, Change.STARTED, "1"),
        ),
    )
    assert lane(made, "db") == [("up", 0.0, 1.0), ("restarting", 1.0, 3.0), ("up", 3.0, 4.0)]


def test_a_process_that_comes_back_under_another_name_stands_for_the_one_that_left():
    made = replace(
        history().until(4),
        processes=(
            ProcessChange("db", 1.0, Change.EXITED, "old", 137, True),
            ProcessChange("db", 2.0, Change.STARTED, "new"),
        ),
    )
    assert [one[0] for one in lane(made, "db")] == ["up", "restarting", "up"]


def test_before_the_first_probe_and_of_an_unwatched_service_nothing_is_told():
    made = history().until(3)
    late = tuple(seen for seen in made.health if seen.service != "db" and seen.at_s >= 1.0)
    story = story_of(replace(made, health=late))
    assert story.lanes["db"] == ()
    assert story.lanes["gateway"][0].since_s == 1.0


def test_a_flapping_service_does_not_fill_the_disk():
    made = history()
    for number in range(STRETCHES_MOST):
        made.exited("db", 0.1 + number / 100).started("db", 0.105 + number / 100)
    assert len(story_of(made.until(8)).lanes["db"]) == STRETCHES_MOST


def test_faults_on_services_and_links_have_their_windows_and_their_radius():
    made = (
        history()
        .fault(0.0, "kill db", Effect.DOWN)
        .fault(0.5, "latency gateway -> checkout 100ms", Effect.SLOW)
    )
    story = story_of(made.healed(2.0).until(3))
    assert [(one.on, one.effect, one.since_s, one.ended_s) for one in story.faults] == [
        ("db", Effect.DOWN, 0.0, 2.0),
        ("gateway -> checkout", Effect.SLOW, 0.5, 2.0),
    ]
    assert story.radius == ("gateway", "checkout", "db")
    assert [step.step for step in story.steps] == ["kill db", "latency gateway -> checkout 100ms"]


def test_a_fault_that_outlasts_the_story_has_no_end():
    assert story_of(history().fault(0.0, "kill db", Effect.DOWN).until(2)).faults[0].ended_s is None


def test_times_are_counted_from_the_first_step():
    made = replace(history().exited("db", 3.0).until(5), began_s=2.0)
    assert story_of(made).ended_s == 3.0
    assert story_of(made).lanes["db"][0].since_s == -2.0


def test_beats_add_up_to_the_requests_and_their_latency_is_that_of_good_ones():
    made = history().sent(-1.0, 4.0).failed(1.0, 2.0).answered(3.0, 4.0, latency_ms=80.0)
    [(name, beats)] = story_of(made.until(5)).loads.items()
    assert name == "orders"
    assert (sum(beat.sent for beat in beats), sum(beat.good for beat in beats)) == (100, 80)
    by_start = {beat.since_s: beat for beat in beats}
    assert by_start[-1.0].p95_ms == 20.0
    assert by_start[1.25].p50_ms is None
    assert by_start[3.5].p50_ms == 80.0


def test_a_long_load_has_longer_beats_not_more():
    [beats] = story_of(history().sent(0.0, 600.0, rate_rps=2).until(600)).loads.values()
    assert len(beats) <= BEATS_MOST
    assert {beat.seconds for beat in beats} == {8.0}
    assert sum(beat.sent for beat in beats) == 1200


def test_a_single_request_is_one_beat():
    [[beat]] = story_of(history().sent(0.5, 0.55).until(1)).loads.values()
    assert (beat.since_s, beat.sent, beat.good) == (0.5, 1, 1)


def test_where_knockon_did_not_look_is_told():
    assert story_of(history().blind(1.0, 2.5).until(4)).blind == ((1.0, 2.5, "not scheduled"),)


@pytest.mark.parametrize(("values", "p95"), [((5.0, 7.0), 7.0), ((), None)])
def test_an_outside_tool_that_tells_of_no_single_requests_has_totals(values, p95):
    latency = Histogram()
    for value in values:
        latency.add(value)
    made = replace(history().until(2), summaries=(Summary("hey", "(all)", 9, 2, {}, latency),))
    [total] = story_of(made).totals
    assert (total.load, total.sent, total.failed) == ("hey", 9, 2)
    assert total.p95_ms == (None if p95 is None else pytest.approx(p95, rel=0.01))
