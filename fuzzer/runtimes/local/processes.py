"""Follows the processes of a fleet: what runs, what ended, when, with which exit code.

Two sources, each good at one thing. A pidfd becomes readable when its process dies, within a fraction
of a millisecond: that is *when*. The record that ``inside.py`` writes has every start and exit in
order, with exit codes and whether the policy acts: that is *what*, and nothing is missing from it. An
exit is reported once both are known, with the earlier of the two times, so a process that died and was
replaced between two looks still gives an exit and then a start.
"""

from __future__ import annotations

import json
import os
import selectors
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Condition, RLock, Thread
from time import strftime

from fuzzer import procfs
from fuzzer.runtimes.base import Clock, ProcessState, ServiceStatus
from models.observation import Change, ProcessChange

LOOK_S = 0.02
"""How often the record is read while nothing else happens."""
LOOK_SOON_S = 0.001
"""While a death is known that is not yet in the record."""
SETTLE_S = 1.0


@dataclass
class _Seen:
    """What is known of one service's process."""

    pid: int = 0
    """0 while none runs."""
    last_pid: int = 0
    handle: int | None = None
    died_s: float | None = None
    """The pidfd said so; the record does not say it yet."""
    frozen: bool = False
    exit_code: int | None = None
    returns: bool = False
    started: bool = False
    restarts: int = 0
    since: str = ""


class Processes:
    """A thread that follows the record, and what it knows.

    Args:
        services: all names that may occur.
        record: the file that ``inside.py`` writes; it exists.
        clock: has to be the machine's monotonic one, as the record's times are.
        changed: told of each change, in order, while nothing else is told.
        lost: told once, if supervisord itself ends.
    """

    def __init__(
        self,
        services: Iterable[str],
        record: Path,
        clock: Clock,
        changed: Callable[[ProcessChange], None],
        lost: Callable[[], None],
    ) -> None:
        self._seen = {name: _Seen() for name in services}
        self._record = record.open("rb", buffering=0)
        self._unread = b""
        self._clock = clock
        self._changed = changed
        self._lost = lost
        self._supervisord: int | None = None
        self._selector = selectors.DefaultSelector()
        self._news = Condition(RLock())
        self._thread = Thread(target=self._follow, name="processes", daemon=True)
        self._stopping = False

    def start(self, supervisord_pid: int) -> None:
        """Begin to follow."""
        self._supervisord = os.pidfd_open(supervisord_pid)
        self._selector.register(self._supervisord, selectors.EVENT_READ, "")
        self._thread.start()

    def stop(self) -> None:
        """End; nothing is told afterwards. Idempotent."""
        with self._news:
            self._stopping = True
        if self._thread.is_alive():
            self._thread.join()
        with self._news:
            handles = [seen.handle for seen in self._seen.values()]
            for handle in [*handles, self._supervisord]:
                self._let_go(handle)
            self._supervisord = None
            for seen in self._seen.values():
                seen.handle = None
            self._selector.close()
            self._record.close()

    # What is known.

    def pid(self, service: str) -> int:
        """The pid of the process that runs, 0 if none does."""
        with self._news:
            seen = self._seen[service]
            return 0 if seen.died_s is not None else seen.pid

    def was_told(self, service: str, pid: int) -> bool:
        """Whether the end of this process was reported."""
        with self._news:
            return self._seen[service].pid != pid

    def is_down(self, service: str) -> bool:
        """Whether it was reported that nothing runs, and nothing will start it."""
        with self._news:
            return not self._seen[service].pid and not self._seen[service].returns

    def state(self, service: str) -> ProcessState:
        """What the process is doing."""
        with self._news:
            seen = self._seen[service]
            if self.pid(service):
                return ProcessState.PAUSED if seen.frozen else ProcessState.RUNNING
            return ProcessState.RETURNING if seen.returns else ProcessState.DOWN

    def status(self, service: str) -> ServiceStatus:
        """The same with all that goes with it, as of now: the record is read first."""
        self.catch_up()
        with self._news:
            # A death this young: what becomes of the service will be in the record in a moment.
            self._news.wait_for(lambda: self._seen[service].died_s is None, SETTLE_S)
            seen, pid = self._seen[service], self.pid(service)
            instances = (str(pid),) if pid else ()
            return ServiceStatus(service, self.state(service), instances, seen.restarts, seen.since)

    def absence(self, service: str) -> str:
        """``""`` while a process runs (a frozen one does), else a short reason why none does."""
        with self._news:
            seen = self._seen[service]
            if self.pid(service):
                return ""
            if not seen.started:
                return "not started"
            if seen.died_s is not None:
                return "exited"
            return f"exited with {seen.exit_code}, {'returns' if seen.returns else 'stays down'}"

    def trouble(self, service: str) -> str:
        """As ``absence``, and "frozen" for a process that is."""
        with self._news:
            return self.absence(service) or ("frozen" if self._seen[service].frozen else "")

    def wait_until(self, condition: Callable[[], bool], limit_s: float) -> bool:
        """Wait until something is true of what is known; False if it was not within the limit."""
        self.catch_up()
        with self._news:
            return self._news.wait_for(condition, limit_s)

    # What happens.

    def mark_frozen(self, service: str, frozen: bool) -> None:
        """Its process was stopped, or continued, by the runtime itself just now."""
        with self._news:
            seen = self._seen[service]
            if seen.frozen != frozen and self.pid(service):
                seen.frozen = frozen
                change = Change.PAUSED if frozen else Change.RESUMED
                self._tell(ProcessChange(service, self._clock.now(), change, str(seen.pid)))

    def catch_up(self) -> None:
        """Read what was recorded until now."""
        with self._news:
            if self._stopping:
                return
            *lines, self._unread = (self._unread + self._record.read()).split(b"\n")
            for line in lines:
                self._take(json.loads(line))

    def _follow(self) -> None:
        while not self._stopping:
            pending = any(seen.died_s is not None for seen in self._seen.values())
            ready = self._selector.select(LOOK_SOON_S if pending else LOOK_S)
            now_s = self._clock.now()
            with self._news:
                for key, _ in ready:
                    self._died(key.data, now_s)
                self.catch_up()

    def _died(self, service: str, now_s: float) -> None:
        """A pidfd said that its process ended."""
        if self._stopping:
            return
        if not service:
            self._let_go(self._supervisord)
            self._supervisord = None
            self._lost()
            return
        seen = self._seen[service]
        # Asked once more: the record may have been quicker, and this the next process, which lives. Its
        # handle may even have the number of the old one, so that the selector itself mistook it.
        if seen.handle is not None and procfs.ended(seen.handle):
            self._let_go(seen.handle)
            seen.handle = None
            seen.died_s = now_s

    def _take(self, line: dict[str, object]) -> None:
        """One line of the record."""
        match line:
            case {"what": "started", "service": str(service), "at_s": float(at_s), "pid": int(pid)}:
                restarts = line.get("restarts")
                self._started(service, at_s, pid, restarts if isinstance(restarts, int) else 0)
            case {"what": "exited", "service": str(service), "at_s": float(at_s), "returns": bool(returns)}:
                code = line.get("code")
                self._exited(service, at_s, code if isinstance(code, int) else None, returns)
            case {"what": "given up", "service": str(service), "at_s": float(at_s)}:
                self._given_up(service, at_s)
            case _:
                raise AssertionError(f"inside.py and processes.py disagree about {line}")

    def _started(self, service: str, at_s: float, pid: int, restarts: int) -> None:
        handle = None
        with suppress(ProcessLookupError):  # gone already; its exit is in the record
            handle = os.pidfd_open(pid)
            self._selector.register(handle, selectors.EVENT_READ, service)
        self._seen[service] = _Seen(
            pid=pid,
            last_pid=pid,
            handle=handle,
            started=True,
            restarts=restarts,
            since=strftime("up since %H:%M:%S"),
        )
        self._tell(ProcessChange(service, at_s, Change.STARTED, str(pid)))

    def _exited(self, service: str, at_s: float, code: int | None, returns: bool) -> None:
        seen = self._seen[service]
        self._let_go(seen.handle)
        exited_s = at_s if seen.died_s is None else min(at_s, seen.died_s)
        self._seen[service] = _Seen(
            last_pid=seen.pid,
            exit_code=code,
            returns=returns,
            started=True,
            restarts=seen.restarts,
            since=strftime("down since %H:%M:%S"),
        )
        self._tell(ProcessChange(service, exited_s, Change.EXITED, str(seen.pid), code, returns))

    def _given_up(self, service: str, at_s: float) -> None:
        """Its return was called off: the exit is reported once more, so that nobody waits for it."""
        seen = self._seen[service]
        if seen.returns:
            seen.returns = False
            self._tell(ProcessChange(service, at_s, Change.EXITED, str(seen.last_pid), seen.exit_code, False))

    def _tell(self, change: ProcessChange) -> None:
        self._changed(change)
        self._news.notify_all()

    def _let_go(self, handle: int | None) -> None:
        if handle is not None:
            with suppress(KeyError):
                self._selector.unregister(handle)
            os.close(handle)
