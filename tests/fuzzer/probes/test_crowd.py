"""A machine that is crowded out shows what nobody's fleet did."""

import os
import subprocess
import sys
import time
from itertools import pairwise

import pytest

from fuzzer.probes.crowd import CROWD, LOOKS, Crowd, ready_threads
from models.observation import Blindness

BEAT_S = 0.05
SPIN = "import sys\nprint('ready', flush=True)\nwhile True: pass"


class Machine:
    """Its threads that are ready to run are what a test says."""

    def __init__(self, cpus=2):
        self.ready = 1
        self.crowd = Crowd(lambda: self.ready, cpus)
        self.now_s = 100.0

    def beats(self, count):
        told = []
        for _ in range(count):
            self.now_s += BEAT_S
            told.append(self.crowd.look(self.now_s))
        return [span for span in told if span]


def test_a_quiet_machine_is_not_crowded():
    machine = Machine()
    machine.ready = 2 * CROWD - 1
    assert machine.beats(1000) == []


def test_a_crowded_time_is_told_without_a_gap_and_nothing_twice():
    machine = Machine()
    machine.beats(20)
    machine.ready = 10 * CROWD
    began_s = machine.now_s
    spans = machine.beats(100)
    assert all(a.until_s == b.since_s for a, b in pairwise(spans))
    assert spans[-1].until_s == machine.now_s
    assert spans[0].since_s <= began_s + BEAT_S
    assert not spans[0].deaf


def test_it_is_over_when_the_crowd_has_gone():
    machine = Machine()
    machine.ready = 2 * CROWD
    machine.beats(50)
    machine.ready = 1
    machine.beats(LOOKS)
    assert machine.beats(100) == []


def test_a_moment_is_no_crowd():
    machine = Machine()
    machine.beats(20)
    machine.ready = 3 * CROWD
    told = machine.beats(2)
    machine.ready = 1
    assert told + machine.beats(50) == []


def test_the_same_threads_are_no_crowd_on_a_larger_machine():
    machine = Machine(cpus=64)
    machine.ready = 10 * CROWD
    assert machine.beats(50) == []


def test_where_nobody_tells_nothing_is_told():
    crowd = Crowd(lambda: None, 1)
    assert [crowd.look(at) for at in range(50)] == [None] * 50


def test_a_second_crowd_is_not_joined_to_the_first():
    machine = Machine()
    machine.ready = 10 * CROWD
    first = machine.beats(30)[-1]
    machine.ready = 0
    machine.beats(100)
    machine.ready = 10 * CROWD
    [second, *_] = machine.beats(30)
    assert isinstance(second, Blindness)
    assert second.since_s > first.until_s + 10 * BEAT_S


@pytest.mark.skipif(ready_threads() is None, reason="this system does not tell")
def test_threads_that_want_to_run_are_counted():
    spinners = [
        subprocess.Popen([sys.executable, "-c", SPIN], stdout=subprocess.PIPE)
        for _ in range(2 * (os.cpu_count() or 1))
    ]
    try:
        for spinner in spinners:
            assert spinner.stdout.readline() == b"ready\n"
        deadline_s = time.monotonic() + 30
        while ready_threads() < len(spinners):
            assert time.monotonic() < deadline_s, "they are not seen"
            time.sleep(0.01)
    finally:
        for spinner in spinners:
            spinner.kill()
            spinner.wait()
            spinner.stdout.close()
