"""Plays scenarios, one after the other, each with no way back: gate, steps, heal, settle, judge.

    gate    steady state first: no chaos on a sick system
    steps   each: inject, see that it took effect, watch
    watch   so that a cascade has the time to show
    heal    lift every fault that lasts
    settle  wait until steady, or until nothing excuses anybody any more
    judge   every invariant over the history

The middle is ``performance.py``; this is what stands around it. The undo of everything that a scenario
will do is in the journal before it begins. A fleet that did not end steady is brought back before the
next scenario, or by ``leave_steady``, outside of any history; until then its undo stays there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import NoReturn, TypeVar

from fuzzer.actions.catalogue import ACTIONS
from fuzzer.events import EngineAwaited, Events, Played, ScenarioBegan, ScenarioEnded
from fuzzer.halts import Halt, as_halt
from fuzzer.loads.base import Loads
from fuzzer.performance import Performance
from fuzzer.recorder import Recorder
from fuzzer.restore import Restorer
from fuzzer.runtimes.able import CanBeAway
from fuzzer.runtimes.base import Runtime, Undo
from fuzzer.safety.breaker import Breaker
from fuzzer.scenarios import check_scenario, resolved, undos
from fuzzer.traffic import MakeTraffic, PassTime, Traffic
from invariants.base import Invariant
from models.errors import Inconclusive, Interference, RuntimeUnavailable, StepInvalid
from models.history import History
from models.scenario import Scenario
from models.some import service_of
from models.target import Target
from models.verdict import Outcome

T = TypeVar("T")

TIRED_AFTER = 2
"""Crashes of one service in a scenario, after which it is restarted before the next."""

AWAY_S = 20.0
"""How long an engine is waited for that went away: it takes 10 s to stop containers that do not listen."""


class Runner:
    """Plays scenarios on a runtime that is entered and watched.

    Args:
        target: what is fuzzed.
        runtime: where it runs.
        recorder: the sink that the runtime's watchers report to.
        invariants: the promises, the gravest first.
        events: who is told.
        loads: who sends requests.
        check: asked before each scenario; raises if none may begin.
        breaker: ends a run that does more harm than it tells; None where nobody suffers.
    """

    def __init__(
        self,
        target: Target,
        runtime: Runtime,
        recorder: Recorder,
        invariants: Sequence[Invariant],
        events: Events,
        loads: Loads,
        *,
        check: Callable[[], None] = lambda: None,
        breaker: Breaker | None = None,
    ) -> None:
        self._target = target
        self._runtime = runtime
        self._recorder = recorder
        self._invariants = invariants
        self._events = events
        self._clock = runtime.clock
        self._loads = loads
        self._check = check
        self._breaker = breaker
        self._restorer = Restorer(runtime, recorder, target)
        self._entries: list[str] = []
        self._unlifted: list[Undo] = []
        self._suspect = False
        self._touched = self._given_up = False
        self._tired: tuple[str, ...] = ()

    def play(
        self,
        scenario: Scenario,
        purpose: str = "replay",
        *,
        fresh: bool = False,
        stop_at: str | None = None,
        make_traffic: MakeTraffic | None = None,
    ) -> Played:
        """Play a scenario on a steady fleet, judge it, and lift every fault that lasts.

        Args:
            scenario: what to play.
            purpose: for the listeners.
            fresh: restart the whole fleet first, so that nothing is left of earlier scenarios.
            stop_at: a signature; once it shows, the rest does not matter and is not waited for.
            make_traffic: what goes on beside it; None for the loads of its own steps.

        Raises:
            ScenarioError: the scenario makes no sense here, or may not be played; nothing was touched.
            Halt: the run ends; what was harmed is healed, and what was seen is in ``played``.
        """
        scenario = resolved(scenario, self._target)
        check_scenario(scenario, self._target, self._runtime)
        began_s = self._clock.now()
        try:
            self._check()
            unsteady = self._patiently(self._renew if fresh else self._resume)
            if self._breaker:
                self._breaker.gate(unsteady)
            if unsteady:
                reason = f"the fleet is not steady before any fault: {unsteady}"
                return self._unplayed(scenario, purpose, reason)
            return self._play(scenario, purpose, began_s, stop_at, make_traffic)
        except Inconclusive as error:
            return self._unplayed(scenario, purpose, str(error))
        except KeyboardInterrupt as error:
            halt = as_halt(error)
            if halt.trouble is None:
                self.leave_lifted(halt)
            raise halt from None

    def leave_lifted(self, halt: Halt, failed: str = "") -> None:
        """Undo now whatever may still be in force, where the run has to end; the halt is told what is not."""
        if not self._suspect:
            return
        try:
            left = self._restorer.lift()
            self._lift_the_rest()
        except Inconclusive as error:
            left = str(error)
        halt.trouble = "; ".join(dict.fromkeys(filter(None, (halt.trouble, failed, left))))
        if not halt.trouble:
            with suppress(Inconclusive):  # an entry that stays does no harm: its undo is idempotent
                self._trusted("")

    def leave_steady(self) -> str:
        """Bring a fleet that did not end steady back, and forget its undos; "" or what is still not.

        One that was never touched is left as it is, however sick.

        Raises:
            RuntimeUnavailable: the engine or supervisor does not answer; the journal keeps the undos.
        """
        if not self._touched:
            return ""
        try:
            return self._patiently(self._restored)
        except RuntimeUnavailable as error:
            if isinstance(self._runtime, CanBeAway):
                error.args = (f"{error}. The fleet is not healed; once the engine is back: knockon heal",)
            raise

    # Before.

    def _patiently(self, do: Callable[[], T]) -> T:
        """Do something; if the engine went away, once more after it is back."""
        try:
            return do()
        except RuntimeUnavailable as error:
            if not isinstance(self._runtime, CanBeAway):
                raise
            if not self._given_up:
                self._events.emit(EngineAwaited(str(error), AWAY_S))
            self._given_up = not self._runtime.answers_within(0.0 if self._given_up else AWAY_S)
            if self._given_up:
                raise
        return do()

    def _restored(self) -> str:
        if not self._suspect:
            return ""
        self._lift_the_rest()
        self._write([Undo("start", self._target.faultable)])
        unsteady = self._restorer.restore()
        self._lift_the_rest()
        return self._trusted(unsteady)

    def _lift_the_rest(self) -> None:
        """What could not be undone when its scenario was broken off, the last fault first."""
        for undo in reversed(tuple(self._unlifted)):
            try:
                self._runtime.undo(undo)
            except StepInvalid:
                continue  # as things are now; once the fleet is up it may well be possible
            except Interference:
                pass  # what is not there any more, nobody has to undo
            self._unlifted.remove(undo)

    def _renew(self) -> str:
        self._suspect = self._touched = True
        self._lift_the_rest()
        self._write([Undo("start", self._target.faultable)])
        self._tired = ()
        unsteady = self._restorer.renew()
        self._lift_the_rest()
        return self._trusted(self._returned(unsteady))

    def _returned(self, unsteady: str) -> str:
        """Of a fleet that was started anew: one that is not steady even so is left alone from now on."""
        if unsteady and self._breaker:
            self._breaker.did_not_return(unsteady)
        return unsteady

    def _resume(self) -> str:
        unsteady = self._returned(self._restored())
        if not unsteady:
            self._restorer.calm(self._tired)
            self._tired = ()
            unsteady = self._restorer.wait_until_steady()
            self._suspect = bool(unsteady)
        return unsteady

    def _write(self, undos: Sequence[Undo]) -> None:
        self._entries.append(self._runtime.journal.write(undos))

    def _trusted(self, unsteady: str) -> str:
        """A fleet that is steady needs no undo any more."""
        if not unsteady and not self._unlifted:
            while self._entries:
                self._runtime.journal.remove(self._entries[-1])
                self._entries.pop()
            self._suspect = False
        return unsteady

    # The scenario.

    def _traffic(self, scenario: Scenario, pass_time: PassTime, history: Callable[[], History]) -> Traffic:
        return Traffic(scenario, self._target, self._runtime, self._recorder, self._loads, pass_time, history)

    def _play(
        self,
        scenario: Scenario,
        purpose: str,
        began_s: float,
        stop_at: str | None,
        make_traffic: MakeTraffic | None,
    ) -> Played:
        lifting = undos(scenario, self._target)
        if lifting:
            self._write(lifting)
        self._suspect = self._touched = True  # until the verdict says otherwise
        performance = Performance(
            scenario,
            self._target,
            self._runtime,
            self._recorder,
            self._invariants,
            self._events,
            make_traffic or self._traffic,
            stop_at,
            self._breaker,
        )
        try:
            self._events.emit(ScenarioBegan(scenario, purpose))
            played = replace(performance.play(), seconds=self._clock.now() - began_s)
            self._events.emit(ScenarioEnded(played, purpose))
        except KeyboardInterrupt as error:
            self._cut_short(as_halt(error), performance, purpose, began_s, lifting)
        except BaseException:
            # What cannot be undone now stays in the journal, for whoever comes next.
            self._unlifted += lifting
            with suppress(Inconclusive):
                self._lift_the_rest()
            raise
        finally:
            performance.end()
        self._tired = _crashed_often(played)
        if played.outcome is Outcome.HOLDS:
            self._trusted("")
        return played

    def _undo_all(self, undos: Sequence[Undo]) -> str:
        """The last one first; "" or what could not be undone, which stays in the journal."""
        failed = []
        for undo in reversed(undos):
            try:
                self._runtime.undo(undo)
            except Inconclusive as error:
                failed.append(f"{undo.verb} {' '.join(undo.targets)}: {error}")
        return "; ".join(failed)

    def _cut_short(
        self, halt: Halt, performance: Performance, purpose: str, began_s: float, lifting: Sequence[Undo]
    ) -> NoReturn:
        """End the run in the middle of a scenario, with what was seen of it."""
        try:
            played = performance.cut_short(halt.reason)
        finally:
            failed = self._undo_all(lifting)
            self.leave_lifted(halt, failed)
        played = replace(played, seconds=self._clock.now() - began_s)
        halt.played.append(played)
        self._events.emit(ScenarioEnded(played, purpose))
        raise halt from None

    def _unplayed(self, scenario: Scenario, purpose: str, reason: str) -> Played:
        self._suspect = True
        played = Played(scenario, Outcome.UNKNOWN, reason=reason, complete=False)
        self._events.emit(ScenarioEnded(played, purpose))
        return played


def _crashed_often(played: Played) -> tuple[str, ...]:
    """Services whose next restart by their policy would be slow."""
    steps = [done.step for done in played.history.steps] if played.history else []
    turns = [turn for step in steps for turn in ACTIONS[step.action].turns(step) or (step,)]
    crashed = Counter(service_of(name) for turn in turns if turn.action == "crash" for name in turn.targets)
    return tuple(service for service, count in crashed.items() if count >= TIRED_AFTER)
