"""When calm proves nothing."""

from dataclasses import replace

import pytest

from fuzzer.events import Finding, Summary
from fuzzer.inconclusive import doubt
from models.coverage import Cells, Coverage, Dimension
from models.histogram import Histogram
from models.scenario import Scenario
from models.verdict import Violation
from tests.support.fake_fleet import SHOP, target_of

CALM = Summary(
    scenarios=6,
    executions=9,
    steps={},
    touched={},
    requests=(0, 0),
    latency=Histogram(),
    held={"isolation": 6, "latency": 0},
    inconclusive=("the engine was away", "db is sick"),
    findings=(),
    seconds=60.0,
    ended="the budget is spent",
    gave_up=False,
    seed=1,
    coverage=Coverage({Dimension.PAIRS: Cells((("a", "b"), ("b", "a")), {("a", "b"): 1})}),
)
SCENARIO = Scenario.parse("crash db")
FOUND = Finding(target_of(*SHOP), "local", SCENARIO, SCENARIO, Violation("isolation", "db", 1.0, "db exited"))


@pytest.mark.parametrize(
    ("changes", "promises", "least", "told"),
    [
        ({}, (), {}, ""),
        ({"scenarios": 0}, (), {}, "no scenario told anything: db is sick"),
        ({"scenarios": 0, "inconclusive": ()}, (), {}, "no scenario told anything: the budget is spent"),
        ({}, ("isolation", "latency"), {}, "no scenario put this to the test: latency"),
        ({"gave_up": True, "ended": "three in a row"}, (), {}, "three in a row: db is sick"),
        ({"scenarios": 5}, (), {}, "2 of 7 scenarios told nothing: db is sick"),
        ({}, (), {Dimension.PAIRS: 0.8}, "coverage of pairs is 50 %, below the 80 %"),
        ({}, (), {Dimension.PAIRS: 0.5}, ""),
        ({"findings": (FOUND,), "scenarios": 0, "gave_up": True}, ("latency",), {Dimension.PAIRS: 1}, ""),
    ],
)
def test_a_search_says_why_it_proves_nothing(changes, promises, least, told):
    reason = doubt(replace(CALM, **changes), promises, least)
    assert reason.startswith(told)
    assert bool(reason) == bool(told)
