"""Fuzzing a fleet that survives: whatever is violated here is a false alarm.

    python -m benchmarks.soak [--runtime local] [--seconds 600]
    python -m benchmarks.soak --under-load [--scenarios 200]

Bar: no violation, and scenarios were really played. Under load, every promise to clients was put to the
test in some of them.
"""

from __future__ import annotations

import argparse

from benchmarks.bars import Bars, run
from benchmarks.shop import HARDENED, session
from fuzzer.reports.terminal import Terminal
from fuzzer.search.campaign import SearchOptions

SECONDS_A_SCENARIO = 30


def main(bars: Bars) -> None:
    """Fuzz the hardened shop."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runtime", default="local")
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--under-load", action="store_true", help="only scenarios that send a load")
    parser.add_argument("--scenarios", type=int, default=200, help="how many of those")
    parser.add_argument("--seed", type=int)
    options = parser.parse_args()
    with session(options.runtime, HARDENED, Terminal(bars.console)) as opened:
        if options.under_load:
            search = SearchOptions(None, options.scenarios, seed=options.seed, under_load=True)
            least = 0.9 * options.scenarios
        else:
            search = SearchOptions(options.seconds, seed=options.seed)
            least = options.seconds // SECONDS_A_SCENARIO
        summary = opened.campaign(search).run()
    bars.hold("false alarms", len(summary.findings), "==", 0)
    bars.hold("scenarios that told something", summary.scenarios, ">=", least)
    if options.under_load:
        untested = [name for name, count in summary.held.items() if not count]
        bars.hold("promises that were not put to the test", len(untested), "==", 0)
    bars.hold("scenarios that told nothing", len(summary.inconclusive), "<=", 0.1 * summary.scenarios)


if __name__ == "__main__":
    run(main)
