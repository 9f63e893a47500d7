"""How many scenarios each way to search takes: chance, Hypothesis, and a corpus that evolves.

    python -m benchmarks.search [--seeds 12] [--scenarios 3000] [--steps 7] [--only corpus …]

A flaw of three faults in one order is hidden among sixty (``hidden.py``); each seed hides another. All
three get the same scenarios to write, seven steps long, and the same histories back. Chance and Hypothesis
make nothing of them; the corpus learns what changed, and nothing else: neither how far it came, nor what the
flaw consists of. Seven steps, since then chance finds it in about 5 of 12 searches of 3,000 scenarios, which
is what the measurement gave that this repeats. It takes some minutes.

Bar: the corpus finds it in at least 11 of 12.
"""

from __future__ import annotations

import argparse
import time
from statistics import median

from benchmarks.bars import Bars, run
from benchmarks.hidden import DEEDS, FLEET, HiddenTriple
from benchmarks.searchers import SEARCHERS, Searcher

FOUND_SHARE = 11 / 12


def found_after(searcher: Searcher, seeds: int, most: int) -> list[int | None]:
    """For each seed how many scenarios it took."""
    return [searcher.search(HiddenTriple(seed), seed, most) for seed in range(1, seeds + 1)]


def row(name: str, counts: list[int | None], seconds: float) -> tuple[object, ...]:
    """One line of the table; a search that did not find it took more than all others."""
    found = [count for count in counts if count is not None]
    middle = median(count or float("inf") for count in counts)
    return (
        name,
        f"{len(found)} of {len(counts)}",
        f"{middle:g}" if middle < float("inf") else "not found",
        " ".join(str(count or "-") for count in counts),
        f"{seconds:.0f}",
    )


def main(bars: Bars) -> None:
    """All searchers on the same flaws."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=12)
    parser.add_argument("--scenarios", type=int, default=3000)
    parser.add_argument("--steps", type=int, default=7)
    parser.add_argument("--only", nargs="*", choices=[one.name for one in SEARCHERS])
    options = parser.parse_args()
    rows, counts = [], {}
    for make in SEARCHERS:
        if options.only and make.name not in options.only:
            continue
        began_s = time.perf_counter()
        counts[make.name] = found_after(make(FLEET, DEEDS, options.steps), options.seeds, options.scenarios)
        rows.append(row(make.name, counts[make.name], time.perf_counter() - began_s))
        bars.console.print(*rows[-1])
    bars.table(
        f"three faults in one order, of sixty, within {options.scenarios} scenarios of {options.steps} steps",
        ("search", "found", "median", "scenarios until found, seed by seed", "seconds"),
        rows,
    )
    if "corpus" in counts:
        found = sum(count is not None for count in counts["corpus"])
        bars.hold("found by the corpus", found / options.seeds, ">=", FOUND_SHARE)


if __name__ == "__main__":
    run(main)
