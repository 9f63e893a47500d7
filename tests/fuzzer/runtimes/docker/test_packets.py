"""Which rules a toxic becomes, and where; what they do to real packets is in ``test_kernel.py``."""

import pytest

from fuzzer.actions.base_link import LinkFault
from fuzzer.actions.catalogue import ACTIONS
from fuzzer.netns.rule import Rule, from_text, to_text
from fuzzer.runtimes.docker.packets import NEEDED, PACKETS_ONLY, Ends, bearing
from models.toxic import REFUSING, Stream, Toxic

ALL = dict.fromkeys(NEEDED.values(), "")
ENDS = Ends(
    {"a1": ("10.0.0.1",), "a2": ("10.0.0.2",)}, {"b1": ("10.0.0.8", "fd00::8"), "b2": ("10.0.0.9",)}, 80
)
THERE, HERE = ("10.0.0.8", "fd00::8", "10.0.0.9"), ("10.0.0.1", "10.0.0.2")


def names(bears):
    return {name for name, one in ACTIONS.items() if isinstance(one, LinkFault) and one.kinds <= bears.kinds}


def test_a_kernel_with_everything_can_do_what_is_done_to_packets():
    assert names(bearing(ALL)) == {
        *("latency", "bandwidth", "loss", "reset", "refuse", "blackhole", "partition"),
    }
    assert bearing(ALL).why_not({"http_error"}) == PACKETS_ONLY


@pytest.mark.parametrize(
    ("part", "faults"),
    [
        ("netem", {"latency"}),
        ("htb", {"bandwidth"}),
        ("numgen", {"loss"}),
        ("reject", {"reset", "refuse", "blackhole", "partition"}),
    ],
)
def test_what_a_kernel_lacks_is_not_drawn_and_named(part, faults):
    bears = bearing(ALL | {part: "it is not there"})
    assert names(bearing(ALL)) - names(bears) == faults
    for name in faults:
        assert bears.why_not(ACTIONS[name].kinds) == f"without a proxy it takes {part}: it is not there"


@pytest.mark.parametrize(
    ("toxic", "deed"),
    [
        (Toxic("timeout", {"timeout": 0.0}), "drop"),
        (Toxic(REFUSING), "refuse"),
        (Toxic("reset_peer", {"timeout": 0.0}), "reset"),
        (Toxic("loss", {"percent": 7.0}, Stream.UPSTREAM), "lose"),
    ],
)
def test_what_cuts_is_done_at_every_caller_against_every_address(toxic, deed):
    rules = ENDS.rules([toxic, toxic])
    percent = toxic.attributes.get("percent", 0.0)
    assert rules == {one: [Rule(deed, peer, 80, percent=percent) for peer in THERE] for one in ("a1", "a2")}


def test_what_slows_is_done_where_packets_leave_and_a_way_is_one_however_it_is_slow():
    rules = ENDS.rules(
        [
            Toxic("bandwidth", {"rate": 8.0}, Stream.UPSTREAM),
            Toxic("bandwidth", {"rate": 8.0}, Stream.DOWNSTREAM),
            Toxic("latency", {"latency": 200.0, "jitter": 5.0}),
        ]
    )
    questions = [Rule("slow", peer, 80, kbps=64.0) for peer in THERE]
    answers = [Rule("slow", peer, 80, calls=False, kbps=64.0, late_ms=200.0, jitter_ms=5.0) for peer in HERE]
    assert rules == {"a1": questions, "a2": questions, "b1": answers, "b2": answers}
    assert from_text(to_text(answers)) == answers
