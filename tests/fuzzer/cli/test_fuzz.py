"""A whole search on a fleet in memory: what it prints about its coverage, and how it ends."""

import re
from pathlib import Path

import pytest

from fuzzer.cli.exit_codes import ExitCode
from tests.fuzzer.cli.conftest import analytics_takes_checkout_along

FEW = ("--examples", "2", "--seed", "1")


@pytest.fixture
def fuzz(shop, capfd):
    """The exit code, and everything that was printed: pytest prints past click."""

    def run(*options: str) -> tuple[int, str]:
        result = shop("fuzz", *FEW, *options)
        return result.exit_code, capfd.readouterr().out + result.output

    return run


def test_a_search_says_what_it_exercised_and_what_it_never_did(fuzz):
    code, text = fuzz()
    assert code == ExitCode.HELD, text
    assert "  covered: actions " in text
    assert "           pairs " in text
    assert "never exercised: " in text
    assert "phases" not in text
    assert "coverage map" not in text


def test_its_end_leads_to_its_page(fuzz):
    _, text = fuzz("--state", "kept")
    [id_] = re.findall(r"^report:  knockon report (\S+) --state kept$", text, re.MULTILINE)
    assert Path("kept", "runs", id_, "events.ndjson").is_file()


def test_the_whole_map_is_printed_when_asked_for(fuzz):
    _, text = fuzz("--coverage")
    assert "coverage map: " in text
    assert "             crash  kill  stop  pause  restart  cascade  rolling_restart  flap\n" in text
    assert "phases: none; x-knockon.loads names no load\n" in text


def test_enough_is_enough(fuzz):
    code, text = fuzz("--min-coverage", "actions=1%", "--min-coverage", "pairs=0.01")
    assert code == ExitCode.HELD, text


def test_too_little_is_inconclusive_and_says_what_is_missing(fuzz):
    code, text = fuzz("--min-coverage", "actions=1%", "--min-coverage", "pairs=100%")
    assert code == ExitCode.UNKNOWN, text
    assert "UNKNOWN: coverage of pairs is " in text
    assert "below the 100 % that --min-coverage asks for; never exercised: " in text
    assert "give it more time (--budget)" in text
    assert "coverage of actions" not in text


def test_a_broken_promise_says_more_than_too_little_coverage(fuzz, shop):
    shop.misbehave = analytics_takes_checkout_along
    code, text = fuzz("--examples", "12", "--min-coverage", "pairs=100%")
    assert code == ExitCode.VIOLATED, text
    assert "--min-coverage" not in text


def test_a_share_of_nothing_is_refused_before_anything_starts(fuzz, shop):
    code, text = fuzz("--min-coverage", "phases=0.5")
    assert code == ExitCode.REQUEST, text
    assert "fake has no phases to exercise: x-knockon.loads names no load" in text
    assert shop.started == []
