"""Somebody else removes, recreates or scales a service while a fault lasts."""

from __future__ import annotations

import pytest

from tests.support.waiting import until

pytestmark = pytest.mark.docker


def remove(pair):
    pair.api.remove_container(pair.container("web"), force=True)


def recreate(pair):
    remove(pair)
    pair.add("web")


def scale(pair):
    pair.add("web", number=2)


@pytest.mark.parametrize(
    ("deed", "told"),
    [
        (remove, "web_1 was signalled by somebody else"),
        (recreate, "web_1 was signalled by somebody else"),
        (scale, "web_2 was added to web by somebody else"),
    ],
    ids=["removed", "recreated", "scaled"],
)
def test_what_somebody_else_does_is_unknown_and_told(engine_pair, deed, told):
    engine_pair.recovery_s = 3
    engine_pair.up()
    run = engine_pair.open("kill", "db", "--wait", "20s")
    until(lambda: engine_pair.state("db") == "exited", "the fault is not seen", 60)
    deed(engine_pair)
    done = run.ends()
    assert done.code == 3, done.text
    assert "VIOLATED" not in done.output
    reasons = [line for line in done.output.splitlines() if line.startswith("UNKNOWN: ")]
    assert len(reasons) == 1, done.text
    assert engine_pair.name in reasons[0]
    assert told in done.output
    assert engine_pair.state("db") == "running"
    assert engine_pair.leftovers() == []
