"""A tool as a process: how it begins and ends, and what is made of that."""

from __future__ import annotations

import os
import time

import pytest

from fuzzer.loads.outside import process
from fuzzer.loads.outside.base import STDERR, STDOUT, ToolFailed
from fuzzer.loads.outside.catalogue import tool_for
from fuzzer.loads.outside.process import OutsideTool
from models.errors import Inconclusive, RequestError

POINTS = """
import json, sys, time
from datetime import datetime, timezone
def point(metric, value, when):
    tags = {"method": "GET", "name": "http://127.0.0.1:1/", "url": "http://127.0.0.1:1/", "status": "200"}
    data = {"time": when, "value": value, "tags": tags}
    return json.dumps({"metric": metric, "type": "Point", "data": data}) + "\\n"
def write(count):
    with open(sys.argv[sys.argv.index("--out") + 1].removeprefix("json="), "w") as file:
        for _ in range(count):
            when = datetime.now(timezone.utc).isoformat()
            file.write(point("http_reqs", 1, when) + point("http_req_duration", 2.5, when))
"""
"""A k6 that only reports."""


@pytest.fixture
def start(tmp_path):
    runs = []

    def begin(*words, folder="report"):
        run = OutsideTool(tool_for(words), words, tmp_path / folder)
        runs.append(run)
        run.start()
        return run

    yield begin
    for run in runs:
        run.stop()


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with open(f"/proc/{pid}/stat") as stat:
        return stat.read().rsplit(")", 1)[1].split()[0] != "Z"


def test_a_run_is_reported_on_the_monotonic_clock(program, start):
    program("k6", POINTS + "write(3)")
    began_s = time.monotonic()
    run = start("k6", "run", "a.js")
    run.wait(60)
    assert not run.running
    assert len(run.report().requests) == 3
    assert all(began_s <= request.sent_s <= time.monotonic() for request in run.report().requests)


def test_failed_thresholds_are_no_failure_of_the_tool(program, start):
    program("k6", POINTS + "write(1); sys.exit(99)")
    run = start("k6", "run", "a.js")
    run.wait(60)
    assert run.report().sent == 1


def test_failed_thresholds_without_a_report_are(program, start):
    program("k6", "import sys; sys.exit(99)")
    run = start("k6", "run", "a.js")
    run.wait(60)
    with pytest.raises(ToolFailed, match="k6 ended with code 99"):
        run.report()


def test_any_other_code_is_told_with_the_tools_last_words(program, start):
    program(
        "k6", POINTS + 'write(1); print("\\x1b[31mno such script\\x1b[0m", file=sys.stderr); sys.exit(107)'
    )
    run = start("k6", "run", "a.js")
    run.wait(60)
    with pytest.raises(Inconclusive, match=r"^k6 ended with code 107: no such script$"):
        run.report()


def test_a_tool_that_dies_is_told(program, start):
    program("k6", POINTS + "write(1); import os; os.kill(os.getpid(), 9)")
    run = start("k6", "run", "a.js")
    run.wait(60)
    with pytest.raises(ToolFailed, match="was ended by signal 9"):
        run.report()


def test_a_missing_program_is_a_wrong_request(start, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RequestError, match="k6: not found; install it"):
        start("k6", "run", "a.js")


def test_what_is_no_program_is_a_wrong_request(program, start, tmp_path):
    path = program("k6", "")
    path.chmod(0o644)
    with pytest.raises(RequestError, match="cannot be started"):
        start(str(path), "run", "a.js")


def test_a_folder_in_use_is_refused(program, start, tmp_path):
    program("k6", POINTS + "write(1)")
    (tmp_path / "report").mkdir()
    (tmp_path / "report" / "k6.json").touch()
    with pytest.raises(RequestError, match="is not empty"):
        start("k6", "run", "a.js")


def test_a_run_that_takes_too_long_is_stopped_with_all_it_started(program, start, tmp_path):
    pids = tmp_path / "pids"
    program(
        "k6",
        "import os, subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        f"open({str(pids)!r}, 'w').write(f'{{os.getpid()}} {{child.pid}}')\n"
        "time.sleep(600)",
    )
    run = start("k6", "run", "a.js")
    with pytest.raises(ToolFailed, match="k6 still ran after 5 s; give it a shorter duration"):
        run.wait(5)
    assert not any(is_alive(int(pid)) for pid in pids.read_text().split())
    with pytest.raises(ToolFailed, match="still ran"):
        run.report()


def test_what_it_leaves_behind_is_ended_with_it(program, start, tmp_path, until):
    child = tmp_path / "child"
    program(
        "k6",
        POINTS + "import subprocess\nwrite(1)\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        f"open({str(child)!r}, 'w').write(str(child.pid))",
    )
    run = start("k6", "run", "a.js")
    run.wait(60)
    assert run.report().sent == 1
    until(lambda: not is_alive(int(child.read_text())))


def test_a_tool_that_ignores_every_request_to_end_is_killed(program, start, tmp_path, until, monkeypatch):
    monkeypatch.setattr(
        process, "PATIENCE", [(kind, 10 if kind == 9 else 0.3) for kind, _ in process.PATIENCE]
    )
    ready = tmp_path / "ready"
    program(
        "k6",
        "import signal, time\nfor s in (2, 15): signal.signal(s, signal.SIG_IGN)\n"
        f"open({str(ready)!r}, 'w').close()\ntime.sleep(600)",
    )
    run = start("k6", "run", "a.js")
    until(ready.exists)
    run.stop()
    assert not run.running


def test_a_stopped_tool_reports_what_it_did(program, start, until, tmp_path):
    ready = tmp_path / "ready"
    program(
        "k6",
        # Whatever runs in the background of a shell begins with Ctrl-C ignored.
        POINTS + "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        f"try:\n    open({str(ready)!r}, 'w').close()\n"
        "    time.sleep(600)\nexcept KeyboardInterrupt:\n    write(2); sys.exit(105)",
    )
    run = start("k6", "run", "a.js")
    until(ready.exists)
    run.stop()
    assert run.report().sent == 2


def test_what_is_printed_without_end_is_kept_up_to_a_size(program, start, tmp_path, monkeypatch):
    monkeypatch.setattr(process, "STDOUT_BYTES_MOST", 10_000)
    monkeypatch.setattr(process, "STDERR_BYTES_MOST", 1_000)
    program(
        "k6",
        POINTS + "write(1)\nfor _ in range(2000): print('x' * 1000); print('y' * 100, file=sys.stderr)",
    )
    run = start("k6", "run", "a.js")
    run.wait(60)
    assert run.report().sent == 1
    assert (tmp_path / "report" / STDOUT).stat().st_size == 10_000
    assert (tmp_path / "report" / STDERR).stat().st_size == 1_000


def test_a_tool_that_sends_nothing_tells_nothing(program, start):
    program("k6", POINTS + "write(0)")
    run = start("k6", "run", "a.js")
    run.wait(60)
    with pytest.raises(ToolFailed, match="k6 sent no HTTP request"):
        run.report()


def test_no_report_before_the_end(program, start):
    program("k6", "import time; time.sleep(600)")
    run = start("k6", "run", "a.js")
    assert run.running
    with pytest.raises(ToolFailed, match="still runs"):
        run.report()


def test_a_clock_that_was_set_makes_the_times_worthless(program, start, monkeypatch):
    program("k6", POINTS + "write(1)")
    run = start("k6", "run", "a.js")
    run.wait(60)
    monkeypatch.setattr(run, "_ended", type(run._began)(run._began.monotonic_s + 1, run._began.wall_s + 60))
    with pytest.raises(ToolFailed, match="clock was set by"):
        run.report()


def test_the_end_of_a_context_is_the_end_of_the_tool(program, tmp_path):
    program("k6", "import time; time.sleep(600)")
    words = ("k6", "run", "a.js")
    with OutsideTool(tool_for(words), words, tmp_path / "report") as run:
        run.start()
        assert run.running
    assert not run.running
