"""Fuzzing a fleet that survives: whatever is violated here is a false alarm.

    python -m benchmarks.soak [--runtime local] [--seconds 600]

Bar: no violation, and scenarios were really played.
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
    parser.add_argument("--seed", type=int)
    options = parser.parse_args()
    with session(options.runtime, HARDENED, Terminal(bars.console)) as opened:
        search = SearchOptions(budget_s=options.seconds, seed=options.seed)
        summary = opened.campaign(search).run()
    bars.hold("false alarms", len(summary.findings), "==", 0)
    bars.hold("scenarios that told something", summary.scenarios, ">=", options.seconds // SECONDS_A_SCENARIO)
    bars.hold("scenarios that told nothing", len(summary.inconclusive), "<=", 0.1 * summary.scenarios)


if __name__ == "__main__":
    run(main)
