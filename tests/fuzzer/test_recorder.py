from fuzzer.recorder import Recorder
from models.expected import Expected
from models.observation import Blindness
from models.scenario import Scenario
from tests.support.fake_fleet import SHOP, target_of

TARGET = target_of(*SHOP)


def blindness(*spans):
    recorder = Recorder(TARGET.topology.services, TARGET.limits)
    recorder.begin(Scenario(), 0.0)
    for span in spans:
        recorder.was_blind(span)
    return recorder.snapshot(Expected(TARGET.topology, 30.0), 10.0).blindness


def test_blindness_told_piece_by_piece_is_kept_as_one():
    pieces = (Blindness(at, at + 1, "crowded") for at in range(5))
    assert blindness(*pieces) == (Blindness(0, 5, "crowded"),)


def test_what_differs_stays_apart():
    spans = (
        Blindness(0, 1, "crowded"),
        Blindness(1, 2, "frozen"),
        Blindness(2, 3, "frozen", deaf=True),
        Blindness(4, 5, "frozen", deaf=True),
    )
    assert blindness(*spans) == spans
