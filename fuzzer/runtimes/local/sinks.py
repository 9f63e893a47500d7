"""One sink that passes on to several, so that a fleet is probed once, whoever watches."""

from __future__ import annotations

from fuzzer.runtimes.base import Sink
from models.observation import Blindness, Health, ProcessChange


class Sinks:
    """Whoever is added hears everything from then on."""

    def __init__(self) -> None:
        self._sinks: tuple[Sink, ...] = ()

    def add(self, sink: Sink) -> None:
        """Let one more hear."""
        self._sinks = (*self._sinks, sink)

    def saw_health(self, seen: Health) -> None:
        """A health probe ended."""
        for sink in self._sinks:
            sink.saw_health(seen)

    def saw_process(self, seen: ProcessChange) -> None:
        """A process changed."""
        for sink in self._sinks:
            sink.saw_process(seen)

    def was_blind(self, span: Blindness) -> None:
        """Nobody could look for a while."""
        for sink in self._sinks:
            sink.was_blind(span)

    def saw_interference(self, what: str) -> None:
        """Somebody else changed the fleet."""
        for sink in self._sinks:
            sink.saw_interference(what)
