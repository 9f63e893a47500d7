"""The fuzzer that ``benchmarks.heal`` kills: it plays random scenarios, one after the other, until then.

    python -m benchmarks.heal_fuzzer RUNTIME FOLDER SEED

Each scenario is written by the rules of the search around one action, so that all of them come up, and not
only those that a search likes best. Each step is printed as it begins.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

from benchmarks.heal_fleet import files
from fuzzer.cli.random_ import draw
from fuzzer.config import RunConfig
from fuzzer.events import Event, StepBegan
from fuzzer.session import Session, open_session
from models.errors import RequestError
from models.scenario import Scenario

STEPS = 4
BESIDE = ("wait", "heal", "load")


def main() -> None:
    """Play."""
    runtime, folder, seed = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    config = RunConfig(files(folder, runtime), folder.name, runtime, state=folder / "state")
    with open_session(config, told) as session:
        dice = random.Random(seed)
        while True:
            session.runner.play(written(session, dice))


def written(session: Session, dice: random.Random) -> Scenario:
    """A scenario with an action that was thrown."""
    harmful = [name for name, action in session.actions.items() if action.harmful]
    while True:
        names = {dice.choice(harmful), *BESIDE}
        actions = {name: action for name, action in session.actions.items() if name in names}
        try:
            return draw(session.target, actions, STEPS, dice.getrandbits(32))
        except RequestError:
            continue  # that action finds nothing to harm in this fleet


def told(event: Event) -> None:
    """Print a step as it begins."""
    if isinstance(event, StepBegan):
        sys.stdout.write(f"{event.step}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
