"""``knockon scenario`` as its user sees it; played on the simulation."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from fuzzer.cli.main import cli

COMPOSE = """
x-knockon: {enabled: true}
services:
  web: {image: x, restart: always, depends_on: {db: {condition: service_healthy}}}
  db: {image: x, restart: always, healthcheck: {test: x, interval: 1s}}
"""


@pytest.fixture
def run(tmp_path):
    (tmp_path / "compose.yaml").write_text(COMPOSE)

    def run(*words):
        shared = ["--target", str(tmp_path / "compose.yaml"), "--state", str(tmp_path / "state")]
        done = CliRunner().invoke(cli, ["scenario", *words, *shared])
        return done.exit_code, done.output

    return run


def test_list_tells_whom_each_is_about_and_where_it_is(run, tmp_path):
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "scenarios" / "mine.txt").write_text("# All mine.\n# services: 1 store\ncrash {service}\n")
    code, text = run("list")
    assert code == 0
    assert "random_kill" in text
    row = next(line for line in text.splitlines() if line.startswith("mine"))
    assert row.split()[1:3] == ["1", "store"]
    assert row.endswith("All mine.")


def test_show_prints_the_file(run):
    code, text = run("show", "cascading-failure")
    assert code == 0
    assert text.startswith("# Services end one after the other")
    assert "cascade {services} gap_s=2\n" in text


def test_run_takes_services_as_the_words_that_follow(run):
    code, text = run("run", "multiple_chaos", "--runtime", "sim", "--services", "db", "web")
    assert code == 0, text
    assert "playing: wait 2s; crash db; crash web; wait 4s; pause db; pause web" in text
    assert "HOLDS" in text


def test_run_at_the_same_moment(run):
    code, text = run("run", "multiple_chaos", "--runtime", "sim", "--concurrent", "--seed", "3")
    assert code == 0, text
    assert "crash db web" in text or "crash web db" in text
    assert "seed:    3" in text


def test_what_cannot_be_done_here_is_left_out_and_told(run):
    code, text = run("run", "resource_exhaustion", "--runtime", "sim", "--services", "db")
    assert code == 2
    assert "nothing of resource_exhaustion can be done on" in text
    code, text = run("run", "database_chaos", "--runtime", "sim")
    assert code == 0, text
    assert "left out: `refuse * -> db`" in text
    assert "crash db" in text


def test_watching_for_as_long_as_is_asked_for(run):
    code, text = run("run", "health_monitor", "--runtime", "sim", "--duration", "90s")
    assert code == 0, text
    assert "playing: wait 90s" in text
    code, text = run("run", "health_monitor", "--runtime", "sim", "--services", "db")
    assert code == 2
    assert "health_monitor harms nobody; leave --services out" in text


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["rnd"], "there is no scenario 'rnd'"),
        (["random_kill", "--services", "nobody"], "there is no service 'nobody'; expected one of: web, db"),
        (["random_kill", "--duration", "soon"], "soon"),
        (["random_kill", "--load", "x", "--load-command", "hey"], "--load is for our own engine"),
    ],
)
def test_mistakes_are_told_before_anything_is_started(run, words, message):
    code, text = run("run", *words, "--runtime", "sim")
    assert code == 2
    assert message in text
