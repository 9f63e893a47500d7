"""Plays one scenario, with no way back: gate, steps, heal, settle, judge.

    gate    steady state first: no chaos on a sick system
    steps   each: inject, see that it took effect, watch
    watch   so that a cascade has the time to show
    heal    lift every fault that lasts
    settle  wait until steady, or until nothing excuses anybody any more
    judge   every invariant over the history

Once a violation was seen the rest of the steps is not played: the watch goes on for ``observe_s``,
so that the whole cascade is in the history, and then the fleet is healed and judged. A fleet that
did not end steady is brought back before the next scenario, or by ``leave_steady``, outside of any
history; until then its undo stays in the journal.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace

from fuzzer.actions.base import Stage
from fuzzer.actions.catalogue import ACTIONS, check_scenario
from fuzzer.events import Events, Played, ScenarioBegan, ScenarioEnded, StepBegan
from fuzzer.judge import judge, outcome, violations
from fuzzer.loads.running import RunningLoads
from fuzzer.recorder import Recorder
from fuzzer.restore import Restorer
from fuzzer.runtimes.base import ProcessState, Runtime, Undo
from invariants.base import Invariant
from models.errors import Inconclusive, Interference, StepInvalid
from models.expected import Effect, Expected
from models.history import PlayedStep, StepState
from models.scenario import Scenario
from models.target import Target
from models.verdict import Outcome

TIRED_AFTER = 2
"""Crashes of one service in a scenario, after which it is restarted before the next."""

SLICE_S = 0.1
"""How often the history is judged while time passes."""


class _SeenEnough(Exception):
    """A violation was seen, and its consequences had their time to show."""


class Runner:
    """Plays scenarios on a runtime that is entered and watched.

    Args:
        target: what is fuzzed.
        runtime: where it runs.
        recorder: the sink that the runtime's watchers report to.
        invariants: the promises, the gravest first.
        events: who is told.
    """

    def __init__(
        self,
        target: Target,
        runtime: Runtime,
        recorder: Recorder,
        invariants: Sequence[Invariant],
        events: Events,
    ) -> None:
        self._target = target
        self._runtime = runtime
        self._recorder = recorder
        self._invariants = invariants
        self._events = events
        self._clock = runtime.clock
        self._loads = RunningLoads(recorder.saw_request, self._clock.now)
        self._restorer = Restorer(runtime, recorder, target)
        self._expected = Expected(target.topology, target.limits.recovery_s_max)
        self._outstanding: list[Undo] = []
        self._violated_s: float | None = None
        self._judged_s = 0.0
        self._healed = False
        self._lifted = False
        self._suspect = False
        self._stop_at: str | None = None
        self._entries: list[str] = []

    def play(
        self, scenario: Scenario, purpose: str = "replay", *, fresh: bool = False, stop_at: str | None = None
    ) -> Played:
        """Play a scenario on a steady fleet, judge it, and lift every fault that lasts.

        Args:
            scenario: what to play.
            purpose: for the listeners.
            fresh: restart the whole fleet first, so that nothing is left of earlier scenarios.
            stop_at: a signature; once it shows, the rest does not matter and is not waited for.

        Raises:
            ScenarioError: the scenario makes no sense here; nothing was touched.
        """
        check_scenario(scenario, self._target, self._runtime)
        began_s = self._clock.now()
        self._stop_at = stop_at
        try:
            if fresh:
                self._restorer.renew()
                self._forget_journal()
            else:
                self.leave_steady()
            self._restorer.calm(self._tired())
            unsteady = self._restorer.wait_until_steady()
            if unsteady:
                reason = f"the fleet is not steady before any fault: {unsteady}"
                return self._unplayed(scenario, purpose, reason)
            return self._play(scenario, purpose, began_s)
        except Inconclusive as error:
            return self._unplayed(scenario, purpose, str(error))

    def _tired(self) -> list[str]:
        """Services that the last scenario crashed often enough for their next restart to be slow."""
        crashed = Counter(harm.service for harm in self._expected.harms if harm.effect is Effect.RETURNING)
        return [service for service, count in crashed.items() if count >= TIRED_AFTER]

    def leave_steady(self) -> None:
        """Bring a fleet that did not end steady back, and forget its undos.

        Raises:
            RuntimeUnavailable: the engine or supervisor does not answer; the journal keeps the undos.
        """
        if self._suspect:
            self._restorer.restore()
        self._forget_journal()

    def _forget_journal(self) -> None:
        while self._entries:
            self._runtime.journal.remove(self._entries[-1])
            self._entries.pop()
        self._suspect = False

    def _unplayed(self, scenario: Scenario, purpose: str, reason: str) -> Played:
        self._suspect = True
        played = Played(scenario, Outcome.UNKNOWN, reason=reason)
        self._events.emit(ScenarioEnded(played, purpose))
        return played

    def _play(self, scenario: Scenario, purpose: str, began_s: float) -> Played:
        """The corridor, from the journal's entry to its removal."""
        undos = [undo for step in scenario for undo in ACTIONS[step.action].undo(step)]
        if undos:
            self._entries.append(self._runtime.journal.write(undos))
        self._suspect = True  # until the verdict says otherwise
        try:
            self._events.emit(ScenarioBegan(scenario, purpose))
            played = replace(self._record(scenario), seconds=self._clock.now() - began_s)
            self._suspect = played.outcome is not Outcome.HOLDS
            self._events.emit(ScenarioEnded(played, purpose))
        except BaseException:
            # What cannot be undone now stays in the journal, for whoever comes next.
            with suppress(Inconclusive):
                for undo in reversed(undos):
                    self._runtime.undo(undo)
                self._forget_journal()
            raise
        finally:
            self._loads.stop()
        if not self._suspect:
            self._forget_journal()
        return played

    def _record(self, scenario: Scenario) -> Played:
        self._expected = Expected(
            self._target.topology, self._target.limits.recovery_s_max, self._clock.now()
        )
        self._outstanding, self._violated_s = [], None
        self._healed = self._lifted = False
        self._recorder.begin(scenario, self._clock.now())
        doubt = ""
        try:
            self._play_steps(scenario)
            self._watch_consequences()
            self._heal()
            self._settle()
        except _SeenEnough:
            self._heal()
        except (StepInvalid, Interference) as error:
            doubt = str(error)
            self._heal()
        return self._judged(scenario, doubt)

    def _play_steps(self, scenario: Scenario) -> None:
        stage = Stage(self._target, self._runtime, self._recorder, self._loads, self._pass_time, self._lift)
        for step in scenario:
            self._events.emit(StepBegan(step))
            action, began_s = ACTIONS[step.action], self._clock.now()
            self._expected = action.begin(step, self._expected.at(began_s))
            if action.harmful:
                self._outstanding.extend(action.undo(step) if self._lasts(step.targets) else ())
            state, reason = StepState.DONE, ""
            try:
                action.inject(step, stage)
            except StepInvalid as error:
                state, reason = StepState.INVALID, str(error)
                raise
            finally:
                ended_s = self._clock.now()
                self._expected = action.end(step, self._expected.at(ended_s))
                self._recorder.played(PlayedStep(step, began_s, ended_s, state, reason))
            self._stop_if_seen_enough()

    def _lasts(self, services: Iterable[str]) -> bool:
        return any(name in self._expected.lasting() for name in services)

    def _watch_consequences(self) -> None:
        """Until ``observe_s`` after the last harm, and until the loads are over."""
        last_harm_s = max((harm.since_s for harm in self._expected.harms), default=self._expected.now_s)
        until_s = max(last_harm_s + self._target.limits.observe_s, self._loads.ends_s)
        self._pass_time(until_s - self._clock.now())

    def _settle(self) -> None:
        """Wait until steady, or until every excuse is over and the last probes are in."""
        limits = self._target.limits
        began_s = self._clock.now()
        # Old answers say nothing about what was lifted just now; if nothing was, they are still good.
        since_s = began_s if self._lifted else began_s - limits.steady_s
        ends = [harm.excused_until_s(limits.recovery_s_max) for harm in self._expected.harms]
        patience_s = limits.steady_s + 3 * limits.health_timeout_s + 1.0
        until_s = max([began_s, *ends]) + patience_s
        while self._recorder.unsteady(self._clock.now(), since_s):
            if self._clock.now() > until_s:
                self._recorder.settled(steady=False)
                return
            self._pass_time(0.02)
        self._recorder.settled(steady=True)

    def _heal(self) -> None:
        """Lift every fault that lasts; once, however the scenario ended."""
        if not self._healed:
            self._healed = True
            self._lifted = bool(self._outstanding)
            self._lift(None)
            self._recorder.healed(self._clock.now())

    def _pass_time(self, seconds: float) -> None:
        until_s = self._clock.now() + seconds
        while (left_s := until_s - self._clock.now()) > 0:
            self._clock.sleep(min(SLICE_S, left_s))
            self._stop_if_seen_enough()

    def _stop_if_seen_enough(self) -> None:
        now_s = self._clock.now()
        if now_s - self._judged_s < SLICE_S:
            return
        self._judged_s = now_s
        if self._violated_s is None:
            history = self._recorder.snapshot(self._expected.at(now_s), now_s)
            seen = violations(judge(self._invariants, history, self._target))
            if any(violation.signature == self._stop_at for violation in seen):
                raise _SeenEnough
            if seen and self._stop_at is None:
                self._violated_s = now_s
        elif now_s - self._violated_s > self._target.limits.observe_s:
            raise _SeenEnough

    def _lift(self, services: tuple[str, ...] | None) -> None:
        """Undo, the last fault first, whatever still lasts on these services (None: on all)."""
        kept = []
        for undo in reversed(self._outstanding):
            wanted = tuple(name for name in undo.services if services is None or name in services)
            if wanted:
                self._runtime.undo(Undo(undo.verb, wanted))
                for name in wanted:
                    self._until_running(name)
            rest = tuple(name for name in undo.services if name not in wanted)
            if rest:
                kept.append(Undo(undo.verb, rest))
        self._outstanding = kept[::-1]
        relieved = self._expected.at(self._clock.now())
        self._expected = relieved.all_relieved() if services is None else relieved.relieved(services)

    def _until_running(self, service: str) -> None:
        """A start counts as done once the runtime has seen it, so that no law sees it half done."""
        deadline_s = self._clock.now() + 5.0
        while self._runtime.status(service).state is not ProcessState.RUNNING:
            if self._clock.now() > deadline_s:
                return  # it does not run: that is for the laws to judge
            self._clock.sleep(0.005)

    def _judged(self, scenario: Scenario, doubt: str) -> Played:
        now_s = self._clock.now()
        history = self._recorder.snapshot(self._expected.at(now_s), now_s)
        if history.interference:
            reason = f"somebody else changed the fleet: {history.interference[0]}"
            return Played(scenario, Outcome.UNKNOWN, reason=reason, history=history)
        verdicts = judge(self._invariants, history, self._target)
        result, reason = outcome(verdicts, doubt)
        return Played(scenario, result, verdicts, violations(verdicts), reason, history=history)
