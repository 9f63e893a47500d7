"""One search: scenarios until the budget is spent or a promise is broken, then make that small."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

from fuzzer.actions.base import Action
from fuzzer.actions.catalogue import ACTIONS
from fuzzer.events import (
    Events,
    Finding,
    FindingBegan,
    FindingMade,
    Played,
    RunBegan,
    RunEnded,
    Summary,
)
from fuzzer.halts import Halt, as_halt
from fuzzer.player import Player
from fuzzer.runtimes.able import CanBeginAnew, Modelled
from fuzzer.runtimes.base import Runtime
from fuzzer.search.corpus import Corpus
from fuzzer.search.findings import FindingStore
from fuzzer.search.foresight import Foresight
from fuzzer.search.hunts import Caught, ChoosyHunt, Hunt, ThoroughHunt
from fuzzer.search.involved import assumptions
from fuzzer.search.minimize import minimize
from fuzzer.search.novelty import Novelty
from fuzzer.search.replays import Replays
from fuzzer.search.trials import Enough, SearchOver, Trials
from invariants.base import Invariant
from models.errors import RequestError
from models.scenario import Scenario
from models.target import Target
from models.verdict import Violation

STEPS, STEPS_ANEW = 8, 30
"""Steps a scenario at most: where each costs seconds, and where fleets cost nothing."""


@dataclass(frozen=True)
class SearchOptions:
    """How long and how wide to search.

    Attributes:
        budget_s: seconds for the search; what is found is shrunk beyond it. None: no limit.
        examples: scenarios played at most; on a real fleet many more are written, and the best ones played.
        steps: steps a scenario at most; None for what suits the runtime.
        findings: different findings after which the search ends.
        shrink_s: seconds for making one finding small, beyond the budget.
        proof_s: seconds more for the proof that each step of it is needed.
        seed: makes Hypothesis write the same scenarios again.
        under_load: play only scenarios that send a load.
    """

    budget_s: float | None = 60.0
    examples: int = 10_000
    steps: int | None = None
    findings: int = 5
    shrink_s: float = 300.0
    proof_s: float = 150.0
    seed: int | None = None
    under_load: bool = False


class Campaign:
    """A search on one target and one runtime.

    Args:
        twin: plays scenarios in no time, as the fleet is believed to behave; None without one.
        telling: entered while the end is told; whoever has seen enough may end that.
        kept: a folder for whatever a later search may use.
        now: the time of budgets, seconds.
    """

    def __init__(
        self,
        target: Target,
        runtime: Runtime,
        player: Player,
        actions: Mapping[str, Action],
        invariants: Sequence[Invariant],
        store: FindingStore,
        events: Events,
        options: SearchOptions,
        *,
        kept: Path,
        twin: Player | None = None,
        now: Callable[[], float] = time.monotonic,
        telling: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        self._target = target
        self._runtime = runtime
        self._player = player
        self._actions = actions
        self._invariants = invariants
        self._store = store
        self._events = events
        self._options = options
        self._kept = kept
        self._twin = twin
        self._now = now
        self._telling = telling
        self._unfinished: Finding | None = None
        self._began_s = now()
        self._shrunk_by_s = 0.0
        self._ended = ""
        self._seed = random.SystemRandom().getrandbits(32) if options.seed is None else options.seed

    def run(self) -> Summary:
        """Search, shrink what is found, go on for something else, and sum up.

        Findings are on disk before this returns. A scenario counts as a new finding if its gravest
        violation was not seen in an earlier finding's minimal scenario. A run that is halted sums up, too:
        with all that was found until then, and with the halt.

        Raises:
            Interrupted: while it was summed up.
        """
        if self._options.under_load and not self._target.loads:
            raise RequestError(
                f"{self._target.name} names no load; expected x-knockon.loads in the compose file"
            )
        self._began_s = self._now()
        self._events.emit(
            RunBegan(self._target, self._runtime.name, self._options.budget_s, self._rests_on_models())
        )
        trials = self._trials()
        hunt = self._hunt(trials)
        findings: list[Finding] = []
        halt: Halt | None = None
        try:
            self._find(findings, trials, hunt)
        except KeyboardInterrupt as error:
            halt = as_halt(error)
            self._ended = str(halt)
            findings += self._left(halt, trials)
        with self._telling():
            summary = replace(self._summary(tuple(findings), trials), halt=halt)
            self._events.emit(RunEnded(summary))
        return summary

    def _find(self, findings: list[Finding], trials: Trials, hunt: Hunt) -> None:
        while caught := self._search(hunt, self._seed + len(findings)):
            finding = self._make_small(caught, trials)
            findings.append(finding)
            self._unfinished = None
            first = caught.first.violations[0]
            trials.known |= {v.signature for v in (first, finding.violation, *finding.also)}
            if len(findings) == self._options.findings:
                self._ended = f"{len(findings)} findings are enough"
                break

    def _left(self, halt: Halt, trials: Trials) -> Iterator[Finding]:
        """What was found and not made small, or seen in the scenario that was cut short; each is on disk."""
        if self._unfinished:
            yield self._unfinished
            trials.known.add(self._unfinished.violation.signature)
        for played in halt.played:
            if violation := trials.news(played):
                yield self._store.save(self._seen_once(played, violation))

    def _seen_once(self, played: Played, violation: Violation) -> Finding:
        also = tuple(v for v in played.violations if v is not violation)
        scenario, runtime = played.scenario, self._runtime.name
        return Finding(self._target, runtime, scenario, scenario, violation, also, reproduced=0, replays=0)

    def _rests_on_models(self) -> bool:
        return isinstance(self._runtime, Modelled)

    # Searching.

    def _trials(self) -> Trials:
        budget_s = self._options.budget_s
        until_s = None if budget_s is None else self._began_s + budget_s
        enough = Enough(until_s, budget_s, self._options.examples)
        return Trials(self._target, self._actions, self._player, self._invariants, self._now, enough)

    def _hunt(self, trials: Trials) -> Hunt:
        target, actions, options = self._target, self._actions, self._options
        if not isinstance(self._runtime, CanBeginAnew):
            novelty = Novelty(target, under_load=options.under_load)
            steps = options.steps or STEPS
            return ChoosyHunt(target, actions, trials, novelty, Foresight(self._twin), steps)
        steps = options.steps or STEPS_ANEW
        corpus = Corpus(target, actions, steps=steps, random=random.Random(self._seed))  # noqa: S311
        return ThoroughHunt(
            target, actions, trials, corpus, self._kept, steps, self._is_wanted, self._may_shrink
        )

    def _is_wanted(self, plan: Scenario) -> bool:
        if not self._options.under_load:
            return True
        return any(ACTIONS[step.action].sends(step, self._target) for step in plan)

    def _may_shrink(self) -> bool:
        if not self._shrunk_by_s:
            self._shrunk_by_s = self._now() + self._options.shrink_s
        return self._now() < self._shrunk_by_s

    def _search(self, hunt: Hunt, number: int) -> Caught | None:
        """Play new scenarios until one shows something new, or the search is over."""
        self._shrunk_by_s = 0.0
        self._ended = "Hypothesis found no more to try"
        try:
            return hunt.search(number)
        except SearchOver as over:
            self._ended = str(over)
        return None

    # Making it small.

    def _make_small(self, caught: Caught, trials: Trials) -> Finding:
        played, began_s = caught.least, self._now()
        violation = self._same(caught)
        first = Finding(self._target, self._runtime.name, caught.first.scenario, played.scenario, violation)
        seen = self._store.save(first)
        self._unfinished = replace(seen, reproduced=0, replays=0)
        self._events.emit(FindingBegan(caught.first, seen.saved))
        shrunk_by_s = began_s + self._options.shrink_s

        def may_go_on() -> bool:
            return self._now() < shrunk_by_s + (self._options.proof_s if replays.proving else 0.0)

        replays = Replays(trials.replay, violation.signature, may_go_on, untested_holds=True)
        try:
            small = minimize(played, violation, replays, self._twin)
        except KeyboardInterrupt:
            self._keep_smallest(seen, replays)
            raise
        shown = replays.watched(small.scenario) or replays.last_shown or played
        told = next(v for v in shown.violations if v.signature == violation.signature)
        finding = self._store.save(
            replace(
                seen,
                minimal=small.scenario,
                violation=told,
                also=tuple(v for v in shown.violations if v is not told),
                reproduced=small.reproduced,
                replays=small.replays,
                necessary=small.necessary,
                shrinking=small.shrinking,
                executions=replays.executions,
                seconds=self._now() - began_s,
                rests_on=assumptions(self._runtime, small.scenario, told, self._target),
            )
        )
        self._events.emit(FindingMade(finding))
        return finding

    def _keep_smallest(self, seen: Finding, replays: Replays) -> None:
        """As small as it is until now, where the run has to end."""
        if shown := replays.last_shown:
            told = next(v for v in shown.violations if v.signature == seen.violation.signature)
            shows, of = replays.counts(shown.scenario)
            smaller = replace(seen, minimal=shown.scenario, violation=told, reproduced=shows, replays=of)
            self._unfinished = self._store.save(smaller)

    def _same(self, caught: Caught) -> Violation:
        """What both scenarios showed, as the smaller one shows it."""
        signature = caught.first.violations[0].signature
        return next(v for v in caught.least.violations if v.signature == signature)

    # Summing up.

    def _summary(self, findings: tuple[Finding, ...], trials: Trials) -> Summary:
        tally = trials.tally
        return Summary(
            scenarios=tally.scenarios,
            executions=trials.executions,
            steps=tally.steps,
            touched=tally.touched,
            requests=(tally.sent, tally.good),
            latency=tally.latency,
            held=tally.held_by(invariant.name for invariant in self._invariants),
            inconclusive=tuple(tally.inconclusive),
            findings=findings,
            seconds=self._now() - self._began_s,
            ended=self._ended,
            gave_up=trials.gave_up,
            seed=self._seed,
            coverage=trials.coverage.so_far(),
        )
