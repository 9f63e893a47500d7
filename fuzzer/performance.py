"""One scenario on stage: its steps, the watch, healing, settling, judging. Made anew for each play."""

from __future__ import annotations

from collections.abc import Sequence

from fuzzer.actions.base import Stage
from fuzzer.actions.catalogue import ACTIONS
from fuzzer.events import Events, Played, StepBegan
from fuzzer.halts import Stopped
from fuzzer.judge import judge, outcome, unite, unseen, violations
from fuzzer.recorder import Recorder
from fuzzer.restore import until_running
from fuzzer.roles import aimed
from fuzzer.runtimes.base import Runtime, Undo, only
from fuzzer.safety.breaker import Breaker
from fuzzer.traffic import MakeTraffic
from invariants.base import Invariant
from models.errors import Inconclusive, Interference, StepInvalid
from models.expected import Expected
from models.history import History, PlayedStep, StepState
from models.scenario import Scenario
from models.some import service_of
from models.step import Step
from models.target import Target
from models.verdict import Outcome, Verdict

SLICE_S = 0.1
"""How often the history is judged while time passes."""


class _SeenEnough(Exception):
    """A violation was seen, and its consequences had their time to show."""


class Performance:
    """Plays one scenario.

    Args:
        stop_at: a signature; once it shows, the rest does not matter. Without one, the first violation
            of any kind ends the steps, and the watch goes on for ``observe_s``.
        breaker: ends the run when somebody suffers who is protected.
    """

    def __init__(
        self,
        scenario: Scenario,
        target: Target,
        runtime: Runtime,
        recorder: Recorder,
        invariants: Sequence[Invariant],
        events: Events,
        make_traffic: MakeTraffic,
        stop_at: str | None,
        breaker: Breaker | None = None,
    ) -> None:
        self._scenario = scenario
        self._target = target
        self._runtime = runtime
        self._recorder = recorder
        self._invariants = invariants
        self._events = events
        self._traffic = make_traffic(scenario, self._pass_time, self._history)
        self._stop_at = stop_at
        self._breaker = breaker
        self._clock = runtime.clock
        self._stage = Stage(
            target,
            runtime,
            recorder,
            self._traffic.send,
            self._pass_time,
            self._lift,
            self._play_turn,
            lambda service: self._before.is_hampered(service),
        )
        self._expected = Expected(target.topology, target.limits.recovery_s_max, self._clock.now())
        self._before = self._expected
        self._outstanding: list[Undo] = []
        self._recording = self._lifted = self._healed = False
        self._began_s = self._last_fault_s = self._clock.now()
        self._judged_s = 0.0
        self._judged_news = -1
        self._seen: tuple[Verdict, ...] = ()
        self._violated_s: float | None = None

    def play(self) -> Played:
        """From the first step to the verdict; every fault that lasts is lifted.

        Raises:
            RuntimeUnavailable: the engine or supervisor does not answer.
        """
        self._recorder.begin(self._scenario, self._clock.now())
        self._recording = True
        doubt, complete = "", False
        try:
            self._traffic.before()
            self._begin()
            self._play_steps()
            self._watch_consequences()
            self._heal()
            self._traffic.after(self._settle())
            self._recorder.whole()
            complete = self._violated_s is None
        except _SeenEnough:
            self._heal()
        except (StepInvalid, Interference) as error:
            doubt = str(error)
            self._heal()
        self.end()
        return self._judged(doubt, complete)

    def cut_short(self, reason: str) -> Played:
        """What was seen until now, where the run has to end.

        What was broken at the last look is; nothing is judged anew, for a step may be half done.
        """
        if not self._recording:
            return Played(self._scenario, Outcome.UNKNOWN, reason=reason, complete=False)
        history = self._history()
        seen = () if history.interference else self._seen
        result = Outcome.VIOLATED if violations(seen) else Outcome.UNKNOWN
        reason = "" if violations(seen) else reason
        return Played(self._scenario, result, seen, violations(seen), reason, complete=False, history=history)

    def end(self) -> None:
        """Send nothing more; what an interruption leaves to do, once the faults are undone. Idempotent."""
        self._traffic.end()

    # The steps.

    def _begin(self) -> None:
        self._last_fault_s = now_s = self._clock.now()
        self._recorder.first_step(now_s)

    def _play_steps(self) -> None:
        for step in self._scenario:
            if self._violated_s is None:
                self._events.emit(StepBegan(step))
                self._play_step(step)
                self._look()

    def _play_step(self, step: Step) -> None:
        began_s = self._clock.now()
        state, reason = StepState.DONE, ""
        try:
            step = aimed(step, self._stage, self._expected.at(began_s))
            ACTIONS[step.action].ready(step, self._stage)
            began_s = self._clock.now()
            self._begun(step, began_s)
            ACTIONS[step.action].inject(step, self._stage)
        except StepInvalid as error:
            state, reason = StepState.INVALID, str(error)
            raise
        finally:
            ended_s = self._clock.now()
            self._ended(step, ended_s, done=state is StepState.DONE)
            self._recorder.played(PlayedStep(step, began_s, ended_s, state, reason))

    def _play_turn(self, turn: Step) -> None:
        """Play what is part of a step: its harm is its own, but what is recorded is the whole.

        After a violation the rest is not played.
        """
        action, done = ACTIONS[turn.action], False
        if self._violated_s is not None:
            return
        action.ready(turn, self._stage)
        try:
            self._begun(turn, self._clock.now())
            action.inject(turn, self._stage)
            done = True
        finally:
            self._ended(turn, self._clock.now(), done=done)
        self._look()

    def _begun(self, step: Step, now_s: float) -> None:
        """From now on its harm is expected, and has to be lifted if it lasts; of turns, when each begins."""
        action = ACTIONS[step.action]
        if action.turns(step):
            return
        self._before = self._expected.at(now_s)
        self._expected = action.begin(step, self._before)
        lasting = self._expected.lasting()
        if action.harmful and any(service_of(name) in lasting for name in step.targets):
            self._outstanding.extend(action.undo(step))

    def _ended(self, step: Step, now_s: float, *, done: bool) -> None:
        action = ACTIONS[step.action]
        if not action.turns(step):
            self._expected = action.end(step, self._expected.at(now_s))
        if action.harmful:
            self._last_fault_s = now_s
        if done:
            self._outstanding = only(self._outstanding, self._expected.lasting())

    # Watching.

    def _watch_consequences(self) -> None:
        """Until ``observe_s`` after the last fault or the first violation, and until the loads are over."""
        observe_s = self._target.limits.observe_s
        moments = [self._last_fault_s + observe_s, self._traffic.ends_s]
        if self._violated_s is not None:
            moments.append(self._violated_s + observe_s + 2 * SLICE_S)
        self._pass_time(max(moments) - self._clock.now())

    def _settle(self) -> float:
        """Wait until steady, or until every excuse is over and the last probes are in.

        Returns:
            When the last excuse is over.
        """
        limits = self._target.limits
        began_s = self._clock.now()
        # Old answers say nothing about what was lifted just now; if nothing was, they are still good.
        since_s = began_s if self._lifted else began_s - limits.steady_s
        ends = [harm.excused_until_s(limits.recovery_s_max) for harm in self._expected.harms]
        patience_s = limits.steady_s + 3 * limits.health_timeout_s + 1.0
        excused_until_s = max([began_s, *ends])
        while self._recorder.unsteady(self._clock.now(), since_s):
            if self._clock.now() > excused_until_s + patience_s:
                self._recorder.settled(self._clock.now(), steady=False)
                return excused_until_s
            self._pass_time(0.02)
        self._recorder.settled(self._clock.now(), steady=True)
        return excused_until_s

    def _pass_time(self, seconds: float) -> None:
        until_s = self._clock.now() + seconds
        while (left_s := until_s - self._clock.now()) > 0:
            self._clock.sleep(min(SLICE_S, left_s))
            if self._clock.now() - self._judged_s >= SLICE_S:
                self._look()

    def _look(self) -> None:
        """Judge the history so far; what is broken now stays broken, whatever comes later.

        Raises:
            _SeenEnough: nothing more needs to be seen.
            Stopped: somebody suffers who is protected.
            Interference: somebody else changed the fleet, so nothing that follows would prove anything.
        """
        if self._recorder.interfered:
            raise Interference("somebody else changed the fleet")
        self._judged_s = now_s = self._clock.now()
        self._spare_protected(now_s)
        if self._violated_s is not None and now_s - self._violated_s > self._target.limits.observe_s:
            raise _SeenEnough
        if self._recorder.news == self._judged_news and self._is_excused(now_s):
            return  # nothing that could change a verdict
        self._judged_news = self._recorder.news
        self._judge()
        found = violations(self._seen)
        if any(violation.signature == self._stop_at for violation in found):
            raise _SeenEnough
        if found and self._stop_at is None and self._violated_s is None:
            self._violated_s = now_s

    def _spare_protected(self, now_s: float) -> None:
        if self._breaker:
            try:
                self._breaker.look(self._recorder, self._expected.at(now_s), self._began_s)
            except Stopped:
                self._judge()
                raise

    def _judge(self) -> None:
        self._seen = unite(self._seen, judge(self._invariants, self._history(), self._target))

    def _is_excused(self, now_s: float) -> bool:
        """Whether a fault excuses whoever is unhealthy now, so that only its end can accuse anybody."""
        return all(
            any(since_s <= now_s <= until_s for since_s, until_s in self._expected.excuses(service))
            for service in self._recorder.unhealthy
        )

    # Healing.

    def _heal(self) -> None:
        """Lift every fault that lasts; once, however the scenario ended."""
        if self._healed:
            return
        self._lifted = bool(self._outstanding)
        if self._lifted:
            self._judge()
        self._lift(None)
        self._recorder.healed(self._clock.now())
        self._healed = True

    def _lift(self, services: tuple[str, ...] | None) -> None:
        """Undo, the last fault first, whatever still lasts on these services (None: on all).

        One that fails keeps none of the others from being undone; its error is raised at the end.
        """
        failed: Inconclusive | None = None
        for undo in reversed(only(self._outstanding, services)):
            began_s = self._clock.now()
            try:
                self._runtime.undo(undo)
                for name in undo.targets:
                    until_running(self._runtime, name)
                now = self._expected.at(self._clock.now())
                self._expected = now.relieved(undo.targets, since_s=began_s)
            except Inconclusive as error:
                failed = failed or error
        self._outstanding = only(self._outstanding, self._expected.lasting())
        if failed:
            raise failed

    # Judging.

    def _history(self) -> History:
        now_s = self._clock.now()
        return self._recorder.snapshot(self._expected.at(now_s), now_s)

    def _judged(self, doubt: str, complete: bool) -> Played:
        history = self._history()
        if history.interference:
            reason = f"somebody else changed the fleet: {history.interference[0]}"
            return Played(self._scenario, Outcome.UNKNOWN, reason=reason, complete=False, history=history)
        verdicts = unite(self._seen, judge(self._invariants, history, self._target))
        result, reason = outcome(verdicts, doubt or unseen(history))
        found = violations(verdicts)
        return Played(self._scenario, result, verdicts, found, reason or doubt, complete, history=history)
