"""What may be said about how a service behaves."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from models.behaviour import Away, Behaviour, Call, CallHints, Hints, Reaction, Response


def test_whom_a_service_minds_is_told_once_each_in_order():
    reactions = (
        Reaction(when={"log": Away.GONE, "db": Away.HUNG}, then=Response.EXITS),
        Reaction(when={"log": Away.HUNG}, then=Response.EXITS),
    )
    assert Behaviour(calls={"db": Call()}, reactions=reactions).minds == ("db", "log")


@pytest.mark.parametrize(
    ("kind", "keys"),
    [
        (Hints, {"start_s": -1}),
        (Hints, {"workers": 0}),
        (Hints, {"replicas": 0}),
        (Hints, {"health_ms": float("inf")}),
        (CallHints, {"timeout_s": 0}),
        (CallHints, {"retries": -1}),
        (Reaction, {"when": {}, "then": "exits"}),
        (Reaction, {"when": {"db": "asleep"}, "then": "exits"}),
        (Reaction, {"when": {"db": "gone"}}),
        (Reaction, {"when": {"a b": "gone"}, "then": "exits"}),
    ],
)
def test_what_makes_no_sense_is_refused(kind, keys):
    with pytest.raises(ValidationError):
        kind.model_validate(keys)


def test_everything_that_is_said_has_a_place_in_a_behaviour():
    """A hint that nobody reads would be believed and never seen."""
    said = Hints.model_fields.keys() - {"unclean"}
    assert said <= Behaviour.__dataclass_fields__.keys()
    assert CallHints.model_fields.keys() == Call.__dataclass_fields__.keys()


def test_zero_is_a_moment():
    hints = Hints(start_s=0, stop_s=0, notice_s=0, health_ms=0, work_ms=0, queue=0, commit_s=0)
    assert hints.model_dump(exclude_none=True, exclude_defaults=True)["start_s"] == 0
