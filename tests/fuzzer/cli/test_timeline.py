"""The story of a history: in the order of time, nothing left out."""

from dataclasses import replace

from fuzzer.reports.timeline import timeline
from models.expected import Effect
from models.history import PlayedStep, StepState
from models.load import Request
from models.observation import Blindness
from models.scenario import Scenario
from models.step import Step
from tests.support.fake_fleet import SHOP, target_of
from tests.support.histories import HistoryOf


def told(history):
    return [line.split("  ", 1)[1] if " s  " in line else line for line in timeline(history)]


def crash():
    history = HistoryOf(target_of(*SHOP)).fault(1.0, "crash db", Effect.RETURNING, permit=True)
    history.exited("db", 1.05, code=137).started("db", 1.5).unhealthy("db", 1.1, 1.9)
    return history.healed(4.0, steady=True).until(6.0)


def test_steps_and_what_came_of_them_stand_in_the_order_of_time():
    lines = [line.split(" s  ")[1] for line in timeline(crash())]
    assert [line.strip() for line in lines if not line.strip().startswith("db healthy")] == [
        "crash db",
        "db exited with code 137; its policy starts it again",
        "db unhealthy: HTTP 503",
        "db started",
        "every fault is lifted",
        "steady",
    ]
    assert any(line.strip().startswith("db healthy again, ") for line in lines)
    assert lines[0] == "crash db"
    assert lines[1].startswith("    db exited")


def test_offsets_count_from_the_begin():
    first = next(iter(timeline(crash())))
    assert first.split() == ["+1.00", "s", "crash", "db"]


def test_a_step_that_did_nothing_and_one_that_was_not_played_say_so():
    history = replace(
        crash(),
        scenario=Scenario.parse("crash db; kill gateway"),
        steps=(PlayedStep(Step.parse("crash db"), 1.0, 2.0, StepState.INVALID, "it was gone"),),
    )
    text = "\n".join(timeline(history))
    assert "crash db  did not take effect: it was gone" in text
    assert "kill gateway  (not played)" in text


def test_who_stays_down_and_stays_sick_is_named():
    history = HistoryOf(target_of(*SHOP)).exited("db", 1.0, returns=False).unhealthy("db", 1.0, 9.0)
    text = "\n".join(timeline(history.healed(4.0, steady=False).until(5.0)))
    assert "db exited with code 1; nothing starts it again" in text
    assert "db still unhealthy" in text
    assert "not steady" in text


def test_what_was_told_of_a_deafness_piece_by_piece_is_one_line():
    pieces = [Blindness(1.0 + n, 2.0 + n, "events were interrupted", deaf=True) for n in range(3)]
    history = replace(crash(), blindness=(*pieces, Blindness(6.0, 7.0, "events were interrupted")))
    told = [line.split("not look for ")[1] for line in timeline(history) if "not look" in line]
    assert told == ["3.0 s: events were interrupted", "1.0 s: events were interrupted"]


def test_interference_blindness_and_requests_are_told():
    history = replace(
        crash(),
        interference=("db was removed",),
        blindness=(Blindness(2.0, 2.5, "not scheduled"),),
        requests=(
            Request("checkout", "GET /", 1.0, 5.0, 200),
            Request("checkout", "GET /", 1.1, 5.0, 503),
            Request("checkout", "GET /", 1.2, 5.0, None, "refused"),
        ),
    )
    lines = list(timeline(history))
    text = "\n".join(lines)
    assert "somebody else: db was removed" in text
    assert "the fuzzer did not look for 0.5 s: not scheduled" in text
    assert lines[-2].split() == ["load", "checkout", "sent", "good", "p50", "p95", "p99", "errors"]
    assert "during" in lines[-1]
    assert "HTTP 503 1, refused 1" in lines[-1]
