"""What becomes of pins: kept, turned into guards, opened again. ``pin.py`` is the door to it."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from fuzzer.cli.inputs import Input
from fuzzer.cli.output import Output
from fuzzer.cli.playing import Player, playing
from fuzzer.config import RunConfig
from fuzzer.events import Finding, Played
from fuzzer.pins import Pin, PinStatus, free_path, pin_files, read_pin
from fuzzer.reports.text import violation_lines
from fuzzer.search.replays import Replays
from invariants.catalogue import INVARIANTS
from models.errors import Inconclusive, PinError, RequestError
from models.scenario import Scenario
from models.target import Target
from models.verdict import Outcome


class Keeper:
    """Writes pins of one target.

    Args:
        config: leads to the fleet, where something has to be played.
        target: what the pins are for.
        folder: where they go.
        name: of the file; None: after what the pin breaks.
    """

    def __init__(self, config: RunConfig, target: Target, folder: Path, name: str | None) -> None:
        self._config = config
        self._target = target
        self._folder = folder
        self._name = name
        self._output = Output()

    def keep(self, inputs: Sequence[Input]) -> None:
        """Pin findings as they are, and scenarios after playing them.

        Raises:
            RequestError: a scenario breaks nothing, or the file's name is taken.
            Inconclusive: nothing can be said about a scenario.
        """
        for given in inputs:
            if given.pin:
                self._tell(given.pin, self._write(given.pin))
        scenarios = [given.scenario for given in inputs if not given.pin]
        if scenarios:
            with playing(self._config) as player:
                played = [self._play(player, scenario) for scenario in scenarios]
            for one in played:
                pin = self._pin_of(one)
                self._tell(pin, self._write(pin))

    def guard(self, wanted: Sequence[tuple[Pin, Path | None]], *, force: bool) -> list[Outcome]:
        """Turn pins into guards if they hold; a pin without a path is written as a new one."""
        if force:
            for pin, path in wanted:
                self._guarded(pin, path)
            return [Outcome.HOLDS]
        with playing(self._config) as player:
            return [self._guard_if_it_holds(player, pin, path) for pin, path in wanted]

    def reopen(self, wanted: Sequence[tuple[Pin, Path | None]]) -> None:
        """Turn guards into open pins."""
        for pin, path in wanted:
            if path:
                pin.become(PinStatus.OPEN).write(path)
                self._output.line(f"open again: {shown(path)}")

    def guard_of(self, scenario: Scenario, signature: str) -> Pin:
        """A pin that was never broken: this scenario must not show that signature.

        Raises:
            RequestError: there is no such invariant or service.
        """
        invariant, _, service = signature.partition(":")
        names = [one.name for one in INVARIANTS]
        if invariant not in names or service not in self._target.services:
            raise RequestError(
                f"--signature {signature!r}: expected INVARIANT:SERVICE, of {', '.join(names)} and "
                f"{', '.join(self._target.services)}"
            )
        return Pin(
            scenario=str(scenario),
            steps=scenario,
            invariant=invariant,
            signature=signature,
            reproduced=0,
            replays=0,
            runtime=self._config.runtime_name,
            target=self._target.name,
            target_digest=self._target.digest,
        )

    def _play(self, player: Player, scenario: Scenario) -> Played:
        player.output.line(f"playing: {scenario}", "bold")
        played = player.session.runner.play(scenario, fresh=True)
        player.show(played)
        player.output.line()
        return played

    def _pin_of(self, played: Played) -> Pin:
        if played.outcome is Outcome.HOLDS:
            raise RequestError(
                "it held; nothing to pin. To keep it as a test all the same, say what must never show: "
                f"knockon pin --guard --signature INVARIANT:SERVICE {shlex.quote(str(played.scenario))}"
            )
        if played.outcome is Outcome.UNKNOWN:
            raise Inconclusive(f"nothing can be said, so nothing was pinned: {played.reason}")
        scenario, gravest = played.scenario, played.violations[0]
        return Pin.of(Finding(self._target, self._config.runtime_name, scenario, scenario, gravest))

    def _guard_if_it_holds(self, player: Player, pin: Pin, path: Path | None) -> Outcome:
        line = player.output.line
        line(f"playing: {pin.steps}  ({pin.signature} must not show)", "bold")

        def play(scenario: Scenario, _: str | None) -> Played:
            played = player.session.runner.play(scenario, "guard", fresh=True)
            line(f"  {'shown' if played.shows(pin.signature) else played.outcome}  {played.reason}".rstrip())
            return played

        replays = Replays(play, pin.signature, lambda: True, known=(pin.reproduced, pin.replays))
        holds = replays.holds(pin.steps)
        if holds:
            self._guarded(pin, path)
            return Outcome.HOLDS
        if holds is None:
            line(f"not made a guard, nothing can be said: {replays.last_reason}", "yellow")
            return Outcome.UNKNOWN
        line("not made a guard, it still fails:", "bold red")
        assert replays.last_shown
        for violation in replays.last_shown.violations:
            for text in violation_lines(violation):
                line(text)
        return Outcome.VIOLATED

    def _guarded(self, pin: Pin, path: Path | None) -> None:
        pin = pin.become(PinStatus.GUARD)
        path = pin.write(path) if path else self._write(pin)
        self._output.line(f"guard: {shown(path)}")
        self._output.line("next:  commit it; from now on knockon fuzz fails when this shows again")

    def _write(self, pin: Pin) -> Path:
        path = self._folder / f"{self._name}.json" if self._name else self._path_of(pin)
        if path.exists():
            known = read_pin(path)
            if (known.steps, known.signature) != (pin.steps, pin.signature):
                raise PinError(f"{shown(path)}: pins something else; give another --name")
            if known.status is PinStatus.GUARD and pin.status is PinStatus.OPEN:
                raise PinError(
                    f"{shown(path)}: guards this already, so knockon fuzz fails while it shows; if it is "
                    f"to be a known failure again: knockon pin --reopen {shown(path)}"
                )
        return pin.write(path)

    def _path_of(self, pin: Pin) -> Path:
        """The file that holds the same scenario already, whatever its name, else a new one."""
        for path in pin_files(self._folder):
            with suppress(PinError):
                known = read_pin(path)
                if (known.steps, known.signature) == (pin.steps, pin.signature):
                    return path
        return free_path(self._folder, pin)

    def _tell(self, pin: Pin, path: Path) -> None:
        options = self._config.options()
        self._output.line(f"pinned: {shown(path)}  ({pin.status}, {pin.signature})")
        self._output.line("next:   commit it; knockon fuzz plays it first, as a known failure")
        self._output.line(f"fixed?  knockon pin --guard {shown(path)}{options}")


def shown(path: Path) -> Path:
    """A path as a person here would type it."""
    try:
        return path.resolve().relative_to(Path.cwd())
    except ValueError:
        return path
