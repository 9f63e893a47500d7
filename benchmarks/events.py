"""What listening to a run costs.

    python -m benchmarks.events [--times 7] [--scenarios 40]

The same scenarios are played on ``sim``, in turn: with everybody who listens to a run (the terminal's lines,
the coverage table, the log of the run) and with nobody. Bar: the median of the ratios of the processor's
time, pair by pair, at most 1.10.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from io import StringIO
from pathlib import Path
from statistics import median

from rich.console import Console

from benchmarks.bars import Bars, run
from benchmarks.shop import HARDENED
from fuzzer.config import RunConfig
from fuzzer.events import Listener
from fuzzer.reports.coverage import CoverageTable
from fuzzer.reports.terminal import Terminal
from fuzzer.search.campaign import SearchOptions
from fuzzer.session import open_session

RATIO = 1.10


def spent_s(scenarios: int, seed: int, *, heard: bool) -> float:
    """Seconds of the processor for a search of so many scenarios."""
    console = Console(file=StringIO(), width=120)
    listeners: tuple[Listener, ...] = (Terminal(console), CoverageTable(console)) if heard else ()
    search = SearchOptions(budget_s=None, examples=scenarios, seed=seed, steps=10)
    with tempfile.TemporaryDirectory() as state:
        config = RunConfig(HARDENED, runtime="sim", state=Path(state), search=search)
        with open_session(config, *listeners) as session:
            if not heard:
                session.events._listeners = ()  # nor the log, which a session always keeps
            began_s = time.process_time()
            session.campaign().run()
            return time.process_time() - began_s


def main(bars: Bars) -> None:
    """Pairs of the same search."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=7)
    parser.add_argument("--scenarios", type=int, default=40)
    options = parser.parse_args()
    spent_s(3, 0, heard=True)  # what is imported and filled once is nobody's fault
    ratios = []
    for seed in range(1, options.times + 1):
        order = (True, False) if seed % 2 else (False, True)
        spent = {heard: spent_s(options.scenarios, seed, heard=heard) for heard in order}
        ratios.append(spent[True] / spent[False])
        bars.console.print(f"seed {seed}: {spent[True]:.2f} s heard, {spent[False]:.2f} s unheard")
    bars.hold("median ratio", median(ratios), "<=", RATIO)


if __name__ == "__main__":
    run(main)
