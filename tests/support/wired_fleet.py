"""The fleet in memory, with a proxy on each connection: what stands above a runtime meets links with it."""

from __future__ import annotations

from collections.abc import Sequence

from fuzzer.runtimes.base import ProcessState, Undo
from models.answer import Answer
from models.bearing import Bearing
from models.link import Link
from models.toxic import REFUSING, Toxic
from tests.support.fake_fleet import FakeFleet

HEALTHY = Answer(first_ms=2.0, last_ms=3.0, status=200, size=200, ended=True)


def through(toxic: Toxic, answer: Answer) -> Answer:
    """What becomes of an answer that meets a toxic."""
    first_ms, last_ms, number = answer.first_ms or 0.0, answer.last_ms, toxic.attributes.get
    match toxic.kind:
        case "latency" | "loss":
            late_ms = number("latency", 200.0)
            return Answer(first_ms + late_ms, last_ms + late_ms, 200, answer.size, True)
        case "bandwidth":
            return Answer(first_ms, last_ms + answer.size / number("rate", 1.0), 200, answer.size, True)
        case "slow_close":
            return Answer(first_ms, last_ms + number("delay", 0.0), 200, answer.size, True)
        case "timeout" if not number("timeout"):
            return Answer(None, 500.0, error="timeout")
        case "timeout":
            return Answer(None, number("timeout", 0.0), ended=True)
        case "reset_peer":
            return Answer(None, 1.0, error="reset")
        case "limit_data":
            return Answer(first_ms, last_ms, None, min(answer.size, int(number("bytes", 0))), True)
        case "http_error":
            return Answer(first_ms, last_ms, int(number("status", 500)), 80, True)
    assert toxic.kind == REFUSING, toxic
    return Answer(None, 0.1, error="refused")


class WiredFleet(FakeFleet):
    """Meets ``CanPoison``, too. A link that is dead to orders swallows its toxics.

    Attributes:
        poisoned: the toxics on each connection.
        healthy: what a connection without toxics answers.
    """

    healthy = HEALTHY

    known = frozenset(
        ("latency", "bandwidth", "loss", "slow_close", "timeout", "reset_peer", "limit_data", "http_error")
    )
    poisoned: dict[tuple[str, str], list[Toxic]]

    def edges(self) -> Sequence[tuple[str, str]]:
        return self.target.edges

    def bears(self, caller: str, dependency: str) -> Bearing:
        return Bearing.of_proxy(self.known)

    def poison(self, link: str, toxics: Sequence[Toxic]) -> None:
        for name in self._order("poison", [link]):
            for edge in self._covered(name):
                self._on(edge).extend(toxics)
        self._misbehave(self)

    def asks(self, caller: str, dependency: str) -> bool:
        return True

    def ask(self, caller: str, dependency: str, timeout_s: float) -> Answer:
        answer = self.healthy
        if self.state[dependency] is not ProcessState.RUNNING or self.sick.get(dependency) == "hangs":
            self.clock.sleep(timeout_s)
            return Answer(None, timeout_s * 1000, error="timeout")
        for toxic in self._on((caller, dependency)):
            answer = through(toxic, answer)
        self.clock.sleep(answer.last_ms / 1000)
        return answer

    def undo(self, undo: Undo) -> None:
        if undo.verb != "cleanse":
            super().undo(undo)
            return
        for link in self._order("cleanse", undo.targets):
            for edge in self._covered(link):
                self._on(edge).clear()

    def _on(self, edge: tuple[str, str]) -> list[Toxic]:
        if not hasattr(self, "poisoned"):
            self.poisoned = {}
        return self.poisoned.setdefault(edge, [])

    def _covered(self, name: str) -> list[tuple[str, str]]:
        link = Link.parse(name)
        return [edge for edge in self.edges() if link and link.covers(*edge)]
