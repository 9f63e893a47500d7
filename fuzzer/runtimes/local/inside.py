"""The part of the local runtime that runs inside supervisord, as one of its RPC interfaces.

supervisord loads it by its documented extension point (``supervisor.rpcinterface_factory``). It is
here because four things cannot be said in a configuration file or asked for from outside:

- **Exit codes.** supervisord calls every death by a signal -1; Docker says 137 for SIGKILL.
- **Nothing is missed.** Each start and each exit becomes one line of JSON in a file, as it happens. A
  process that lives shorter than any polling interval is in there as well.
- **Docker's restart policies.** Its backoff is 100 ms, doubling up to 60 s, and from the beginning
  after a run of 10 s, and it counts restarts; supervisord itself would wait 1, 2, 3 … s. Its main loop
  is kept from sleeping through that.
- **An operator's kill.** SIGKILL which supervisord knows to be meant, so that its policy does not act;
  for several processes in one call, so at the same moment.

Values of commands and environments come through JSON too: in supervisord's own files a ``%``, a ``;``,
a ``#``, a quote or a line break each mean something.

The names that are replaced here (``fork``, ``waitpid``, the poller) belong to ``ServerOptions``, the
object by which supervisord makes its system calls and which its own tests replace in the same way.
Nothing in this file may import the rest of knockon: it shares supervisord's process.
"""

from __future__ import annotations

import json
import os
import shlex
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from supervisor import events
from supervisor.datatypes import RestartUnconditionally
from supervisor.medusa import asyncore_25 as asyncore
from supervisor.states import ProcessStates, SupervisorStates

FOLDER = "KNOCKON_FLEET"
"""The variable that names the fleet's folder. All its processes inherit it, and are found by it."""
RECORD = "record.jsonl"
PROGRAMS = "programs.json"

QUICK_S = 10.0
"""A process that ran for less than this died quickly: the wait before its next start doubles."""
BACKOFF_S = 0.1
BACKOFF_S_MAX = 60.0
SHUTDOWN_LOOK_S = 0.01


class Inside:
    """What can be called from outside as ``knockon.<method>``, and what listens inside."""

    def __init__(self, supervisord: Any) -> None:
        folder = Path(os.environ[FOLDER])
        os.environ.pop("PYTHONPATH", None)  # it was for supervisord, not for the services
        self._options = supervisord.options
        self._record = os.open(folder / RECORD, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self._processes = {
            process.config.name: process
            for group in supervisord.process_groups.values()
            for process in group.processes.values()
        }
        programs = folder / PROGRAMS
        self._give_commands(json.loads(programs.read_text(encoding="utf-8")))
        programs.unlink()  # it holds whatever secrets the services are given
        self._starting = ""
        self._began_s: dict[str, float] = {}
        self._codes: dict[int, int] = {}
        self._restarting: set[str] = set()
        self._restarts: dict[str, int] = {}
        self._streaks: dict[str, int] = {}
        self._due_s: dict[str, float] = {}
        self._hurry = False
        alarm = _Alarm()
        asyncore.socket_map[alarm.fd] = alarm
        self._poll = self._options.poller.poll
        self._options.poller.poll = self._poll_soon
        self._options.fork = self._fork
        self._options.waitpid = self._waitpid
        events.subscribe(events.ProcessStateStartingEvent, self._on_starting)
        events.subscribe(events.ProcessStateBackoffEvent, self._on_died)
        events.subscribe(events.ProcessStateExitedEvent, self._on_died)
        events.subscribe(events.ProcessStateStoppedEvent, self._on_stopped)
        events.subscribe(events.ProcessStateFatalEvent, self._on_given_up)

    # What the runtime calls.

    def start(self, names: list[str]) -> list[str]:
        """Start whatever of these does not run, in this order; returns what went wrong."""
        problems = []
        for process in map(self._processes.__getitem__, names):
            if process.pid:
                continue
            self._restarts.pop(process.config.name, None)  # a start by hand: counted anew
            self._streaks.pop(process.config.name, None)
            process.spawn()
            if process.spawnerr:
                problems.append(f"{process.config.name}: {process.spawnerr}")
            self._hurry = True
        return problems

    def stop(self, names: list[str]) -> bool:
        """SIGTERM to each process group; SIGKILL follows after ``stopwaitsecs``."""
        return self._end(names, signal.SIGTERM)

    def restart(self, names: list[str]) -> bool:
        """The same, and each is started as soon as it has ended; what is down is started now."""
        running = [name for name in names if self._processes[name].pid]
        self._restarting.update(running)
        self.stop(running)
        self.start([name for name in names if name not in running])
        return True

    def kill(self, names: list[str]) -> bool:
        """SIGKILL to each process group, on purpose: nothing comes back."""
        self._restarting.difference_update(names)
        return self._end(names, signal.SIGKILL)

    def _end(self, names: list[str], sig: signal.Signals) -> bool:
        for process in map(self._processes.__getitem__, names):
            if process.pid or process.state == ProcessStates.BACKOFF:
                process.administrative_stop = True
                process.kill(sig)
        return True

    # What supervisord calls instead of its own.

    def _fork(self) -> int:
        pid = os.fork()
        if pid:
            # The child does the same; whoever comes first, no signal to the group can be too early.
            with suppress(OSError):
                os.setpgid(pid, pid)
            restarts = self._restarts.get(self._starting, 0)
            self._write("started", self._starting, pid=pid, restarts=restarts)
        return pid

    def _waitpid(self) -> tuple[int | None, int | None]:
        """Reap one child, and with it all that is left of its group: so does the end of a container."""
        try:
            found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return None, None
        if found is None:
            return None, None
        with suppress(OSError):  # before reaping: until then the group's number is nobody else's
            os.killpg(found.si_pid, signal.SIGKILL)
        pid, status = os.waitpid(found.si_pid, 0)
        code = os.waitstatus_to_exitcode(status)
        self._codes[pid] = code if code >= 0 else 128 - code
        return pid, status

    def _poll_soon(self, timeout_s: float) -> Any:
        """Wait for something to do, but not past the moment at which a process is due."""
        now_s = time.monotonic()
        waits = [due_s - now_s for due_s in self._due_s.values()]
        if not self._in_service():
            waits = [SHUTDOWN_LOOK_S]  # it stops one group in each turn, and starts nothing any more
        left_s = 0.0 if self._hurry else min([timeout_s, *waits])
        self._hurry = False
        ready = self._poll(max(0.0, left_s))
        for name in [name for name in self._restarting if not self._processes[name].pid]:
            self._restarting.discard(name)
            self.start([name])
        for name, due_s in list(self._due_s.items()):
            process = self._processes[name]
            if process.state == ProcessStates.BACKOFF:
                # Anew each time: supervisord shortens a long delay, taking it for a clock set back.
                process.delay = time.time() + due_s - time.monotonic()
            else:
                del self._due_s[name]
        return ready

    # What supervisord tells.

    def _on_starting(self, event: Any) -> None:
        self._starting = event.process.config.name
        self._began_s[self._starting] = time.monotonic()

    def _on_died(self, event: Any) -> None:
        """A process ended by itself, or could not even be started: the restart policy decides.

        supervisord has settings for most of a policy, and they are made (``supervisord.policy_settings``).
        But it counts and waits in its own way, so each death is led into its state BACKOFF, where how
        long it waits and whether it gives up can be set.
        """
        process = event.process
        config, name = process.config, process.config.name
        code = self._codes.pop(process.pid, None)
        returns = self._in_service() and self._policy_acts(config, code, self._restarts.get(name, 0))
        if returns:
            self._restarts[name] = self._restarts.get(name, 0) + 1
        quick = time.monotonic() - self._began_s[name] < QUICK_S
        self._streaks[name] = self._streaks.get(name, 0) + 1 if quick else 1
        delay_s = min(BACKOFF_S_MAX, BACKOFF_S * 2 ** min(self._streaks[name] - 1, 20))
        self._due_s[name] = time.monotonic() + delay_s
        process.state = ProcessStates.BACKOFF
        process.backoff = 1 if returns else config.startretries + 1  # more than it may: it gives up
        self._hurry = True
        if process.pid:
            self._write("exited", name, pid=process.pid, code=code, returns=returns)

    def _policy_acts(self, config: Any, code: int | None, restarts: int) -> bool:
        wanted = config.autorestart is RestartUnconditionally or (bool(config.autorestart) and code != 0)
        return wanted and restarts < config.startretries

    def _on_stopped(self, event: Any) -> None:
        """A process ended on purpose, or its return was called off."""
        process = event.process
        if process.pid:
            code, name = self._codes.pop(process.pid, None), process.config.name
            returns = name in self._restarting and self._in_service()
            self._hurry = returns
            self._write("exited", name, pid=process.pid, code=code, returns=returns)
        else:
            self._write("given up", process.config.name)

    def _on_given_up(self, event: Any) -> None:
        self._write("given up", event.process.config.name)

    def _in_service(self) -> bool:
        return bool(self._options.mood > SupervisorStates.RESTARTING)

    def _give_commands(self, programs: dict[str, Any]) -> None:
        for name, program in programs.items():
            config = self._processes[name].config
            config.command = shlex.join(program["command"])
            config.environment = program["environment"]
            config.directory = program["directory"]

    def _write(self, what: str, service: str, **facts: int | bool | None) -> None:
        """One line, whole, in one call; the monotonic clock is the same for all processes."""
        line = json.dumps({"what": what, "service": service, "at_s": time.monotonic(), **facts}).encode()
        try:
            whole = os.write(self._record, line + b"\n") > len(line)
        except OSError:
            whole = False
        if not whole:  # a fleet of which nobody knows what it does is of no use: all of it ends
            self._options.mood = SupervisorStates.SHUTDOWN


class _Alarm:
    """Wakes the main loop when a child has ended; supervisord itself may sleep on for a second.

    It notices that the child's output is closed, but that comes a moment before the child can be
    reaped.
    """

    def __init__(self) -> None:
        self.fd, bell = os.pipe()
        for each in (self.fd, bell):
            os.set_blocking(each, False)
        signal.set_wakeup_fd(bell, warn_on_full_buffer=False)

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return False

    def handle_read_event(self) -> None:
        os.read(self.fd, 4096)

    def handle_error(self) -> None:
        pass


def make(supervisord: Any) -> Inside:
    """What ``supervisor.rpcinterface_factory`` names."""
    return Inside(supervisord)
