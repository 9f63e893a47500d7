"""A load tool while it runs: started without a shell, in a session of its own, ended with all it started.

Its exit code is not trusted alone: tools end with one of their own when requests failed, which is what
chaos is for. What counts is a complete report, together with a code that the tool documents for that.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from threading import RLock
from types import TracebackType

from fuzzer import kin
from fuzzer.loads.outside.base import STDERR, STDOUT, LoadTool, Moment, ToolFailed, ToolReport
from fuzzer.loads.outside.capture import Capture
from models.errors import RequestError

STDOUT_BYTES_MOST = 64 << 20
"""hey's report of a million requests is half of that."""

STDERR_BYTES_MOST = 16 << 20

PATIENCE: tuple[tuple[signal.Signals, float], ...] = (
    (signal.SIGINT, 5.0),  # as Ctrl-C: every known tool then ends its run and writes its report
    (signal.SIGTERM, 3.0),
    (signal.SIGKILL, 5.0),
)
"""How a tool is stopped: what it is sent, and how long it then has, in seconds."""

DRIFT_S_MOST = 0.25
"""Times of day are of no use if the clock was set by more than this while the tool ran."""

UNSENT_SHARE_MOST = 0.05
"""More requests than this that the tool could not send, and its figures prove nothing."""

SLICE_S = 0.02


class OutsideTool:
    """One run of a load tool. As a context it is stopped at the end.

    Args:
        words: the user's command.
        folder: a new or empty one, for its report and for what it prints.
    """

    def __init__(self, tool: LoadTool, words: Sequence[str], folder: Path) -> None:
        self._tool = tool
        self._words = tuple(words)
        self._folder = folder.resolve()
        self._lock = RLock()
        self._process: subprocess.Popen[bytes] | None = None
        self._captures: list[Capture] = []
        self._code: int | None = None
        self._stopped = False
        self._trouble = ""
        self._began = self._ended = Moment(0.0, 0.0)

    def __enter__(self) -> OutsideTool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start the tool; returns at once.

        Raises:
            RequestError: there is no such program, its words cannot be taken, or the folder is in use.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        if any(self._folder.iterdir()):
            raise RequestError(f"load command: {self._folder} is not empty; a report needs a new folder")
        words = self._tool.prepare(self._words, self._folder)
        self._began = Moment.now()
        try:
            process = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                env=kin.environment(),
                start_new_session=True,  # Ctrl-C is for the runner, which then ends its tools
            )
        except FileNotFoundError:
            raise RequestError(f"load command: {words[0]}: not found; install it, or name its path") from None
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or error
            raise RequestError(f"load command: {words[0]}: cannot be started: {why}") from None
        assert process.stdout
        assert process.stderr
        self._process = process
        self._captures = [
            Capture(process.stderr, self._folder / STDERR, STDERR_BYTES_MOST),
            Capture(process.stdout, self._folder / STDOUT, STDOUT_BYTES_MOST),
        ]

    @property
    def running(self) -> bool:
        """Whether it was started and has not ended."""
        with self._lock:
            if self._process is None or self._code is not None:
                return False
            # It is only looked at, not collected: until then no other process gets its number, and its
            # group can be ended without a doubt about whose it is.
            if os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
                return True
            self._collect(self._process)
            return False

    def wait(self, limit_s: float) -> None:
        """Wait until it has ended by itself.

        Raises:
            ToolFailed: it has not, within ``limit_s`` seconds; it was stopped.
        """
        if not self._wait(limit_s):
            self._trouble = f"{self._tool.name} still ran after {limit_s:g} s; give it a shorter duration"
            self.stop()
            raise ToolFailed(self._trouble)

    def stop(self) -> None:
        """End it and everything it started; what it reports of what it did until then can be had."""
        for kind, patience_s in PATIENCE:
            with self._lock:
                if not self.running:
                    return
                assert self._process
                self._stopped = True
                self._signal(self._process.pid, kind)
            if self._wait(patience_s):
                return

    def report(self) -> ToolReport:
        """What it did.

        Raises:
            ToolFailed: it still runs, it failed, or there is no complete report of it.
        """
        name = self._tool.name
        if self._process is None or self.running:
            raise ToolFailed(f"{name} {'still runs' if self._process else 'was not started'}; no report yet")
        assert self._code is not None
        if self._trouble:
            raise ToolFailed(self._trouble)
        known = self._code == 0 or self._code in self._tool.exits or self._stopped
        if not known:
            raise ToolFailed(self._death())
        if abs(drift_s := self._began.drift_s(self._ended)) > DRIFT_S_MOST:
            raise ToolFailed(
                f"the machine's clock was set by {drift_s:+.1f} s while {name} ran; run it again"
            )
        try:
            report = self._tool.read(self._words, self._folder, self._began)
        except ToolFailed as error:
            if self._code and not self._stopped:
                raise ToolFailed(self._death()) from error
            if self._captures[1].cut:
                raise ToolFailed(f"{error} (its output was cut off)") from error
            raise
        if report.unsent > UNSENT_SHARE_MOST * (report.sent + report.unsent):
            raise ToolFailed(
                f"{name} could not send {report.unsent:,} of {report.sent + report.unsent:,} requests; "
                "let it open fewer connections, or raise its limit of open files"
            )
        if not report.sent:
            said = next((capture.last_line for capture in self._captures if capture.last_line), "")
            raise ToolFailed(f"{name} sent no HTTP request, so it tells nothing{f': {said}' if said else ''}")
        return report

    def _wait(self, limit_s: float) -> bool:
        deadline_s = time.monotonic() + limit_s
        while self.running:
            if time.monotonic() >= deadline_s:
                return False
            time.sleep(SLICE_S)
        return True

    def _collect(self, process: subprocess.Popen[bytes]) -> None:
        self._ended = Moment.now()
        self._signal(process.pid, signal.SIGKILL)  # what it left behind
        self._code = process.wait()
        for capture in self._captures:
            capture.join(limit_s=5)

    @staticmethod
    def _signal(group: int, kind: signal.Signals) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(group, kind)

    def _death(self) -> str:
        assert self._code is not None
        how = f"was ended by signal {-self._code}" if self._code < 0 else f"ended with code {self._code}"
        said = next((capture.last_line for capture in self._captures if capture.last_line), "")
        return f"{self._tool.name} {how}{f': {said}' if said else ''}"
