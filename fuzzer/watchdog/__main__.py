"""``python -m fuzzer.watchdog ORDER``: wait until a run has ended, and heal unless it said that all is well.

Death is noticed at once: by a handle of the process (pidfd), or where there is none by the end of a pipe
whose other end only that process has. What it takes to heal is imported only then: until that moment this
is a process that sleeps.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import time
import traceback

from fuzzer.watchdog.order import LOG, WELL, Order

DEAF_TO = (signal.SIGINT, signal.SIGHUP, signal.SIGTERM, signal.SIGQUIT)
"""Whatever ends a whole group or session of processes is no reason to stop: the run may die of just that.
It ends when the run does."""

READ_BYTES = 4096


def main() -> None:
    """Wait, and do what is to be done."""
    for number in DEAF_TO:
        signal.signal(number, signal.SIG_IGN)
    order = Order.from_text(sys.argv[1])
    if not ended_well(order.pid):
        began_s = time.monotonic()
        _open_log(order)
        _say(order, "died; healing")
        done = _healed(order)
        _say(
            order, f"healed after {time.monotonic() - began_s:.2f} s: {'; '.join(done) or 'nothing to heal'}"
        )


def ended_well(pid: int, pipe: int = 0) -> bool:
    """Wait for the end of a process; whether it said before that all is well.

    Args:
        pid: the process, which holds the other end of the pipe.
        pipe: what it is to be heard by.
    """
    poll, said = select.poll(), b""
    poll.register(pipe, select.POLLIN)
    handle = _handle(pid)
    if handle is not None:
        poll.register(handle, select.POLLIN)
    while True:
        ready = dict(poll.poll())
        if pipe in ready:  # first: its last word may have come with its end
            heard = os.read(pipe, READ_BYTES)
            said += heard
            if WELL in said:
                return True
            if not heard and handle is None:
                return False
            if not heard:
                poll.unregister(pipe)
        elif ready:
            return False


def _handle(pid: int) -> int | None:
    """None where there are no handles, or the process has ended already: the pipe tells."""
    try:
        return os.pidfd_open(pid)
    except (AttributeError, OSError):
        return None


def _healed(order: Order) -> list[str]:
    from fuzzer.healing import HEALS
    from models.errors import KnockonError

    try:
        return HEALS[order.runtime](order.state, heir_of=order.pid)
    except KnockonError as error:
        _say(order, f"not all could be healed, the next run will try again: {error}")
        sys.exit(1)
    except Exception:
        _say(order, f"not all could be healed, the next run will try again:\n{traceback.format_exc()}")
        sys.exit(1)


def _open_log(order: Order) -> None:
    """What is said from now on is appended to the log, or to nothing where that cannot be written."""
    try:
        order.state.mkdir(parents=True, exist_ok=True)
        log = os.open(order.state / LOG, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    except OSError:
        return
    os.dup2(log, 1)
    os.dup2(log, 2)


def _say(order: Order, what: str) -> None:
    """One write a line: several may write to the same log."""
    moment = time.strftime("%Y-%m-%d %H:%M:%S")
    os.write(1, f"{moment} run {order.pid} on {order.runtime} {what}\n".encode(errors="replace"))


if __name__ == "__main__":
    main()
