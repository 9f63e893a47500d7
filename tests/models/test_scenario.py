import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import ScenarioError
from models.scenario import Scenario
from models.step import Step

TEXT = "crash checkout-service; wait 2s; load checkout 50rps 5s; kill a b; heal all"

names = st.from_regex(r"[A-Za-z][A-Za-z0-9._-]{0,12}", fullmatch=True)
numbers = st.integers(0, 10_000) | st.floats(0.001, 1000).map(lambda x: round(x, 3))
params = st.dictionaries(st.sampled_from(["duration_s", "rate_rps", "percent", "latency_ms"]), numbers)
steps = st.builds(lambda a, t, p: Step.of(a, *t, **p), names, st.lists(names, max_size=3), params)
scenarios = st.lists(steps, min_size=1, max_size=6).map(Scenario.of)


def test_the_text_form_is_read_as_written():
    scenario = Scenario.parse(TEXT)
    assert scenario[0] == Step.of("crash", "checkout-service")
    assert scenario[1] == Step.of("wait", duration_s=2)
    assert scenario[2] == Step.of("load", "checkout", rate_rps=50, duration_s=5)
    assert scenario[3].targets == ("a", "b")
    assert str(scenario) == TEXT


def test_lines_and_comments():
    scenario = Scenario.parse("# the incident\ncrash a   # at noon\n\nwait 1.5s;\n")
    assert str(scenario) == "crash a; wait 1.5s"


@given(scenarios)
def test_text_and_json_lose_nothing(scenario):
    assert Scenario.from_json(json.loads(json.dumps(scenario.to_json()))) == Scenario.parse(str(scenario))
    assert Scenario.parse(str(scenario)) == Scenario.parse(json.dumps(scenario.to_json()))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "no steps"),
        ("; ;", "no steps"),
        ("crash a\nwait 2q*", "line 2"),
        ("wait 2s 3s", "given twice"),
        ("wait -", "'-'"),
        ("[1]", "expected a step"),
        ("[{]", "no JSON"),
        ('[{"action": "wait", "extra": 1}]', "expected a step"),
        ('[{"action": "wait", "targets": "a"}]', "list of names"),
        ('[{"action": "wait", "params": {"duration_s": true}}]', "numbers or text"),
        ('[{"action": "wait; crash"}]', "action"),
    ],
)
def test_what_cannot_be_read_is_named(text, told):
    with pytest.raises(ScenarioError) as caught:
        Scenario.parse(text)
    assert told in str(caught.value)


@given(st.text(max_size=60))
def test_any_text_is_a_scenario_or_a_clear_error(text):
    try:
        Scenario.parse(text)
    except ScenarioError as error:
        assert str(error)
