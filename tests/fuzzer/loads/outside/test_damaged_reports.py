"""Whatever a report holds, it is read, or refused with one sentence: nothing else, and at once."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from fuzzer.loads.outside.artillery import Artillery
from fuzzer.loads.outside.base import Moment, ToolFailed, ToolReport
from fuzzer.loads.outside.hey import Hey
from fuzzer.loads.outside.k6 import K6
from fuzzer.loads.outside.locust import Locust

RECORDED = Path(__file__).with_name("recorded")
BEGAN = Moment(1000.0, 1795165200.0)
"""Before all of them."""

HEY = b'begin\n0.0125,0.5,200\n0.001,1.5e-05,503\nerror 3 "Post: EOF"\nstatus 1 200\nstatus 1 503\nend\n'

CASES = {
    "k6": (K6(), {"k6.json": RECORDED / "k6.json", "k6-summary.json": RECORDED / "k6-summary.json"}),
    "artillery": (Artillery(), {"artillery.json": RECORDED / "artillery.json"}),
    "locust": (
        Locust(),
        {
            "stdout.txt": RECORDED / "locust-stdout.txt",
            "stderr.txt": RECORDED / "locust-stderr.txt",
        },
    ),
    "hey": (Hey(), {"stdout.txt": HEY}),
}

ODD = st.sampled_from(
    [None, True, -1, 1.5, 10**400, float("inf"), float("nan"), "", "x", "9" * 5000, [], {}, [[]], {"a": {}}]
)


def read(name, damage, where):
    """Read a tool's files, one of them damaged."""
    tool, files = CASES[name]
    victim = sorted(files)[where % len(files)]
    folder = Path(tempfile.mkdtemp())
    try:
        for file, source in files.items():
            text = source if isinstance(source, bytes) else source.read_bytes()
            (folder / file).write_bytes(damage(text) if file == victim else text)
        try:
            report = tool.read(("hey", "http://127.0.0.1:8000/"), folder, BEGAN)
        except ToolFailed as error:
            assert "\n" not in str(error)
            assert len(str(error)) < 300
        else:
            assert isinstance(report, ToolReport)
            assert report.sent >= 0
            assert all(0 <= summary.failed <= summary.sent for summary in report.summaries)
    finally:
        shutil.rmtree(folder)


quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
places = st.floats(0, 1, exclude_max=True)


@pytest.mark.parametrize("name", CASES)
@quick
@given(places, st.integers(0, 1))
def test_cut_off(name, share, where):
    read(name, lambda text: text[: int(len(text) * share)], where)


@pytest.mark.parametrize("name", CASES)
@quick
@given(st.lists(st.tuples(places, st.integers(0, 255)), min_size=1), st.integers(0, 1))
def test_changed_bytes(name, changes, where):
    def damage(text):
        changed = bytearray(text)
        for share, byte in changes:
            changed[int(len(changed) * share)] = byte
        return bytes(changed)

    read(name, damage, where)


@pytest.mark.parametrize("name", CASES)
@quick
@given(st.binary(max_size=200), st.integers(0, 1))
@example(b"[" * 100_000, 0)
@example(b"\n" + b"[" * 100_000, 1)
@example(b"x" * (2 << 20), 0)
@example(b"begin\n" + b"9" * 5000 + b",1,1\nend\n", 0)
@example(b'{"http_req": ' + b"[" * 100_000, 0)
def test_something_else(name, text, where):
    read(name, lambda _: text, where)


@pytest.mark.parametrize("name", ["k6", "artillery", "locust"])
@settings(quick, max_examples=150)
@given(st.data())
def test_wrong_types(name, data):
    """One value somewhere in the JSON is another one, or is missing."""

    def damage(text):
        lines = text.decode().splitlines()
        if name == "k6" and len(lines) > 100:
            at = data.draw(st.integers(0, len(lines) - 1))
            lines[at] = json.dumps(changed(json.loads(lines[at]), data))
            return "\n".join(lines).encode() + b"\n"
        try:
            report = json.loads(text.decode().split("[hello]\n")[-1])
        except ValueError:
            return text  # the log
        return json.dumps(changed(report, data)).encode()

    read(name, damage, data.draw(st.integers(0, 1)))


def changed(value, data):
    """The value, with one inside it changed."""
    if not isinstance(value, dict | list) or not value or data.draw(st.integers(0, 9)) == 0:
        return data.draw(ODD)
    key = data.draw(st.sampled_from(sorted(value) if isinstance(value, dict) else range(len(value))))
    if data.draw(st.integers(0, 9)) == 0:
        del value[key]
    else:
        value[key] = changed(value[key], data)
    return value
