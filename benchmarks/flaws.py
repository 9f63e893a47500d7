"""How soon each seeded flaw of the example shop is found, and what it takes to make it small.

    python -m benchmarks.flaws [--runtime local] [--only NAME …] [--seconds 180]
    python -m benchmarks.flaws --clients
    python -m benchmarks.flaws --edges

Bar: every flaw is found, within 60 s a flaw in the mean; ``order-dependent`` may need more and is listed
on its own. With ``--clients`` only the promises to clients judge, and only the flaws count that clients
feel: within 120 s in the mean, since a scenario under load takes twice as long. With ``--edges`` only faults
of connections and loads are drawn, and only the flaws count that a connection can show.
"""

from __future__ import annotations

import argparse
import time

from benchmarks.bars import Bars, run
from benchmarks.shop import HARDENED, session
from fuzzer.actions.base_link import LinkFault
from fuzzer.actions.catalogue import ACTIONS
from fuzzer.events import Event, FindingBegan, Summary
from fuzzer.search.campaign import SearchOptions
from invariants.catalogue import TO_CLIENTS

SEEN = (
    "crash-on-dependency-failure",
    "no-restart",
    "no-timeout",
    "undeclared-dependency",
    "start-order",
    "stale-connection",
    "slow-recovery",
    "sticky-degradation",
    "two-fault",
    "lost-write",
    "retry-storm",
)
FELT_BY_CLIENTS = (
    "no-timeout",
    "lost-write",
    "retry-storm",
    "sticky-degradation",
    "stale-connection",
    "undeclared-dependency",
)
SHOWN_BY_EDGES = ("no-timeout", "stale-connection", "retry-storm")
MAY_NEED_MORE = ("order-dependent",)
EDGES = (
    *(name for name, action in ACTIONS.items() if isinstance(action, LinkFault)),
    *("load", "burst", "ramp", "wait", "heal"),
)
FOUND_S, FOUND_BY_CLIENTS_S = 60.0, 120.0


class FoundAfter:
    """A listener that notes when the first violation was seen."""

    def __init__(self) -> None:
        self.began_s = time.monotonic()
        self.seconds: float | None = None

    def __call__(self, event: Event) -> None:
        """Look for the first finding."""
        if isinstance(event, FindingBegan) and self.seconds is None:
            self.seconds = time.monotonic() - self.began_s


def hunt(
    runtime: str,
    flaw: str,
    search: SearchOptions,
    promises: tuple[str, ...] = (),
    actions: tuple[str, ...] = (),
) -> tuple[Summary, float | None]:
    """Search for one flaw, and shrink what is found; returns the summary and seconds until found."""
    found = FoundAfter()
    with session(runtime, HARDENED, found, flaws=flaw, promises=promises, actions=actions) as opened:
        found.began_s = time.monotonic()
        summary = opened.campaign(search).run()
    return summary, found.seconds


def row(flaw: str, summary: Summary, found_s: float | None) -> tuple[object, ...]:
    """One line of the table."""
    if found_s is None:
        return (flaw, "no", summary.scenarios, "", "", f"{summary.seconds:.0f}", "")
    [finding] = summary.findings
    return (
        flaw,
        finding.violation.signature,
        summary.scenarios,
        f"{len(finding.minimal)} ({finding.reproduced}/{finding.replays})",
        f"{finding.shrinking} of {finding.executions}",
        f"{found_s:.0f} + {finding.seconds:.0f}",
        str(finding.minimal),
    )


def main(bars: Bars) -> None:
    """Hunt every flaw in turn."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runtime", default="local")
    parser.add_argument("--only", nargs="*", help="flaws to hunt")
    parser.add_argument("--clients", action="store_true", help="judge by what clients see only")
    parser.add_argument("--edges", action="store_true", help="faults of connections and loads alone")
    parser.add_argument("--seconds", type=float, default=180.0)
    parser.add_argument("--shrink-seconds", type=float, default=300.0)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    search = SearchOptions(
        options.seconds,
        seed=options.seed,
        findings=1,
        shrink_s=options.shrink_seconds,
        under_load=options.clients,
    )
    counted = FELT_BY_CLIENTS if options.clients else SHOWN_BY_EDGES if options.edges else SEEN
    flaws = options.only or (counted if counted is not SEEN else [*counted, *MAY_NEED_MORE])
    promises = TO_CLIENTS if options.clients else ()
    rows, spent_s, found = [], 0.0, 0
    for flaw in flaws:
        summary, found_s = hunt(options.runtime, flaw, search, promises, EDGES if options.edges else ())
        rows.append(row(flaw, summary, found_s))
        bars.console.print(*rows[-1])
        if flaw in counted:
            found += found_s is not None
            spent_s += summary.seconds if found_s is None else found_s
    bars.table(
        f"seeded flaws on {options.runtime}",
        (
            "flaw",
            "found as",
            "scenarios",
            "steps (rate)",
            "shrinking",
            "seconds: found + small",
            "minimal scenario",
        ),
        rows,
    )
    bar_s = FOUND_S if counted is SEEN else FOUND_BY_CLIENTS_S
    expected = sum(flaw in counted for flaw in flaws)
    bars.hold("flaws found", found, ">=", expected)
    bars.hold("until found, together", spent_s, "<=", bar_s * expected, " s")


if __name__ == "__main__":
    run(main)
