"""Scenarios as commands: each step has its equivalent or says that it has none, and all ends healed."""

from __future__ import annotations

import pytest

from fuzzer.exchange.deeds import by_compose, deeds, harms
from fuzzer.exchange.pumba import pumba_lines
from fuzzer.exchange.shell import shell_lines
from models.scenario import Scenario


def shell(text, containers=None):
    return list(shell_lines(deeds(Scenario.parse(text), containers or by_compose("shop"))))


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("kill web; wait 2s", ["docker kill shop-web-1", "sleep 2", "docker start shop-web-1"]),
        ("stop web", ["docker stop shop-web-1", "docker start shop-web-1"]),
        ("pause web", ["docker pause shop-web-1", "docker unpause shop-web-1"]),
        ("pause web; unpause web", ["docker pause shop-web-1", "docker unpause shop-web-1"]),
        ("kill web; start web", ["docker kill shop-web-1", "docker start shop-web-1"]),
        ("kill web; restart web", ["docker kill shop-web-1", "docker restart --time 0 shop-web-1"]),
        ("crash web", ["sudo kill -9 $(docker inspect --format '{{.State.Pid}}' shop-web-1)"]),
        ("load browse 5rps 2s", ["# load browse 5rps 2s: load has no equivalent in the Docker client"]),
    ],
)
def test_each_step_in_the_words_of_the_docker_client(text, lines):
    assert shell(text) == lines


def test_a_heal_lifts_what_lasts_and_nothing_twice():
    assert shell("kill a; pause b; heal b; wait 0.5s; heal all; wait 1s") == [
        "docker kill shop-a-1",
        "docker pause shop-b-1",
        "docker unpause shop-b-1",
        "sleep 0.5",
        "docker start shop-a-1",
        "sleep 1",
    ]


def test_a_series_is_written_out():
    assert shell("cascade a b gap_s=2")[:3] == ["docker kill shop-a-1", "sleep 2", "docker kill shop-b-1"]


def test_every_replica_of_a_service_or_the_one_that_is_named():
    names = {"web": ("x_web_1", "x_web_2")}
    assert shell("pause web", names.__getitem__)[0] == "docker pause x_web_1 x_web_2"
    assert shell("pause web#2", names.__getitem__)[0] == "docker pause x_web_2"


def test_what_is_pasted_into_a_shell_stays_one_word():
    assert shell("kill web", lambda service: ("odd name;x",))[0] == "docker kill 'odd name;x'"


def test_harms_that_last_once_each():
    found = harms(Scenario.parse("kill a b; crash a; pause c; heal all; kill a"))
    assert [str(step) for step in found] == ["kill a", "kill b", "pause c"]


def test_pumba_pauses_for_as_long_as_the_scenario_does():
    lines = list(
        pumba_lines(Scenario.parse("pause a; wait 2s; kill b.c; wait 1s; heal all; wait 9s"), "shop")
    )
    assert lines[0] == "pumba pause --duration 3s 're2:^/?shop[-_]a[-_][0-9]+$' &"
    assert lines[2] == r"pumba kill --signal SIGKILL 're2:^/?shop[-_]b\.c[-_][0-9]+$'"
    assert lines[4].startswith("# heal all: ")


def test_pumba_shapes_what_a_caller_sends_and_says_that_this_is_more():
    first, second, *_ = pumba_lines(Scenario.parse("latency a -> b 200ms jitter_ms=20"), "shop")
    assert "netem --duration 5s" in first
    assert "delay --time 200 --jitter 20 're2:^/?shop[-_]a[-_][0-9]+$' &" in first
    assert second == "# all that a sends is shaped, not only what goes along a -> b"
    (only,) = pumba_lines(Scenario.parse("loss * -> b 10%"), "shop")
    assert only.endswith("name a caller")
    (none,) = pumba_lines(Scenario.parse("crash a"), "shop")
    assert none == "# crash a: Pumba has no equivalent"
