"""Fuzzing for a long time: does the fuzzer grow?

    python -m benchmarks.leaks [--runtime sim] [--seconds 3600] [--minute 10]

One search after another on the hardened shop, in one process. Each second its memory is looked at, and its
open files, threads and child processes; a minute is worth the median of its memory, and the least of the
others, for what leaks never goes down again, while the programs that send a load come and go. Bar: at the
end each is within 5 % of the tenth minute.
"""

from __future__ import annotations

import argparse
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import astuple, dataclass
from pathlib import Path
from statistics import median

from benchmarks.bars import Bars, run
from benchmarks.shop import HARDENED, session
from fuzzer.search.campaign import SearchOptions
from models.verdict import Violation

GROWTH = 1.05
MINUTE_S = 60.0
UNLIMITED = 10**9
PROC = Path("/proc")


@dataclass(frozen=True)
class Sample:
    """This process at one moment, or in one minute.

    Attributes:
        memory_mib: resident.
        children: processes that descend from it.
    """

    memory_mib: float
    files: int
    threads: int
    children: int


def sample() -> Sample:
    """This process now."""
    own = PROC / "self"
    status = dict(line.split(":", 1) for line in (own / "status").read_text().splitlines())
    return Sample(
        int(status["VmRSS"].split()[0]) / 1024,
        len(list((own / "fd").iterdir())) - 1,  # less the one that lists them
        int(status["Threads"]),
        sum(1 for _ in descendants("self")),
    )


def descendants(process: str) -> Iterator[str]:
    """The processes that a process started, and those that they started."""
    with suppress(OSError):  # gone meanwhile
        for task in (PROC / process / "task").iterdir():
            for child in (task / "children").read_text().split():
                yield child
                yield from descendants(child)


class Watch(threading.Thread):
    """Looks each second, and sums up and prints each minute."""

    def __init__(self, bars: Bars) -> None:
        super().__init__(daemon=True)
        self.minutes: list[Sample] = []
        self._bars = bars
        self._over = threading.Event()

    def run(self) -> None:
        """Look until it is over."""
        while not self._over.is_set():
            until_s, seen = time.monotonic() + MINUTE_S, []
            while time.monotonic() < until_s and not self._over.wait(1.0):
                seen.append(sample())
            if not self._over.is_set():
                memory, *counts = zip(*map(astuple, seen), strict=True)
                self.minutes.append(Sample(median(memory), *map(min, counts)))
                self._tell()

    def stop(self) -> None:
        """Look no more."""
        self._over.set()
        self.join()

    def _tell(self) -> None:
        last = self.minutes[-1]
        self._bars.console.print(
            f"minute {len(self.minutes)}: {last.memory_mib:.1f} MiB, {last.files} open files, "
            f"{last.threads} threads, {last.children} child processes"
        )


def main(bars: Bars) -> None:
    """Fuzz and watch."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runtime", default="sim", choices=("sim", "local", "docker"))
    parser.add_argument("--seconds", type=float, default=3600.0)
    parser.add_argument("--minute", type=int, default=10, help="the minute to which the end is compared")
    options = parser.parse_args()
    scenarios, searches, found = 0, 0, list[Violation]()
    with session(options.runtime, HARDENED) as opened:
        until_s = time.monotonic() + options.seconds
        watch = Watch(bars)
        watch.start()
        while (left_s := until_s - time.monotonic()) > 1:
            search = SearchOptions(left_s, UNLIMITED, findings=UNLIMITED)
            summary = opened.campaign(search).run()
            scenarios, searches = scenarios + summary.scenarios, searches + 1
            found += [finding.violation for finding in summary.findings]
            bars.console.print(f"search {searches}: {summary.scenarios} scenarios, {summary.ended}")
        watch.stop()
    bars.console.print(
        f"{options.runtime}: {scenarios} scenarios in {options.seconds:g} s, "
        f"findings: {', '.join(violation.signature for violation in found) or 'none'}"
    )
    if len(watch.minutes) <= options.minute:
        bars.hold("minutes that were watched", len(watch.minutes), ">=", options.minute + 1)
        return
    first, last = watch.minutes[options.minute - 1], watch.minutes[-1]
    bars.hold("memory", last.memory_mib, "<=", GROWTH * first.memory_mib, " MiB")
    bars.hold("open files", last.files, "<=", GROWTH * first.files)
    bars.hold("threads", last.threads, "<=", GROWTH * first.threads)
    bars.hold("child processes", last.children, "<=", GROWTH * first.children)


if __name__ == "__main__":
    run(main)
