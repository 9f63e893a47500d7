"""Which tool a command runs, and what is said where it runs none."""

from __future__ import annotations

from pathlib import Path

import pytest

from fuzzer.loads.outside.catalogue import TOOLS, tool_for, words_of
from models.errors import RequestError


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("k6 run a.js", "k6"),
        ("/opt/k6/bin/k6 run a.js", "k6"),
        ("npx artillery run a.yml", "artillery"),
        ("npx --yes artillery@2.0.21 run a.yml", "artillery"),
        ("python -m locust -f a.py", "locust"),
        ("/usr/bin/python3.12 -X dev -m locust -f a.py", "locust"),
        ("uv run locust", "locust"),
        ("env A=b hey http://127.0.0.1/", "hey"),
    ],
)
def test_a_tool_is_known_by_its_program(command, name):
    assert tool_for(words_of(command)).name == name


@pytest.mark.parametrize(
    "command", ["wrk -c 1 http://127.0.0.1/", "python a.py locust", "python -m", "./run.sh k6", "npx serve"]
)
def test_an_unknown_tool_is_refused_with_those_that_are_known(command):
    with pytest.raises(RequestError, match="expected a command of artillery, hey, k6 or locust"):
        tool_for(words_of(command))


def test_nothing_and_half_a_command_are_refused():
    with pytest.raises(RequestError, match="found nothing"):
        words_of("  ")
    with pytest.raises(RequestError, match="open quote"):
        words_of("k6 run 'a.js")


@pytest.mark.parametrize(
    ("command", "found"),
    [
        ("artillery run -o a.json a.yml", "found -o; leave it out"),
        ("artillery run --output=a.json a.yml", "found --output; leave it out"),
        ("artillery quick http://127.0.0.1/", "found 'quick', expected artillery run"),
        ("locust --skip-log", "found --skip-log; leave it out"),
        ("locust --worker", "found --worker; leave it out"),
        ("hey -o csv http://127.0.0.1/", "found -o; leave it out"),
        ("hey -n 10", "found no URL"),
        ("k6", "found nothing, expected k6 run"),
    ],
)
def test_words_that_cannot_be_reported_are_refused(command, found):
    words = words_of(command)
    with pytest.raises(RequestError, match=found):
        tool_for(words).prepare(words, Path("/r"))


@pytest.mark.parametrize(
    "command",
    [
        "k6 run a.js",
        "npx artillery run a.yml",
        "python -m locust -f a.py",
        "hey -h2 -m POST http://127.0.0.1/",
    ],
)
def test_the_users_words_stay_in_their_order(command):
    words = words_of(command)
    prepared = iter(tool_for(words).prepare(words, Path("/r")))
    assert all(word in prepared for word in words)


def test_the_names_are_unique():
    assert len({tool.name for tool in TOOLS}) == len(TOOLS)
