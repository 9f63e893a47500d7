"""How many scenarios each way to search takes: chance, Hypothesis, and a corpus that evolves.

    python -m benchmarks.search [--seeds 12] [--scenarios 3000] [--steps 7] [--only corpus …]

A flaw of three faults in one order is hidden among sixty (``hidden.py``); each seed hides another. All
three get the same scenarios to write, seven steps long, and the same histories back. Chance and Hypothesis
make nothing of them; the corpus learns what changed, and nothing else: neither how far it came, nor what the
flaw consists of. Seven steps, since then chance finds it in about 5 of 12 searches of 3,000 scenarios, which
is what the measurement gave that this repeats. It takes some minutes.

    python -m benchmarks.search --flaws [--seeds 3] [--scenarios 300]

The same three look for each seeded flaw of the example shop, on its simulation.

Bar: the corpus finds the hidden triple in at least 11 of 12.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.bars import Bars, run
from benchmarks.hidden import DEEDS, FLEET, HiddenTriple
from benchmarks.searchers import SEARCHERS, Searcher
from benchmarks.shop import FOLDER, HARDENED
from fuzzer.config import RunConfig
from fuzzer.session import open_session

FOUND_SHARE = 11 / 12
FLAW_STEPS = 12
"""Steps of a scenario on the simulated shop."""


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
    parser.add_argument("--flaws", action="store_true", help="search the simulated shop instead")
    options = parser.parse_args()
    if options.flaws:
        seeded(bars, min(options.seeds, 3), min(options.scenarios, 300))
    else:
        hidden(bars, options)


def seeded(bars: Bars, seeds: int, most: int) -> None:
    """Every seeded flaw, on the simulated shop."""
    rows = []
    for file in sorted((FOLDER / "twin").glob("*.yaml")):
        with TemporaryDirectory() as state:
            config = RunConfig((*HARDENED, file), runtime="sim", state=Path(state))
            with open_session(config) as session:
                ways = [make(session.target, session.actions, FLAW_STEPS) for make in SEARCHERS]
                counts = [
                    [way.search(session.runner.play, seed, most) for seed in range(1, seeds + 1)]
                    for way in ways
                ]
        told = [" ".join(str(count or "-") for count in each) for each in counts]
        rows.append((file.stem, *told))
        bars.console.print(*rows[-1])
    bars.table(
        f"scenarios of {FLAW_STEPS} steps until a seeded flaw shows, seed by seed, of {most} at most",
        ("flaw", *(make.name for make in SEARCHERS)),
        rows,
    )


def hidden(bars: Bars, options: argparse.Namespace) -> None:
    """Three faults in one order, among sixty."""
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
