"""Poisoned connections of the simulation: what callers see through them, and what becomes of their calls.

Only poisoned connections have a state here; as long as there is none, nothing here is asked. A call goes
over its connection twice: the question sets out when it is sent, the answer when the dependency has it::

    caller ── go ──▶ │ toxics of the upstream   │ ──▶ dependency
           ◀─ come ─ │ toxics of the downstream │ ◀──

What is held (it is late, or swallowed) goes on its way at once when the connection is cleansed, as with the
real proxy; then late answers arrive at those who still wait. Calls under way when toxics are added are hit,
too: their connection ends with the others, their answer comes back through the new toxics.

Simplified: each call has a connection of its own, and questions and answers are of one length. The one
connection that a service may keep (hint ``reconnects: false``) breaks whenever connections are ended. That
a dependency is down is told at once, whatever lies between. A share of less than one is rolled for each
way of a call. Probes and clients come from outside: no link is between them and a service.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from math import inf
from random import Random

from fuzzer.runtimes.base import Undo
from fuzzer.runtimes.sim import poison
from fuzzer.runtimes.sim.kernel import Deed, Kernel, Signal
from fuzzer.runtimes.sim.poison import SIZE_BYTES, Dice, Usual
from fuzzer.runtimes.sim.service import SimService
from fuzzer.runtimes.sim.views import Other
from models.answer import Answer
from models.behaviour import Away
from models.errors import StepInvalid
from models.link import Link
from models.target import Target
from models.toxic import REFUSING, Stream, Toxic

ASKED_S = 0.001
"""What a question takes on top of what its answer does."""

OVERHEAD_S = 0.0001
"""What a proxy refuses is refused a moment later."""

Edge = tuple[str, str]


class Way:
    """One poisoned connection.

    Attributes:
        since_s: since when it is as it is.
        usual: what half of all calls over it meet.
        lifted: whether it is healthy again.
    """

    def __init__(self, kernel: Kernel, dependency: SimService, http: bool, dice: Dice) -> None:
        self.since_s = kernel.now_s
        self.toxics: tuple[Toxic, ...] = ()
        self.usual = Usual.of(())
        self.lifted = False
        self._kernel = kernel
        self._dependency = dependency
        self._http = http
        self._dice = dice
        self._held: dict[Signal, None] = {}

    def add(self, toxics: Iterable[Toxic]) -> None:
        """Poison it more; nobody answers by HTTP where something else is spoken."""
        self.toxics += tuple(one for one in toxics if self._http or one.kind != "http_error")
        self.usual = Usual.of(self.toxics)
        self.since_s = self._kernel.now_s

    def lift(self) -> None:
        """Let everything go that is held."""
        self.lifted = True
        held, self._held = self._held, {}
        for one in held:
            one.fire()

    def over(self, stream: Stream) -> list[Toxic]:
        """The toxics that act in one direction."""
        return [one for one in self.toxics if one.stream is stream]

    def go(self, reply: Signal, arrive: Deed, takes_s: float) -> None:
        """A question sets out; ``arrive`` goes on when it is there, unless it never is."""
        kernel, ends_s = self._kernel, poison.ends_s(self.toxics, self._dice)
        if not self._dependency.listening:
            ends_s = 0.0
        if ends_s < inf:
            kernel.at(kernel.now_s + max(ends_s, takes_s), self._refuse if not ends_s else self.end, reply)
        if ends_s == 0:
            return
        status = poison.status(self.toxics, self._dice)
        if status is not None:
            kernel.at(kernel.now_s + takes_s, lambda _: self.come(reply, status))
            return
        self._hold(poison.late_s(self.over(Stream.UPSTREAM), self._dice) + takes_s, arrive)

    def _refuse(self, reply: Signal) -> None:
        refusing = any(one.kind == REFUSING for one in self.toxics)
        reply.fire("refused" if refusing or not self._dependency.listening else "reset")

    def end(self, reply: Signal) -> None:
        """A connection is over that was open, and with it the wait for an answer."""
        if not self.lifted:
            reply.fire("reset")

    def come(self, reply: Signal, answer: int | str) -> None:
        """An answer sets out."""
        if poison.cut_bytes(self.toxics, self._dice) < SIZE_BYTES:
            answer = "reset"
        late_s = poison.late_s(self.over(Stream.DOWNSTREAM), self._dice)
        if not late_s:
            reply.fire(answer)
        else:
            self._hold(late_s, lambda _: reply.fire(answer))

    def _hold(self, seconds: float, then: Deed) -> None:
        released = Signal(self._kernel)
        released.wait(then)
        self._held[released] = None
        if seconds < inf:
            self._kernel.at(self._kernel.now_s + seconds, self._release, released)

    def _release(self, released: Signal) -> None:
        self._held.pop(released, None)
        released.fire()


class Through:
    """A service as one caller sees it through a poisoned connection; meets ``Other``.

    Who is refused, reset or cut off takes it for gone; who waits in vain, or longer than it is willing to,
    takes it for hung.
    """

    def __init__(self, other: SimService, way: Way) -> None:
        self.name, self.life = other.name, other.life
        self.listening = other.listening and way.usual.ends_s == inf and not way.usual.cut
        self.away_since_s = other.away_since_s if other.away else way.since_s
        self._other = other
        self._usual = way.usual

    def seen_in(self, timeout_s: float) -> Away | None:
        """How it looks to somebody who waits this long for an answer."""
        plain, usual = self._other.seen_in(timeout_s), self._usual
        if plain is Away.GONE:
            return Away.GONE
        answers_s = usual.late_s
        if usual.status is None:
            answers_s += inf if plain is Away.HUNG else self._other.delay_s
        if usual.ends_s <= answers_s and usual.ends_s < timeout_s:
            return Away.GONE
        if answers_s >= timeout_s:
            return Away.HUNG
        if usual.cut:
            return Away.GONE
        if usual.status is not None:
            return Away.SICK if usual.status >= 500 else None
        return plain


class SimLinks:
    """Meets what ``CanPoison`` asks for, on services of the simulation.

    Args:
        random: makes a stream of dice from a name.

    Attributes:
        poisoned: every connection that is not healthy, by caller and dependency.
    """

    def __init__(
        self,
        target: Target,
        kernel: Kernel,
        services: Mapping[str, SimService],
        random: Callable[[str], Random],
    ) -> None:
        self.poisoned: dict[Edge, Way] = {}
        self.edges: Sequence[Edge] = target.edges
        self._http = {wire.edge for wire in target.wires if wire.scheme == "http"}
        self._kernel = kernel
        self._services = services
        self._random = random
        self._dice: dict[Edge, Dice] = {}

    def seen_by(self, caller: str, other: SimService) -> Other:
        """A service as somebody else sees it."""
        way = self.poisoned.get((caller, other.name))
        return Through(other, way) if way else other

    # What is done to them.

    def poison(self, link: str, toxics: Sequence[Toxic]) -> None:
        """Add toxics to every connection of a link.

        Raises:
            StepInvalid: there is none.
        """
        edges = self._covered(link)
        if not edges:
            raise StepInvalid(f"{link}: there is no connection of that kind")
        for edge in edges:
            way = self.poisoned.get(edge)
            if way is None:
                http, dependency = edge in self._http, self._services[edge[1]]
                way = self.poisoned[edge] = Way(self._kernel, dependency, http, self._dice_of(edge))
            way.add(toxics)
            self._hit_what_is_under_way(edge, way)
            self._let_notice(edge)

    def cleanse(self, undo: Undo) -> None:
        """Take every toxic off. Idempotent."""
        for edge in dict.fromkeys(edge for link in undo.targets for edge in self._covered(link)):
            way = self.poisoned.pop(edge, None)
            if way:
                way.lift()
                self._let_notice(edge)

    def _covered(self, link: str) -> list[Edge]:
        parsed = Link.parse(link)
        return [edge for edge in self.edges if parsed and parsed.covers(*edge)]

    def _dice_of(self, edge: Edge) -> Dice:
        if edge not in self._dice:
            self._dice[edge] = Dice(self._random(" -> ".join(edge)))
        return self._dice[edge]

    def _hit_what_is_under_way(self, edge: Edge, way: Way) -> None:
        caller, dependency = edge
        ends_s = 0.0 if way.usual.cut else way.usual.ends_s
        if ends_s == inf:
            return
        self._kernel.at(self._kernel.now_s + ends_s, self._break, (edge, way))
        for reply, asked_by in self._services[dependency].replies.items():
            if asked_by == caller and not way.usual.cut:
                self._kernel.at(self._kernel.now_s + ends_s, way.end, reply)

    def _break(self, what: tuple[Edge, Way]) -> None:
        (caller, dependency), way = what
        if not way.lifted:
            self._services[caller].views.lose(dependency)

    def _let_notice(self, edge: Edge) -> None:
        caller, dependency = (self._services[name] for name in edge)
        if dependency.name in caller.behaviour.minds:
            caller.other_changed(dependency)

    # Asking over them.

    def ask(self, caller: str, dependency: str, timeout_s: float) -> Answer:
        """What a question for its health would meet now; it does not show in any count."""
        other, way = self._services[dependency], self.poisoned.get((caller, dependency))
        toxics, dice = (way.toxics if way else ()), self._dice_of((caller, dependency))
        refusing = any(one.kind == REFUSING for one in toxics)
        if refusing or not other.listening:
            return Answer(None, OVERHEAD_S * 1000, error="refused")
        status = poison.status(toxics, dice)
        took_s = ASKED_S + (0.0 if status else other.behaviour.health_ms / 1000 + other.delay_s)
        took_s += inf if other.away is Away.HUNG and status is None else poison.late_s(toxics, dice)
        ends_s = poison.ends_s(toxics, dice)
        if ends_s < min(took_s, timeout_s):
            return Answer(None, max(ends_s, OVERHEAD_S) * 1000, error="reset")
        if took_s >= timeout_s:
            return Answer(None, timeout_s * 1000, error="timeout")
        size = int(min(SIZE_BYTES, poison.cut_bytes(toxics, dice)))
        if (caller, dependency) in self._http:
            status = status or (503 if other.away is Away.SICK else 200)
        closes_s = sum(one.attributes.get("delay", 0.0) for one in toxics if one.kind == "slow_close") / 1000
        over = min(took_s + closes_s, timeout_s)
        return Answer(
            took_s * 1000 if size else None, over * 1000, status if size else None, size, over < timeout_s
        )
