"""What we ask of the engine ourselves. Whatever else it reports, somebody else did.

The engine tells a request from a death: ``docker kill``, ``stop`` and the like leave an event named
after them, a process that dies by itself only a ``die``. It does not tell whose request it was. So
each of ours is noted while it lasts, with the events that it may cause.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock

BEFORE_S, AFTER_S = 0.1, 0.5
"""How far an event's time may be off. Somebody who does just what we do, just when we do it, is
therefore not noticed, and does no harm either."""

CAUSES = {
    "kill": {"kill", "unpause", "die"},
    "crash": {"die"},
    "stop": {"kill", "unpause", "die", "stop"},
    "start": {"start"},
    "restart": {"kill", "unpause", "die", "stop", "start", "restart"},
    "pause": {"pause"},
    "unpause": {"unpause"},
    "update": {"update"},
}


@dataclass
class _Intent:
    verb: str
    containers: frozenset[str]
    began_s: float
    ended_s: float | None = None

    def came_back(self, event: str, at_s: float) -> bool:
        """Whether this is the death of what a restart had already started again: its own death."""
        ended = self.ended_s is not None and at_s > self.ended_s
        return self.verb == "restart" and event == "die" and ended

    def over(self, at_s: float) -> bool:
        return self.ended_s is not None and at_s > self.ended_s + AFTER_S


class Intents:
    """Our own requests, those of the last moments included."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._intents: list[_Intent] = []
        self._lock = Lock()

    @contextmanager
    def meaning(self, verb: str, containers: Collection[str]) -> Iterator[float]:
        """While this lasts, its events are ours; yields when it began."""
        intent = _Intent(verb, frozenset(containers), self._now())
        with self._lock:
            # Kept for longer than they are needed: events may be read late.
            self._intents = [i for i in self._intents if not i.over(intent.began_s - 60)]
            self._intents.append(intent)
        try:
            yield intent.began_s
        finally:
            intent.ended_s = self._now()

    def behind(self, event: str, container: str, at_s: float) -> tuple[str, float] | None:
        """Which of our requests is behind an event, the latest that can be: its verb and when it began."""
        with self._lock:
            for intent in reversed(self._intents):
                if (
                    container in intent.containers
                    and event in CAUSES[intent.verb]
                    and intent.began_s - BEFORE_S <= at_s
                    and not intent.over(at_s)
                    and not intent.came_back(event, at_s)
                ):
                    return intent.verb, intent.began_s
        return None
