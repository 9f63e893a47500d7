"""Virtual time passes in order, and never stands still."""

from __future__ import annotations

import pytest

from fuzzer.runtimes.sim import kernel as kernels
from fuzzer.runtimes.sim.kernel import Kernel, Signal, TimeStandsStill, VirtualClock


def test_what_is_due_at_the_same_moment_happens_as_it_was_asked_for():
    kernel, told = Kernel(), []
    kernel.at(2.0, told.append, "late")
    kernel.at(1.0, told.append, "first")
    kernel.at(1.0, told.append, "second")
    kernel.run(1.5)
    assert (told, kernel.now_s, kernel.happened) == (["first", "second"], 1.5, 2)
    kernel.run(3.0)
    assert told == ["first", "second", "late"]


def test_a_process_sleeps_and_waits_for_signals():
    kernel, told = Kernel(), []
    answer = Signal(kernel)

    def asker():
        yield 0.5
        told.append(((yield answer), kernel.now_s))
        told.append(((yield answer), kernel.now_s))

    kernel.spawn(asker())
    kernel.at(2.0, answer.fire, "yes")
    kernel.at(3.0, answer.fire, "no")
    kernel.run(10.0)
    assert told == [("yes", 2.0), ("yes", 2.0)]


@pytest.mark.parametrize(("fired_s", "goes_on_s"), [(0.3, 0.3), (9.0, 1.0)])
def test_waiting_has_an_end(fired_s, goes_on_s):
    kernel, told = Kernel(), []
    signal = Signal(kernel)

    def waiter():
        yield kernel.within(1.0, signal)
        told.append(kernel.now_s)

    kernel.spawn(waiter())
    kernel.at(fired_s, signal.fire)
    kernel.run(20.0)
    assert told == [goes_on_s]


def test_nothing_happens_after_the_end():
    kernel, told = Kernel(), []
    kernel.at(1.0, told.append, "never")
    kernel.end()
    VirtualClock(kernel).sleep(5.0)
    assert (told, kernel.now_s) == ([], 5.0)


def test_a_loop_without_time_is_an_error_and_not_a_hang(monkeypatch):
    monkeypatch.setattr(kernels, "AT_ONE_MOMENT_MOST", 1000)
    kernel = Kernel()

    def again(value):
        kernel.at(kernel.now_s, again)

    kernel.at(1.0, again)
    with pytest.raises(TimeStandsStill, match="at 1 s"):
        kernel.run(2.0)


def test_many_events_are_no_loop(monkeypatch):
    monkeypatch.setattr(kernels, "AT_ONE_MOMENT_MOST", 10)
    kernel = Kernel()

    def busy():
        while True:
            yield 0.01

    kernel.spawn(busy())
    kernel.run(1.0)
    assert kernel.happened >= 100
