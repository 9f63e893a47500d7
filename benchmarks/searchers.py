"""Three ways to search, with one interface: chance, Hypothesis, the corpus."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from random import Random
from typing import ClassVar, Protocol, TypeAlias

from fuzzer.actions.base import Action
from fuzzer.events import Played
from fuzzer.search.corpus import Corpus
from fuzzer.search.plans import Plans
from fuzzer.search.worth import worth_of
from fuzzer.search.written import write_plans
from models.scenario import Scenario
from models.target import Target
from models.verdict import Outcome

PLANS_A_PLAY = 100
"""Plans that do no harm are not played; Hypothesis never writes so many of them."""

Evaluate: TypeAlias = Callable[[Scenario], Played]


class Searcher(Protocol):
    """A way to search."""

    name: ClassVar[str]

    def search(self, evaluate: Evaluate, seed: int, most: int) -> int | None:
        """How many scenarios it took until one broke a promise; None if none of ``most`` did."""
        ...


@dataclass(frozen=True)
class Ground:
    """Where all of them search.

    Attributes:
        target: whose services are harmed.
        actions: with what.
        steps: steps a scenario at most.
    """

    target: Target
    actions: Mapping[str, Action]
    steps: int


@dataclass(frozen=True)
class ByChance(Ground):
    """Each step drawn at random, each plan for itself."""

    name: ClassVar[str] = "chance"

    def search(self, evaluate: Evaluate, seed: int, most: int) -> int | None:
        """Play one plan after the other."""
        plans = Plans(self.target, self.actions, self.steps, Random(seed))
        played = (evaluate(plans.fresh()).outcome for _ in range(most))
        return next((count for count, outcome in enumerate(played, 1) if outcome is Outcome.VIOLATED), None)


class _Over(KeyboardInterrupt):
    """The one clean way to end Hypothesis from inside."""


@dataclass(frozen=True)
class ByHypothesis(Ground):
    """What ``PlanMachine`` writes, as it comes; Hypothesis learns nothing from what is played."""

    name: ClassVar[str] = "Hypothesis"

    def search(self, evaluate: Evaluate, seed: int, most: int) -> int | None:
        """Play one plan after the other."""
        outcomes: list[Outcome] = []

        def play(plan: Scenario) -> None:
            outcomes.append(evaluate(plan).outcome)
            if outcomes[-1] is Outcome.VIOLATED or len(outcomes) == most:
                raise _Over

        with suppress(_Over):
            write_plans(
                self.target, self.actions, play, number=seed, steps=self.steps, plans=PLANS_A_PLAY * most
            )
        return len(outcomes) if outcomes[-1] is Outcome.VIOLATED else None


@dataclass(frozen=True)
class ByCorpus(Ground):
    """The children of plans that showed something rare."""

    name: ClassVar[str] = "corpus"

    def search(self, evaluate: Evaluate, seed: int, most: int) -> int | None:
        """Play what the corpus proposes, and let it learn."""
        corpus = Corpus(self.target, self.actions, steps=self.steps, random=Random(seed))
        for count in range(1, most + 1):
            plan = corpus.propose()
            played = evaluate(plan)
            if played.outcome is Outcome.VIOLATED:
                return count
            corpus.learn(plan, worth_of(played))
        return None


SEARCHERS: tuple[type[ByChance | ByHypothesis | ByCorpus], ...] = (ByChance, ByHypothesis, ByCorpus)
