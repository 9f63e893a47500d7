"""When a watchdog takes a run for ended, and how."""

import os
import subprocess
import sys
from threading import Thread

import pytest

from fuzzer.watchdog.__main__ import ended_well
from fuzzer.watchdog.order import WELL, Order

LIVES = [sys.executable, "-S", "-c", "import sys; sys.stdin.read()"]


@pytest.fixture
def run():
    """A process, and both ends of the pipe by which it would say that all is well."""
    process = subprocess.Popen(LIVES, stdin=subprocess.PIPE)
    hears, says = os.pipe()
    yield process, hears, says
    process.kill()
    process.communicate()
    os.close(hears)
    os.close(says)


def waited(process, hears, cause):
    """What comes of waiting, if that is caused only once somebody waits."""
    answers = []
    waiting = Thread(target=lambda: answers.append(ended_well(process.pid, hears)), daemon=True)
    waiting.start()
    waiting.join(0.1)
    assert not answers, "nothing has happened yet"
    cause()
    waiting.join(20)
    return answers


def test_a_run_that_says_so_ended_well(run):
    process, hears, says = run
    assert waited(process, hears, lambda: os.write(says, WELL)) == [True]


def test_a_run_that_dies_did_not_though_somebody_else_holds_its_end_of_the_pipe(run):
    process, hears, _ = run
    assert waited(process, hears, process.kill) == [False]


def test_its_last_word_counts_when_it_ends_at_once(run):
    process, hears, says = run
    os.write(says, WELL)
    process.kill()
    process.wait()
    assert ended_well(process.pid, hears)


def test_a_run_that_is_gone_already_is_known_by_its_pipe():
    hears, says = os.pipe()
    os.close(says)
    gone = subprocess.Popen([sys.executable, "-S", "-c", ""])
    gone.wait()
    assert not ended_well(gone.pid, hears)
    os.close(hears)


def test_an_order_is_read_as_it_was_written(tmp_path):
    order = Order(7, "docker", tmp_path / "a 'b'")
    assert Order.from_text(order.to_text()) == order
