"""What ``replay``, ``kill`` and ``random`` have in common: play, show what happened, say what next."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from fuzzer.cli.exit_codes import ExitCode, of_outcomes
from fuzzer.cli.inputs import Input, refuse_foreign
from fuzzer.cli.output import STYLES, Output, Progress
from fuzzer.config import RunConfig
from fuzzer.events import Played
from fuzzer.fleets import read_target
from fuzzer.halts import Halt
from fuzzer.reports.text import assumption_lines, seconds, untested_lines, violation_lines
from fuzzer.reports.timeline import timeline
from fuzzer.runtimes.able import Modelled
from fuzzer.search.involved import assumptions
from fuzzer.session import Session, open_session
from fuzzer.traffic import MakeTraffic
from invariants.catalogue import TO_CLIENTS
from models.verdict import Outcome


def play_all(
    config: RunConfig,
    inputs: Sequence[Input],
    *,
    times: int = 1,
    signature: str | None = None,
    fresh: bool = False,
) -> ExitCode:
    """Play scenarios one after the other, each ``times`` times; nothing starts if one makes no sense."""
    target = read_target(config)
    for given in inputs:
        refuse_foreign(given, target)
    with playing(config) as player:
        played = [one for given in inputs for one in player.play(given, times, signature, fresh)]
    return of_outcomes(one.outcome for one in played)


@contextmanager
def playing(config: RunConfig) -> Iterator[Player]:
    """A fleet that is up, and somebody who plays on it; at the end, how to see what was played as a page."""
    output = Output()
    with Progress("starting the fleet") as progress, open_session(config, progress) as session:
        progress.doing("waiting for a steady fleet")
        yield Player(session, output)
    if session.report:
        output.line(f"report:  {session.report}")


@dataclass(frozen=True)
class Player:
    """Plays scenarios in a session, and prints what it sees."""

    session: Session
    output: Output
    seen: list[Played] = field(default_factory=list)

    def play(
        self,
        given: Input,
        times: int = 1,
        signature: str | None = None,
        fresh: bool = False,
        make_traffic: MakeTraffic | None = None,
    ) -> list[Played]:
        """Play, print, and return what was played.

        ``signature`` is what counts as reproduced; without one the pin's, or whatever is seen first.
        """
        again = f"  ({times} times)" if times > 1 else ""
        self.output.line(f"playing: {given.scenario}{again}", "bold")
        known = signature or (given.pin.signature if given.pin else None)
        # A promise to clients is judged at the end: another one that breaks first must not end the play.
        stop_at = known if known and known.partition(":")[0] in TO_CLIENTS else None
        played = []
        for number in range(1, times + 1):
            try:
                one = self.session.runner.play(
                    given.scenario, "replay", fresh=fresh, stop_at=stop_at, make_traffic=make_traffic
                )
            except Halt as halt:
                self._cut_short(halt)
                raise
            played.append(one)
            self.seen.append(one)
            if times > 1:
                self._count(f"{number}/{times}", one)
        wanted = known or _first_signature(played)
        shown = [one for one in played if wanted and one.shows(wanted)]
        self.show((shown or played)[0])
        if times > 1 or signature:
            self._reproduced(wanted, played)
        if shown and make_traffic is None:  # a scenario does not hold an outside tool
            self._next(given)
        self.output.line()
        return played

    def _cut_short(self, halt: Halt) -> None:
        """Tell what was seen until then, unless that is not wanted either."""
        halt.played[:0] = self.seen
        with self.session.signals.telling():
            for one in halt.played[len(self.seen) :]:
                self.show(one)
                self.output.line()

    def show(self, played: Played) -> None:
        """The timeline, and the verdict."""
        line = self.output.line
        if played.history:
            line()
            for text in timeline(played.history):
                line(text)
        line()
        style = STYLES[played.outcome]
        match played.outcome:
            case Outcome.HOLDS:
                kept = ", ".join(v.invariant for v in played.verdicts if v.outcome is Outcome.HOLDS)
                modelled = ", modelled" if isinstance(self.session.runtime, Modelled) else ""
                line(f"HOLDS: {kept}  ({seconds(played.seconds)}{modelled})", style)
                for text in untested_lines(played.verdicts):
                    line(text)
            case Outcome.UNKNOWN:
                line(f"UNKNOWN: {played.reason}", style)
            case Outcome.VIOLATED:
                for violation in played.violations:
                    first, *rest = violation_lines(violation)
                    line(f"VIOLATED {first}", style)
                    for text in rest:
                        line(text)
                    session = self.session
                    rests_on = assumptions(session.runtime, played.scenario, violation, session.target)
                    for text in assumption_lines(rests_on):
                        line(text)

    def _count(self, number: str, played: Played) -> None:
        signatures = [violation.signature for violation in played.violations]
        more = f" and {len(signatures) - 3} more" if len(signatures) > 3 else ""
        what = played.reason or ", ".join(signatures[:3]) + more
        line = f"{number:>7}  {seconds(played.seconds):>5}  {played.outcome:8}  {what}"
        self.output.line(line.rstrip(), STYLES[played.outcome])

    def _reproduced(self, signature: str | None, played: Sequence[Played]) -> None:
        told = [one for one in played if one.outcome is not Outcome.UNKNOWN]
        count = sum(one.shows(signature) for one in told) if signature else 0
        silent = f"; {len(played) - len(told)} told nothing" if len(told) < len(played) else ""
        self.output.line()
        self.output.line(f"reproduced {signature or 'a violation'}: {count}/{len(told)}{silent}", "bold")

    def _next(self, given: Input) -> None:
        """How to keep it, if it is not kept already."""
        session = self.session
        pins = session.config.pins_folder(session.target).resolve()
        if given.path and given.path.resolve().parent == pins:
            return
        source = str(given.path) if given.pin else str(given.scenario)
        self.output.line()
        self.output.line(f"pin it:  knockon pin {shlex.quote(source)}{session.config.options()}")


def _first_signature(played: Sequence[Played]) -> str | None:
    """The gravest violation of the first play that had one."""
    return next((violation.signature for one in played for violation in one.violations), None)
