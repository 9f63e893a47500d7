"""`knockon load-chaos` on real processes: with our own engine, and with outside tools."""

from __future__ import annotations

import os
import shutil
import sys

import pytest


def rows(text: str) -> dict[str, list[str]]:
    """The table of what clients saw, by phase."""
    lines = (line.split() for line in text.splitlines())
    return {words[0]: words[1:] for words in lines if words and words[0] in ("before", "during", "after")}


def test_what_clients_saw_before_during_and_after(pair):
    result = pair("load-chaos", "web", "--chaos-delay", "1s", "--outage", "1s")
    assert result.exit_code == 0, result.output
    assert "playing: load visit 5s; wait 1s; kill web; wait 1s; heal all" in result.stdout
    table = rows(result.stdout)
    assert (table["before"][0], table["before"][1]) == ("30", "30")
    assert int(table["during"][0]) == 150
    assert 60 <= int(table["during"][1]) < 150  # about a second of refusals
    assert "refused" in table["during"]
    assert table["after"][0] == table["after"][1]
    assert "HOLDS" in result.stdout


def test_a_random_service_is_chosen_again_with_the_same_seed(pair):
    words = ("load-chaos", "--seed", "4", "--action", "crash", "--chaos-delay", "0.5s", "--outage", "0.5s")
    first, second = (pair(*words).stdout.splitlines()[:2] for _ in range(2))
    assert first == second
    assert first[0] == "seed:    4"
    assert "; crash " in first[1]


def test_rate_and_load_are_chosen(pair):
    result = pair(
        "load-chaos", "web", "--load", "visit", "--rate", "50", "--chaos-delay", "0.5s", "--outage", "0.5s"
    )
    assert "playing: load visit 50rps 4s; wait 0.5s" in result.stdout


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--load", "nope"], "there is no load 'nope' here; expected one of: visit"),
        (["--load-command", "wrk http://x"], "wrk"),
        (["--load-command", "hey 'http://x"], "quote"),
        (["--load-command", "hey http://x", "--rate", "5"], "leave them out with --load-command"),
        (["--chaos-delay", "soon"], "found 'soon'; expected a span of time"),
    ],
)
def test_a_wrong_request_touches_nothing(pair, words, told):
    result = pair("load-chaos", "web", *words)
    assert result.exit_code == 2
    assert told in result.output
    assert "exited" not in result.output


@pytest.mark.skipif(shutil.which("hey") is None, reason="hey is not installed")
def test_a_real_tool_beside_the_chaos(pair):
    url = f"http://127.0.0.1:{pair.ports[1]}/"
    command = f"hey -z 6s -c 2 -q 20 {url}"
    result = pair("load-chaos", "web", "--chaos-delay", "2s", "--outage", "1s", "--load-command", command)
    assert result.exit_code in (0, 1), result.output
    table = rows(result.stdout)
    assert int(table["before"][1]) > 20
    assert "load hey" in result.stdout


def test_a_tool_that_is_not_there_is_told_and_the_fleet_is_left_well(pair, monkeypatch):
    monkeypatch.setenv("PATH", os.path.dirname(sys.executable))
    result = pair("load-chaos", "web", "--load-command", "/nowhere/hey -z 2s http://127.0.0.1:1/")
    assert result.exit_code == 2
    assert "/nowhere/hey: not found" in result.output


def test_a_tool_that_fails_is_unknown_and_faults_are_healed(pair, tmp_path):
    tool = tmp_path / "hey"
    tool.write_text(f"#!{sys.executable}\nimport sys, time\ntime.sleep(1.5)\nsys.exit('out of luck')\n")
    tool.chmod(0o755)
    result = pair(
        "load-chaos",
        "web",
        "--chaos-delay",
        "0.5s",
        "--outage",
        "0.5s",
        "--load-command",
        f"{tool} -z 2s http://x/",
    )
    assert result.exit_code == 3, result.output
    assert "out of luck" in result.output
    assert "every fault is lifted" in result.output
