"""One search: scenarios until the budget is spent or a promise is broken, then make that small."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from hypothesis import HealthCheck, Phase, Verbosity, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from fuzzer.actions.base import Action
from fuzzer.events import Events, Finding, FindingBegan, FindingMade, Played, RunBegan, RunEnded, Summary
from fuzzer.runner import Runner
from fuzzer.runtimes.base import Runtime
from fuzzer.search.findings import FindingStore
from fuzzer.search.machine import build_machine
from fuzzer.search.minimize import minimize
from fuzzer.search.novelty import Novelty
from fuzzer.search.replays import Replays
from fuzzer.search.tally import Tally
from invariants.base import Invariant
from models.errors import InvariantViolated, RequestError
from models.scenario import Scenario
from models.target import Target
from models.verdict import Outcome

INCONCLUSIVE_IN_A_ROW_MOST = 3
RETRIES_OF_UNKNOWN = 1
EXAMPLES_MOST = 10_000_000


class _SearchOver(KeyboardInterrupt):
    """The one clean way to end a Hypothesis run from inside."""


@dataclass(frozen=True)
class SearchOptions:
    """How long and how wide to search.

    Attributes:
        budget_s: seconds for the search; what is found is shrunk beyond it. None: no limit.
        examples: scenarios played at most; many more are written, and the most novel ones played.
        steps: steps a scenario at most.
        findings: different findings after which the search ends.
        shrink_s: seconds for making one finding small, beyond the budget.
        seed: makes Hypothesis write the same scenarios again.
        under_load: play only scenarios that send a load.
    """

    budget_s: float | None = 60.0
    examples: int = 10_000
    steps: int = 8
    findings: int = 5
    shrink_s: float = 300.0
    seed: int | None = None
    under_load: bool = False


class Campaign:
    """A search on one target and one runtime."""

    def __init__(
        self,
        target: Target,
        runtime: Runtime,
        runner: Runner,
        actions: Mapping[str, Action],
        invariants: Sequence[Invariant],
        store: FindingStore,
        events: Events,
        options: SearchOptions,
    ) -> None:
        self._target = target
        self._runtime = runtime
        self._runner = runner
        self._actions = actions
        self._errors = {invariant.name: invariant.error for invariant in invariants}
        self._promises = tuple(invariant.name for invariant in invariants)
        self._store = store
        self._events = events
        self._options = options
        self._clock = runtime.clock
        self._began_s = self._clock.now()
        self._plans: dict[Scenario, Scenario | None] = {}
        self._memo: dict[Scenario, Played] = {}
        self._executions = 0
        self._tally = Tally()
        self._novelty = Novelty(target, under_load=options.under_load)
        self._inconclusive_in_a_row = 0
        self._known: set[str] = set()
        self._failed: Played | None = None
        self._ended = ""
        self._gave_up = False
        self._seed = random.SystemRandom().getrandbits(32) if options.seed is None else options.seed

    def run(self) -> Summary:
        """Search, shrink what is found, go on for something else, and sum up.

        Findings are on disk before this returns. A scenario counts as a new finding if its gravest
        violation was not seen in an earlier finding's minimal scenario.
        """
        if self._options.under_load and not self._target.loads:
            raise RequestError(
                f"{self._target.name} names no load; expected x-knockon.loads in the compose file"
            )
        self._began_s = self._clock.now()
        self._events.emit(RunBegan(self._target, self._runtime.name, self._options.budget_s))
        findings: list[Finding] = []
        while failed := self._search(self._seed + len(findings)):
            finding = self._make_small(failed)
            findings.append(finding)
            self._known |= {v.signature for v in (failed.violations[0], finding.violation, *finding.also)}
            if len(findings) == self._options.findings:
                self._ended = f"{len(findings)} findings are enough"
                break
        summary = self._summary(tuple(findings))
        self._events.emit(RunEnded(summary))
        return summary

    # Searching.

    def _search(self, number: int) -> Played | None:
        """Play new scenarios until one shows something new, or the search is over."""
        machine = seed(number)(build_machine(self._target, self._actions, self._evaluate))
        self._failed = None
        self._ended = "Hypothesis found no more to try"
        try:
            self._stop_if_over()
            run_state_machine_as_test(machine, settings=self._settings())
        except InvariantViolated:
            return self._failed
        except _SearchOver as over:
            self._ended = str(over)
        return None

    def _settings(self) -> settings:
        return settings(
            max_examples=EXAMPLES_MOST,  # plans written; `examples` counts those that are played
            stateful_step_count=self._options.steps,
            phases=[Phase.generate],
            database=None,
            deadline=None,
            derandomize=False,
            print_blob=False,
            verbosity=Verbosity.quiet,  # it would print its own reproduction, of a plan
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
        )

    def _evaluate(self, plan: Scenario) -> None:
        """What the machine calls with a complete plan.

        Only every handful of plans is something played, and not all of a plan: what was played is
        remembered for the plan, so that Hypothesis sees the same whenever it asks again.
        """
        if plan not in self._plans:
            self._stop_if_over()
            self._plans[plan] = picked = self._novelty.pick(plan)
            if picked is not None and picked not in self._memo:
                self._memo[picked] = self._play_until_told(picked)
        played = self._memo.get(self._plans[plan] or plan)
        if (
            played
            and played.outcome is Outcome.VIOLATED
            and played.violations[0].signature not in self._known
        ):
            self._failed = self._failed or played
            violation = played.violations[0]
            raise self._errors[violation.invariant](violation.summary)

    def _stop_if_over(self) -> None:
        if len(self._memo) >= self._options.examples:
            raise _SearchOver(f"all {self._options.examples} examples were tried")
        budget_s = self._options.budget_s
        if budget_s is not None and self._clock.now() - self._began_s >= budget_s:
            raise _SearchOver(f"the budget of {budget_s:g} s is spent")
        if self._inconclusive_in_a_row >= INCONCLUSIVE_IN_A_ROW_MOST:
            self._gave_up = True
            raise _SearchOver(f"{INCONCLUSIVE_IN_A_ROW_MOST} scenarios in a row told nothing")

    def _play_until_told(self, scenario: Scenario) -> Played:
        """Play; an UNKNOWN is tried again on a renewed fleet before it counts."""
        for attempt in range(1 + RETRIES_OF_UNKNOWN):
            self._executions += 1
            played = self._runner.play(scenario, "search", fresh=attempt > 0)
            if played.outcome is not Outcome.UNKNOWN:
                break
        told = played.outcome is not Outcome.UNKNOWN
        self._inconclusive_in_a_row = 0 if told else self._inconclusive_in_a_row + 1
        self._novelty.played(scenario)
        self._tally.add(played)
        # Histories are large; only that of a violation is still needed.
        return played if played.outcome is Outcome.VIOLATED else replace(played, history=None)

    # Making it small.

    def _make_small(self, played: Played) -> Finding:
        violation = played.violations[0]
        began_s = self._clock.now()
        seen = self._store.save(
            Finding(self._target, self._runtime.name, played.scenario, played.scenario, violation)
        )
        self._events.emit(FindingBegan(played, seen.saved))
        until_s = began_s + self._options.shrink_s
        replays = Replays(
            self._replay, violation.signature, lambda: self._clock.now() < until_s, untested_holds=True
        )
        small = minimize(played, violation, replays)
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
                seconds=self._clock.now() - began_s,
            )
        )
        self._events.emit(FindingMade(finding))
        return finding

    def _replay(self, scenario: Scenario, stop_at: str | None) -> Played:
        self._executions += 1
        return self._runner.play(scenario, "shrink", fresh=True, stop_at=stop_at)

    # Summing up.

    def _summary(self, findings: tuple[Finding, ...]) -> Summary:
        tally = self._tally
        return Summary(
            scenarios=tally.scenarios,
            executions=self._executions,
            steps=tally.steps,
            touched=tally.touched,
            requests=(tally.sent, tally.good),
            latency=tally.latency,
            held=tally.held_by(self._promises),
            inconclusive=tuple(tally.inconclusive),
            findings=findings,
            seconds=self._clock.now() - self._began_s,
            ended=self._ended,
            gave_up=self._gave_up,
            seed=self._seed,
        )
