"""The load engine beside other load generators: what it costs, and how true its latencies are.

    python -m benchmarks.load [--rounds 3] [--seconds 5] [--rate 1000]

**Steady.** Every generator in turn, round by round, sends the same rate to a server that answers each
request after exactly 10 ms. Shown are the achieved rate, CPU time for 1,000 requests, and by how much
the latencies that it reports differ from 10 ms: the medians of the rounds. Bars: ours costs less, and
differs less, than everything else in Python; our median error is below 1 ms, also on a core that the
engine shares with a busy process (a fuzzer that judges), and the engine keeps its schedule.

**Coordinated omission.** The server does nothing for 2 s, once. The truth follows from the schedule and
from the server's own record of the stall. Bar: our p90 is within 10 % of it. What a closed loop reports
of the same stall is shown beside it.

aiohttp and Locust are installed into ``.knockon/bench-venv``, hey is taken from the PATH; what is not
there is listed and not compared with.
"""

from __future__ import annotations

import argparse
from statistics import median

from benchmarks.bars import Bars, run
from benchmarks.load_tools import Run, Tool, serving, tools
from models.statistics import quantile

DELAY_MS = 10.0
ERROR_MS = 1.0
STALL_RPS, STALL_SECONDS, STALL_AFTER_S, STALL_S = 100.0, 10.0, 4.0, 2.0
TRUE_WITHIN = 0.10
OURS, BUSY = "knockon", "knockon, busy core"
NO_BAR = (OURS, BUSY, "hey (Go)")


def errors_ms(one: Run, share: float) -> float:
    """A quantile of how far its latencies are from the truth."""
    return quantile([abs(latency_ms - DELAY_MS) for latency_ms in one.latencies_ms], share)


def steady(
    bars: Bars, generators: dict[str, Tool | None], rounds: int, rate_rps: float, seconds: float
) -> None:
    """All beside each other."""
    runs: dict[str, list[Run]] = {name: [] for name, tool in generators.items() if tool}
    delays_ms: list[float] = []
    for number in range(rounds):
        for name, mine in runs.items():
            tool = generators[name]
            assert tool
            bars.console.print(f"round {number + 1} of {rounds}: {name}")
            with serving() as served:
                mine.append(tool(served.url, rate_rps, seconds))
            delays_ms += served.delays_ms
    rows: list[tuple[object, ...]] = []
    for name in generators:
        mine = runs.get(name, [])
        if not mine:
            rows.append((name, "not installed", "", "", ""))
            continue
        cpu = "" if name == BUSY else f"{median(one.cpu_ms for one in mine):.0f} ms"
        errors = [f"{median(errors_ms(one, share) for one in mine):.2f} ms" for share in (0.5, 0.99)]
        rows.append((name, f"{median(one.rate_rps for one in mine):.0f}/s", cpu, *errors))
    own = [quantile([abs(d - DELAY_MS) for d in delays_ms], share) for share in (0.5, 0.99)]
    rows.append(("of that, the server's own", "", "", *(f"{error:.2f} ms" for error in own)))
    bars.table(
        f"{rate_rps:.0f} requests/s, {seconds:g} s, a server of {DELAY_MS:g} ms, medians of {rounds} rounds",
        ("generator", "achieved", "CPU for 1,000", "error p50", "error p99"),
        rows,
    )
    ours = runs[OURS]
    for name, mine in runs.items():
        if name in (OURS, BUSY):
            bars.hold(
                f"{name}: error p50", median(errors_ms(one, 0.5) for one in mine), "<=", ERROR_MS, " ms"
            )
            bars.hold(f"{name}: runs that fell behind", sum(bool(one.trouble) for one in mine), "==", 0)
        if name not in NO_BAR:
            pairs = list(zip(ours, mine, strict=True))
            costs = median(a.cpu_ms / b.cpu_ms for a, b in pairs)
            bars.hold(f"CPU, {OURS} / {name}", costs, "<=", 1.0)
            for share in (0.5, 0.99):
                ratio = median(errors_ms(a, share) / errors_ms(b, share) for a, b in pairs)
                bars.hold(f"error p{share * 100:.0f}, {OURS} / {name}", ratio, "<=", 1.0)


def true_ms(stall_s: list[float], sent: int, seconds: float) -> list[float]:
    """What each request of an open loop waits whose server stalls, as the schedule has it.

    The stall begins so long after the first request as the server was told. Who is due in it waits for
    its end and is answered 10 ms later; who already waited is answered at its end.
    """
    length_s = stall_s[1] - stall_s[0]
    delay_s = DELAY_MS / 1000
    true = []
    for number in range(sent):
        before_s = STALL_AFTER_S - number * seconds / sent  # how long before the stall it is due
        if -length_s < before_s <= 0:
            true.append(length_s + before_s + delay_s)
        elif 0 < before_s < delay_s:
            true.append(length_s + before_s)
        else:
            true.append(delay_s)
    return [waited_s * 1000 for waited_s in true]


def stalled(bars: Bars, generators: dict[str, Tool | None]) -> None:
    """The server does nothing for two seconds."""
    rows: list[tuple[object, ...]] = []
    apart = 0.0
    for name, tool in generators.items():
        if not tool or name == BUSY:
            continue
        bars.console.print(f"a stall of {STALL_S:g} s: {name}")
        with serving(STALL_AFTER_S, STALL_S) as served:
            told = tool(served.url, STALL_RPS, STALL_SECONDS)
        truth = quantile(true_ms(served.stall_s, int(STALL_RPS * STALL_SECONDS), STALL_SECONDS), 0.9)
        reported = quantile(told.latencies_ms, 0.9)
        rows.append((name, f"{truth:.0f} ms", f"{reported:.0f} ms", len(told.latencies_ms)))
        if name == OURS:
            apart = abs(reported / truth - 1)
    bars.table(
        f"{STALL_RPS:.0f} requests/s for {STALL_SECONDS:g} s, a stall of {STALL_S:g} s: p90",
        ("generator", "truth", "reported", "requests"),
        rows,
    )
    bars.hold(f"p90 in a stall, {OURS}: off by", apart, "<=", TRUE_WITHIN)


def main(bars: Bars) -> None:
    """Both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--rate", type=float, default=1000.0)
    options = parser.parse_args()
    generators = tools(lambda text: bars.console.print(text))
    steady(bars, generators, options.rounds, options.rate, options.seconds)
    stalled(bars, generators)


if __name__ == "__main__":
    run(main)
