"""What holds for every promise to clients, whatever the history."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from invariants.base_clients import clients, crowded, kinds, needs
from invariants.catalogue import INVARIANTS
from models.expected import Effect
from models.histogram import Histogram
from models.load import Endpoint, Fate, Load, LoadRun, Phase, Request, Summary
from models.verdict import Outcome
from tests.support.fake_fleet import SHOP, target_of
from tests.support.histories import ORDER, HistoryOf

TARGET = target_of(*SHOP, recovery_s_max=3.0)
MIXED = Load("mixed", (ORDER, Endpoint("GET /", "gateway"), Endpoint("GET /stats", "analytics")))
PROMISED = {
    "durability",
    "metastability",
    "graceful_degradation",
    "availability",
    "fail_fast",
    "amplification",
    "error_rate",
    "latency",
}
CLIENT_LAWS = [invariant for invariant in INVARIANTS if invariant.name in PROMISED]

FAULTS = st.lists(
    st.tuples(
        st.floats(0.0, 8.0),
        st.sampled_from(TARGET.topology.services),
        st.sampled_from([("kill", Effect.DOWN), ("pause", Effect.HUNG), ("crash", Effect.RETURNING)]),
    ),
    max_size=4,
).map(lambda faults: sorted(faults, key=lambda fault: fault[0]))
LOADS = st.lists(st.tuples(st.floats(0.0, 8.0), st.floats(0.2, 6.0), st.floats(5.0, 60.0)), max_size=3)
ANSWERS = st.sampled_from(
    [
        {"status": 503},
        {"status": 404},
        {"status": None, "error": "reset"},
        {"status": None, "error": "timeout", "latency_ms": 5000.0},
        {"latency_ms": 900.0},
        {"status": None, "error": "unsent", "lag_ms": 5000.0},
    ]
)
TROUBLES = st.lists(st.tuples(st.floats(-2.0, 20.0), st.floats(0.05, 4.0), ANSWERS), max_size=4)


@st.composite
def histories(draw, troubles=TROUBLES):
    history = HistoryOf(TARGET).sent(-2, 0, MIXED, rate_rps=30)
    for at_s, service, (action, effect) in draw(FAULTS):
        history.fault(at_s, f"{action} {service}", effect)
    for since_s, length_s, rate_rps in draw(LOADS):
        history.sent(since_s, since_s + length_s, MIXED, rate_rps=rate_rps)
    history.healed(draw(st.floats(8.0, 12.0)))
    steady_s = draw(st.floats(14.0, 16.0))
    history._steady, history._steady_s = True, steady_s
    history.sent(steady_s, steady_s + 2, MIXED, rate_rps=30)
    for since_s, length_s, answer in draw(troubles):
        history.answered(since_s, since_s + length_s, **answer)
    history.written(1.0, Fate.FOUND).written(steady_s + 1, Fate.FOUND)
    return history.until(25.0)


def verdicts(history):
    return {law.name: law.judge(history, TARGET) for law in CLIENT_LAWS}


def test_every_promise_to_clients_is_meant_here():
    assert len(CLIENT_LAWS) == len(PROMISED)


@given(histories(troubles=st.just([])))
def test_good_and_prompt_answers_accuse_nobody_and_leave_no_doubt(history):
    for law in INVARIANTS:
        assert law.judge(history, TARGET).outcome is not Outcome.VIOLATED
    for verdict in verdicts(history).values():
        assert verdict.outcome is Outcome.HOLDS or not verdict.exercised


@given(histories(), st.randoms())
def test_the_order_in_which_answers_came_does_not_matter(history, random):
    shuffled = list(history.requests)
    random.shuffle(shuffled)
    assert verdicts(replace(history, requests=tuple(shuffled))) == verdicts(history)


@given(histories(), st.lists(st.tuples(st.floats(0.0, 16.0), st.sampled_from(MIXED.endpoints)), max_size=80))
def test_more_good_answers_break_no_promise(history, more):
    good = tuple(Request("mixed", endpoint.name, at_s, 20.0, 200) for at_s, endpoint in more)
    then, now = verdicts(history), verdicts(replace(history, requests=history.requests + good))
    for name, verdict in now.items():
        assert verdict.outcome is not Outcome.VIOLATED or then[name].outcome is not Outcome.HOLDS


@given(histories(), st.floats(0.0, 20.0), ANSWERS)
def test_what_the_engine_sent_late_changes_nothing(history, at_s, answer):
    late = Request("mixed", ORDER.name, at_s, 20.0, 200, lag_ms=51.0)
    more = (replace(late, **{**answer, "lag_ms": 51.0}),) * 40
    assert verdicts(replace(history, requests=history.requests + more)) == verdicts(history)


@given(histories())
def test_before_the_end_nothing_is_said(history):
    for verdict in verdicts(replace(history, whole=False)).values():
        assert not verdict.exercised


@given(histories())
def test_an_engine_in_trouble_is_a_doubt_and_accuses_nobody(history):
    first, *others = history.loads
    for verdict in verdicts(replace(history, loads=(replace(first, trouble="behind"), *others))).values():
        assert verdict.outcome is Outcome.UNKNOWN
        assert verdict.exercised
        assert verdict.reason == "behind"


@given(histories())
def test_without_a_load_there_is_nothing_to_say(history):
    silent = replace(history, loads=(), requests=(), read_backs=(), calls=())
    for verdict in verdicts(silent).values():
        assert not verdict.exercised


@pytest.mark.parametrize(
    ("needed", "expected"),
    [
        (None, {"gateway", "checkout", "db"}),
        ((), {"gateway"}),
        (("analytics",), {"gateway", "analytics"}),
        (("checkout",), {"gateway", "checkout", "db"}),
    ],
)
def test_what_an_endpoint_needs_is_what_it_says_with_all_that_this_needs(needed, expected):
    assert needs(Endpoint("GET /", "gateway", needs=needed), TARGET.topology) == expected


@given(histories())
def test_no_request_counts_that_was_under_way_under_a_fault_that_excuses_it(history):
    for group in clients(history, TARGET):
        for request in group.counted:
            assert history.phase_of(request) is not Phase.BEFORE
            for harm in history.expected.harms:
                if harm.on in group.needs:
                    over_s = harm.ended_s + TARGET.limits.recovery_s_max
                    assert request.ended_s < harm.since_s or request.intended_s > over_s


def loaded(*runs):
    history = HistoryOf(TARGET).sent(-2, 0)
    for since_s, until_s, rate_rps in runs:
        history.sent(since_s, until_s, rate_rps=rate_rps)
    return history.healed(20.0, steady=True).sent(20, 22).until(22.0)


@pytest.mark.parametrize(
    ("runs", "crowd"),
    [
        ([(1, 6, 20)], False),
        ([(1, 6, 30)], False),
        ([(1, 6, 60)], True),
        ([(1, 1.05, 400)], True),
        ([(1, 6, 20), (3, 8, 20), (4, 9, 20)], True),
        ([(1, 6, 20), (7, 12, 20)], False),
    ],
)
def test_a_crowd_is_more_at_once_than_before(runs, crowd):
    assert crowded(loaded(*runs)) is crowd


def test_kinds_are_told_the_most_frequent_first():
    bad = [Request("", "", 0.0, 1.0, 503)] * 12 + [Request("", "", 0.0, 1.0, None, "reset")] * 3
    assert kinds(bad) == kinds(reversed(bad)) == "HTTP 503 12, reset 3"


def test_kinds_as_frequent_as_each_other_are_told_in_a_fixed_order():
    bad = [Request("", "", 0.0, 1.0, 503), Request("", "", 0.0, 1.0, None, "reset")]
    assert kinds(bad) == kinds(reversed(bad)) == "HTTP 503 1, reset 1"


@pytest.mark.parametrize("law", CLIENT_LAWS, ids=lambda law: law.name)
def test_failures_of_which_nobody_knows_the_time_leave_nothing_to_hold(law):
    whole = replace(
        HistoryOf(TARGET).until(10.0),
        whole=True,
        loads=(LoadRun(MIXED, Phase.DURING, 40.0, 0.0, 5.0),),
        summaries=(Summary("mixed", "GET /", 10, 10, {"timeout": 10}, Histogram()),),
        requests=tuple(Request("mixed", "GET /", 1 + n / 100, 5.0, 200) for n in range(100)),
    )
    verdict = law.judge(whole, TARGET)
    assert verdict.outcome is Outcome.UNKNOWN
    assert not verdict.exercised
