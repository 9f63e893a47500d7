"""A listener that learns from every real scenario on the way. It never breaks a run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from fuzzer.calibration.files import fleet_name, in_state, read_twin
from fuzzer.calibration.knowledge import KnownFleet
from fuzzer.calibration.learn import lessons
from fuzzer.calibration.record import PlayedLine, Record, record_path
from fuzzer.events import Event, Played, ScenarioEnded
from models.errors import KnockonError
from models.target import Target


class Learner:
    """Writes down what was played, and what it teaches.

    Args:
        state: the folder of both files.
        runtime: where is played.
        tell: told once why nothing is written; the run goes on without.
    """

    def __init__(self, target: Target, state: Path, runtime: str, tell: Callable[[str], None]) -> None:
        self._target = target
        self._fleet = fleet_name(target)
        self._path = in_state(state, target)
        self._record = Record(record_path(state, target))
        self._runtime = runtime
        self._tell = tell
        self._told = False

    def __call__(self, event: Event) -> None:
        """Look for scenarios that ended."""
        if not isinstance(event, ScenarioEnded) or not event.played.history:
            return
        try:
            self._record.add(PlayedLine.of(event.played, self._fleet, self._runtime))
            self._learn(event.played)
        except (KnockonError, OSError) as error:
            self._excuse(str(error))
        except Exception as error:  # whatever is wrong here, the run it watches is not
            self._excuse(f"{type(error).__name__}: {error}")

    def _learn(self, played: Played) -> None:
        file = read_twin(self._path)
        known = file.fleets.get(self._fleet, KnownFleet())
        facts = lessons(played, self._target, known)
        if facts:
            file.with_fleet(self._fleet, known.with_facts(facts)).write(self._path)

    def _excuse(self, why: str) -> None:
        if not self._told:
            self._told = True
            self._tell(f"what was played is not learnt from: {why}")
