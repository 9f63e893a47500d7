import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from fuzzer.halts import Interrupted, Stopped
from fuzzer.safety.rules import Rule
from fuzzer.safety.signals import Signals
from fuzzer.safety.watch import Watch
from tests.support.waiting import until


def send(number):
    """To this process, which sleeps until it is raised."""
    os.kill(os.getpid(), number)
    time.sleep(20)


ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_first_signal_is_raised_and_the_old_handler_comes_back(number, request):
    ours = signal.signal(number, signal.default_int_handler)  # whoever started us may have had it ignored
    request.addfinalizer(lambda: signal.signal(number, ours))
    before, seen = signal.getsignal(number), []

    def interrupted():
        with Signals() as signals:
            seen.append(signals)
            send(number)

    with pytest.raises(Interrupted):
        interrupted()
    assert isinstance(seen[0].halt, Interrupted)
    assert signal.getsignal(number) is before


def test_the_second_waits_until_all_is_healed_and_then_ends_the_report():
    steps = []

    def interrupted():
        with Signals() as signals:
            try:
                send(signal.SIGINT)
            except Interrupted:
                os.kill(os.getpid(), signal.SIGINT)
                time.sleep(0.05)
                steps.append("healed")
                with signals.telling():
                    steps.append("told")

    with pytest.raises(Interrupted):
        interrupted()
    assert steps == ["healed"]


def test_while_a_report_is_told_it_ends_at_once():
    steps = []

    def interrupted():
        with Signals() as signals:
            try:
                send(signal.SIGINT)
            except Interrupted:
                with signals.telling():
                    steps.append("first line")
                    send(signal.SIGINT)
                    steps.append("last line")

    with pytest.raises(Interrupted):
        interrupted()
    assert steps == ["first line"]


def test_once_the_fleet_is_left_a_signal_waits_for_that():
    steps = []

    def interrupted():
        with Signals() as signals:
            signals.close()
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(0.05)
            steps.append("left")

    with pytest.raises(Interrupted):
        interrupted()
    assert steps == ["left"]


def test_a_rule_ends_a_wait_within_a_second():
    asked = []

    def rule() -> str:
        asked.append(1)
        return "enough" if len(asked) > 1 else ""

    rules: list[Rule] = [rule]
    with pytest.raises(Stopped, match="enough"), Signals() as signals, Watch(rules, signals.stop):
        time.sleep(20)
    assert isinstance(signals.halt, Stopped)


def test_a_rule_does_not_end_the_report_of_an_interrupt():
    with Signals() as signals:
        try:
            send(signal.SIGINT)
        except Interrupted:
            signals.stop(Stopped("enough"))
            time.sleep(0.05)
            with signals.telling():
                told = True
    assert told


def test_elsewhere_than_in_the_main_thread_nothing_is_taken_over():
    before = signal.getsignal(signal.SIGTERM)
    seen = []

    def enter() -> None:
        with Signals() as signals:
            seen.append(signal.getsignal(signal.SIGTERM))
            signals.stop(Stopped("enough"))

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    assert seen == [before]


IGNORING = """
import signal, time
from fuzzer.safety.signals import Signals
with Signals():
    print("ready", flush=True)
    time.sleep(20)
"""


def test_who_was_started_deaf_to_ctrl_c_stays_so_and_ends_by_sigterm():
    """As nohup, and `&` in a shell that is no terminal's, start it."""
    with subprocess.Popen(
        [sys.executable, "-c", IGNORING],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as deaf:
        assert deaf.stdout.readline() == "ready\n"
        deaf.send_signal(signal.SIGINT)
        time.sleep(0.3)
        assert deaf.poll() is None
        deaf.send_signal(signal.SIGTERM)
        until(lambda: deaf.poll() is not None)
        assert "Interrupted" in deaf.stderr.read()
