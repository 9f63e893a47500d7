from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from fuzzer.events import Finding, FindingMade, Played, RunBegan, ScenarioBegan, ScenarioEnded
from fuzzer.reports.terminal import Terminal
from fuzzer.reports.text import counted, finding_lines, seconds
from models.scenario import Scenario
from models.verdict import Outcome, Violation
from tests.support.fake_fleet import SHOP, target_of

SCENARIO = Scenario.parse("crash checkout")
VIOLATION = Violation("isolation", "gateway", 1.0, "gateway exited", ("+0.1 s  crash checkout",), ("fix: …",))
FINDING = Finding(
    target_of(*SHOP),
    "docker",
    Scenario.parse("pause db; crash checkout"),
    SCENARIO,
    VIOLATION,
    reproduced=4,
    replays=5,
    necessary=True,
    executions=9,
    seconds=61,
    saved=Path("found it/a.json"),
)


def text_of(finding, options=" --runtime docker"):
    return "\n".join(finding_lines(finding, options))


def test_a_finding_tells_what_broke_how_often_and_what_to_type():
    text = text_of(FINDING)
    assert "VIOLATED isolation: gateway exited" in text
    assert "minimal scenario: 1 step, reproduced 4/5" in text
    assert "knockon replay 'crash checkout' --runtime docker" in text
    assert "knockon pin 'found it/a.json' --runtime docker" in text
    assert "found as 2 steps; 9 played" in text


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"reproduced": 0, "replays": 3}, "seen once, not reproduced in 3 replays"),
        ({"necessary": None}, "not proved"),
        ({"necessary": False}, "without any fault"),
        ({"saved": None}, "only copy"),
        ({"also": (replace(VIOLATION, summary="db exited, too"),)}, "db exited, too"),
    ],
)
def test_it_claims_no_more_than_is_known(changes, told):
    text = text_of(replace(FINDING, **changes))
    assert told in text
    assert ("\n  proved: " in text) == ("necessary" not in changes)


def test_numbers_read_as_people_say_them():
    assert (counted(1, "step"), counted(2, "step")) == ("1 step", "2 steps")
    assert (seconds(59), seconds(125)) == ("59 s", "2 min 05 s")


def test_the_terminal_shows_each_scenario_once_and_plainly_without_a_tty():
    out = StringIO()
    show = Terminal(Console(file=out, width=80))
    show(RunBegan(FINDING.target, "docker", 60.0))
    show(ScenarioBegan(SCENARIO, "search"))
    show(ScenarioEnded(Played(SCENARIO, Outcome.UNKNOWN, reason="[no] engine"), "search"))
    show(FindingMade(FINDING))
    text = out.getvalue()
    assert "\x1b" not in text
    assert text.count("crash checkout  ([no] engine)") == 1
    assert "gateway, checkout, db, analytics" in text
    assert "VIOLATED isolation" in text
