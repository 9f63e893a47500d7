"""Two ways to search: choosily, where a scenario costs seconds, and thoroughly, where it costs nothing.

On a real fleet Hypothesis writes many plans, and of every handful only the part is played that promises
most (``novelty.py``, ``foresight.py``); what fails is made small by ``minimize.py``. In a simulation
every plan is played, as long as it is; Hypothesis shrinks what fails and keeps it for the next run, and in
turn with it a corpus evolves plans towards whatever was seen for the first time (``corpus.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from fuzzer.actions.base import Action
from fuzzer.events import Played
from fuzzer.search.corpus import Corpus
from fuzzer.search.foresight import Foresight
from fuzzer.search.latest import Latest
from fuzzer.search.novelty import Novelty
from fuzzer.search.trials import SearchOver, Trials
from fuzzer.search.worth import worth_of
from fuzzer.search.written import write_plans
from models.errors import InvariantViolated
from models.scenario import Scenario
from models.target import Target

ROUND = 200
"""How many plans Hypothesis writes, and the corpus proposes, before it is the other's turn."""

SITTING = 1000
"""How many plans Hypothesis writes for a real fleet before it begins anew: it remembers all of a sitting."""

PICKED = 2 * SITTING
"""For how many plans it is remembered what was played for them."""


@dataclass(frozen=True)
class Caught:
    """What a hunt ended with.

    Attributes:
        first: the first scenario that showed something new.
        least: the smallest that is known to show the same; often the same one.
    """

    first: Played
    least: Played


class Hunt(Protocol):
    """A way to search."""

    def search(self, number: int) -> Caught | None:
        """Play until something new shows; None when there is no more to try.

        Raises:
            SearchOver: it is enough.
        """
        ...


class ChoosyHunt:
    """For fleets on which each scenario costs seconds."""

    def __init__(
        self,
        target: Target,
        actions: Mapping[str, Action],
        trials: Trials,
        novelty: Novelty,
        foresight: Foresight,
        steps: int,
    ) -> None:
        self._target = target
        self._actions = actions
        self._trials = trials
        self._novelty = novelty
        self._foresight = foresight
        self._steps = steps
        self._picked: Latest[Scenario, Scenario] = Latest(PICKED)
        self._looked: Latest[int, None] = Latest(PICKED)
        self._is_news = True
        self._caught: Caught | None = None

    def search(self, number: int) -> Caught | None:
        """Let Hypothesis write, sitting by sitting; play what promises most."""
        self._caught, self._is_news = None, True
        sitting = 0
        while self._is_news:
            self._is_news = False
            self._trials.stop_if_over()
            try:
                write_plans(
                    self._target,
                    self._actions,
                    self._evaluate,
                    number=number + 1000 * sitting,
                    steps=self._steps,
                    plans=SITTING,
                )
            except InvariantViolated:
                return self._caught
            sitting += 1
        return None

    def _evaluate(self, plan: Scenario) -> None:
        """What was played is remembered for the plan: Hypothesis sees the same whenever it asks again.

        A plan for which nothing was played is looked at again: where there are few, they come round.
        """
        self._trials.stop_if_over()
        picked = self._picked.get(plan)
        if picked is None:
            self._is_news |= hash(plan) not in self._looked
            self._looked.put(hash(plan), None)
            picked = self._foresight.choose(self._novelty.pick(plan), self._trials.known)
            if picked is not None:
                self._is_news = True
                self._picked.put(plan, picked)
                if self._trials.recall(picked) is None:
                    self._foresight.compare(self._trials.play(picked))
                    self._novelty.played(picked)
        played = self._trials.recall(picked or plan)
        violation = self._trials.news(played)
        if played and violation:
            self._caught = self._caught or Caught(played, played)
            raise self._trials.error(violation)


class ThoroughHunt:
    """For fleets that cost nothing, and on which a scenario does the same each time.

    Args:
        kept: where Hypothesis keeps what failed.
        may_shrink: asked before each execution that only makes something smaller.
    """

    def __init__(
        self,
        target: Target,
        actions: Mapping[str, Action],
        trials: Trials,
        corpus: Corpus,
        kept: Path,
        steps: int,
        wanted: Callable[[Scenario], bool],
        may_shrink: Callable[[], bool],
    ) -> None:
        self._target = target
        self._actions = actions
        self._trials = trials
        self._corpus = corpus
        self._kept = kept
        self._steps = steps
        self._wanted = wanted
        self._may_shrink = may_shrink
        self._caught: Caught | None = None

    def search(self, number: int) -> Caught | None:
        """Hypothesis and the corpus in turn."""
        self._caught = None
        turn = 0
        while self._caught is None:
            self._trials.stop_if_over()
            self._let_hypothesis(number + 1000 * turn)
            if self._caught is None:
                self._let_corpus()
            turn += 1
        return self._caught

    def _let_hypothesis(self, number: int) -> None:
        try:
            write_plans(
                self._target,
                self._actions,
                self._evaluate,
                number=number,
                steps=self._steps,
                plans=ROUND,
                shrink_with=self._kept,
            )
        except InvariantViolated:
            pass
        except SearchOver:
            if self._caught is None:
                raise

    def _evaluate(self, plan: Scenario) -> None:
        if not self._wanted(plan):
            return
        if self._caught is None:
            self._trials.stop_if_over()
        elif self._trials.recall(plan) is None and not self._may_shrink():
            raise SearchOver("the time for shrinking is over")
        played = self._trials.play(plan)
        if self._caught is None:
            violation = self._trials.news(played)
            self._caught = Caught(played, played) if violation else None
        else:  # smaller, as long as it is the same that breaks
            same = self._caught.first.violations[0].signature
            violation = next((v for v in played.violations if v.signature == same), None)
            self._caught = Caught(self._caught.first, played) if violation else self._caught
        if violation:
            raise self._trials.error(violation)

    def _let_corpus(self) -> None:
        for _ in range(ROUND):
            self._trials.stop_if_over()
            plan = self._corpus.propose()
            if not self._wanted(plan) or self._trials.recall(plan) is not None:
                continue
            played = self._trials.play_anew(plan)
            self._corpus.learn(plan, worth_of(played))
            if self._trials.news(played):
                self._caught = Caught(played, played)
                return
