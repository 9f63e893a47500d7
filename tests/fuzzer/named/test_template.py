"""The files of named scenarios: what they may hold, and how their places are filled."""

from __future__ import annotations

import pytest

from fuzzer.named.template import Kind, Who, read_template
from models.errors import RequestError, ScenarioError

TEXT = """\
# A service is killed while clients call it.
# services: 2 most needed
# duration: 20s
load {load} {duration}   # each load
kill {service}; wait 1s
# another remark
cascade {services} gap_s=1
reset * -> {service}
"""


@pytest.fixture
def write(tmp_path):
    def write(text):
        path = tmp_path / "mine.txt"
        path.write_text(text)
        return path

    return write


def steps(template, services, loads=(), duration="5s", together=False):
    return [str(step) for step in template.steps(services, loads, duration, together=together)]


def test_what_stands_at_its_top(write):
    read = read_template(write(TEXT))
    assert read.name == "mine"
    assert read.summary == "A service is killed while clients call it."
    assert read.who == Who(2, Kind.MOST_NEEDED)
    assert read.duration == "20s"


def test_each_service_and_each_load_has_a_line_of_its_own(write):
    assert steps(read_template(write(TEXT)), ["a", "b"], ["x", "y"]) == [
        "load x 5s",
        "load y 5s",
        "kill a",
        "kill b",
        "wait 1s",
        "cascade a b gap_s=1",
        "reset * -> a",
        "reset * -> b",
    ]


def test_all_services_at_once_where_that_is_asked_for_but_links_stay_apart(write):
    assert steps(read_template(write(TEXT)), ["a", "b"], together=True) == [
        "kill a b",
        "wait 1s",
        "cascade a b gap_s=1",
        "reset * -> a",
        "reset * -> b",
    ]


def test_without_a_load_the_line_of_loads_is_left_out(write):
    assert steps(read_template(write(TEXT)), ["a"])[0] == "kill a"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("# nothing\n", "holds no step"),
        ("kill {services}\nkill {who}\n", r"line 2: found {who}; expected one of {service}"),
        ("# services: some\nkill {service}\n", "line 1: found `services: some`; expected none, or a number"),
        ("load {load} {duration}\n", "expected a line such as `# duration: 30s`"),
    ],
)
def test_mistakes_are_told_with_their_place(write, text, message):
    with pytest.raises(RequestError, match=message) as told:
        read_template(write(text))
    assert "mine.txt" in str(told.value)


def test_a_step_that_is_none_is_told_with_its_line(write):
    with pytest.raises(ScenarioError, match=r"mine.txt: line 2: .*kill"):
        steps(read_template(write("wait 1s\nkill a%%\n")), [])


def test_a_file_that_cannot_be_read_is_told(tmp_path):
    with pytest.raises(RequestError, match="cannot be read: No such file"):
        read_template(tmp_path / "none.txt")
    (tmp_path / "bytes.txt").write_bytes(b"\xff\xfe")
    with pytest.raises(RequestError, match="is no text"):
        read_template(tmp_path / "bytes.txt")
