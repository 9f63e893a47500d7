"""How often the calibrated twin foretells what the real shop does.

    python -m benchmarks.twin [--state DIR] [--fleet hardened fragile flawed] [--scenarios 50] [--seconds N]

Both shops are calibrated as `knockon calibrate` does it, and play random scenarios, half of them under
load; the twin, which knows the calibration and nothing of those scenarios, plays them too. It takes half an
hour. With ``--state`` it goes on where it was stopped: what was played is not played again.
The flawed shop, the hardened one with four mistakes put back, is played if it is named.

Bar: the twin predicts the verdict of at least 90 % of 100 scenarios.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from random import Random

from benchmarks.bars import Bars, run
from benchmarks.shop import FOLDER, FRAGILE, HARDENED, environment
from fuzzer.calibration.check import Compared, compare
from fuzzer.calibration.files import BESIDE, TwinFile, beside, fleet_name
from fuzzer.calibration.learn import learn_all
from fuzzer.calibration.record import PlayedLine, Record, read_record
from fuzzer.calibration.series import series
from fuzzer.config import RunConfig
from fuzzer.events import Listener
from fuzzer.fleets import read_target
from fuzzer.scenarios import is_harmful
from fuzzer.search.plans import Plans
from fuzzer.session import open_session
from models.scenario import Scenario
from models.target import Target
from models.verdict import Outcome

FLEETS = {"hardened": HARDENED, "fragile": FRAGILE, "flawed": HARDENED}
FLAWS = {"flawed": "no-restart,undeclared-dependency,no-timeout,stale-connection"}
PORTS = "893"
LOADS = ("load", "ramp", "burst")
AGREE_MIN = 0.9


class Bench:
    """One of the shops, in a copy of its folder, so that nothing is written into the checkout."""

    def __init__(self, name: str, state: Path) -> None:
        self.name = name
        self.state = state / name
        self.real = RunConfig(self._copy("shop"), f"knockon-twin-{name}", "local", state=self.state / "real")
        # A state of its own: the twin is not to learn from the very scenarios that it has to foretell.
        self.twin = replace(self.real, runtime="sim", state=self.state / "twin")
        self.untaught = replace(self.twin, targets=self._copy("untaught"))
        self.record = self.state / "played.ndjson"

    def _copy(self, name: str) -> tuple[Path, ...]:
        """The compose files of a copy of the shop that is called so."""
        folder = self.state / name
        if not folder.is_dir():
            shutil.copytree(FOLDER, folder, ignore=shutil.ignore_patterns(BESIDE))
        return tuple(folder / path.name for path in FLEETS[self.name])

    @property
    def target(self) -> Target:
        """The shop."""
        return read_target(self.real)

    def calibrate(self, *listeners: Listener) -> None:
        """Learn how each service behaves, unless that is known already."""
        target = self.target
        if beside(target).exists():
            return
        with open_session(self.real, *listeners) as session:
            played = [session.runner.play(one, "calibrate") for one in series(target, session.actions)]
        TwinFile().with_fleet(fleet_name(target), learn_all(played, target)).write(beside(target))

    def play(self, count: int, seed: int, until_s: float, *listeners: Listener) -> None:
        """Play those of the random scenarios that were not played yet."""
        record = Record(self.record)
        left = len(self.lines)
        with open_session(self.real, *listeners) as session:
            for scenario in list(drawn(session.target, session.actions, count, seed))[left:]:
                if time.monotonic() > until_s:
                    return
                played = session.runner.play(scenario, "search")
                record.add(PlayedLine.of(played, self.name, "local"))

    @property
    def lines(self) -> list[PlayedLine]:
        """What was played so far."""
        return read_record(self.record) if self.record.exists() else []

    def compare(self, *, taught: bool = True) -> list[Compared]:
        """Ask the twin about everything that was played, or one that only ever saw the compose files."""
        with open_session(self.twin if taught else self.untaught) as session:
            return list(compare(self.lines, session.runner))


def drawn(target: Target, actions: Mapping[str, object], count: int, seed: int) -> Iterator[Scenario]:
    """Random scenarios of three to six steps, in turn without load and perhaps with it."""
    random = Random(seed)
    number = 0
    while number < count:
        plans = Plans(target, actions, random.randint(3, 6), random)  # type: ignore[arg-type]
        quiet = [name for name in actions if name not in LOADS]
        scenario = plans.fresh(*(quiet if number % 2 else actions))
        loaded = any(step.action in LOADS for step in scenario)
        if is_harmful(scenario) and loaded is (number % 2 == 0):
            number += 1
            yield scenario


@contextmanager
def kept(state: Path | None) -> Iterator[Path]:
    """The folder for all that is written: the one that was named, or one that is removed."""
    if state:
        state.mkdir(parents=True, exist_ok=True)
        yield state.resolve()
    else:
        with tempfile.TemporaryDirectory(prefix="knockon-twin-") as folder:
            yield Path(folder)


def main(bars: Bars, *listeners: Listener) -> None:
    """Calibrate, play, compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--state", type=Path, help="where to go on; removed at the end if not given")
    parser.add_argument("--fleet", nargs="*", choices=FLEETS, default=["hardened", "fragile"])
    parser.add_argument("--scenarios", type=int, default=50, help="of each fleet")
    parser.add_argument("--seconds", type=float, default=7200.0, help="for playing")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    until_s = time.monotonic() + options.seconds
    compared: list[Compared] = []
    with kept(options.state) as state, ExitStack() as stack:
        for name in options.fleet:
            stack.enter_context(environment(SHOP_PORTS=PORTS, SHOP_FLAWS=FLAWS.get(name, "")))
            bench = Bench(name, state)
            bench.calibrate(*listeners)
            if len(bench.lines) < options.scenarios:
                bench.play(options.scenarios, options.seed, until_s, *listeners)
            found = bench.compare()
            outcomes = Counter(line.outcome for line in bench.lines)
            untaught = bench.compare(taught=False)
            bars.console.print(
                f"{name}: {len(found)} compared, {outcomes[Outcome.VIOLATED]} of them violated; "
                f"{outcomes[Outcome.UNKNOWN]} inconclusive\n"
                f"  agree in verdict, in signature: {_agreeing(found)}; uncalibrated: {_agreeing(untaught)}"
            )
            bars.table(
                f"where the twin of the {name} shop disagrees",
                ("scenario", "reality", "twin"),
                [(one.line.scenario, one.reality, one.foretold) for one in found if not one.same_signature],
            )
            compared += found
    bars.hold("verdicts foretold", _share([one.same_verdict for one in compared]), ">=", AGREE_MIN)
    bars.console.print(f"signatures foretold: {_share([one.same_signature for one in compared]):.2f}")


def _agreeing(compared: list[Compared]) -> str:
    verdicts = sum(one.same_verdict for one in compared)
    return f"{verdicts}, {sum(one.same_signature for one in compared)}"


def _share(agree: list[bool]) -> float:
    return sum(agree) / len(agree) if agree else 0.0


if __name__ == "__main__":
    run(main)
