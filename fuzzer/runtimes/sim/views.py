"""How a service sees the others, and what it does about that: its reactions (``models/behaviour.py``).

A service does not know how others are; it notices, a moment later, as a real one does through failed
calls: who is gone at once, who hangs only when the wait for an answer is over. A process has views of its
own, and a new one begins with new ones.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from fuzzer.runtimes.sim.kernel import Kernel
from models.behaviour import Away, Behaviour, Call, Reaction, Response, Until

LOOK_S_LEAST = 0.001
"""However attentive somebody is, to notice takes a moment."""

ROUNDING_S = 1e-9

NO_LIFE = -1
"""A connection to no process that ever was."""

USUAL_CALL = Call()


class Other(Protocol):
    """What can be seen of a service from outside; ``seen_in`` by somebody who waits that long."""

    name: str
    life: int
    listening: bool
    away_since_s: float

    def seen_in(self, timeout_s: float) -> Away | None: ...  # noqa: D102 - told above


class Views:
    """What one process believes of others.

    Args:
        act: called after each look.
        see: how another looks from here, by its name.

    Attributes:
        of: how it believes each to be that it minds; None is well.
        active: the reactions that it follows now, by their index.
        failures: how many calls to each failed in a row.
        bereft: the members of groups of which too many are away.
        stale: those to which it holds on to a connection that leads nowhere.
    """

    def __init__(
        self, behaviour: Behaviour, kernel: Kernel, act: Callable[[], None], see: Callable[[str], Other]
    ) -> None:
        self.of: dict[str, Away | None] = dict.fromkeys(behaviour.minds)
        self.active: dict[int, Reaction] = {}
        self.failures: dict[str, int] = dict.fromkeys(behaviour.minds, 0)
        self.bereft: frozenset[str] = frozenset()
        self.stale: set[str] = set()
        self._behaviour = behaviour
        self._kernel = kernel
        self._act = act
        self._see = see
        self._open = True
        self._since_s: dict[str, float] = {}
        self._met: set[str] = set()
        self._lives: dict[str, int] = {}
        self._hang_shows_s: dict[str, float] = {}
        self._matched: dict[int, int] = {}
        self._matches = 0

    def does(self, response: Response) -> bool:
        """Whether it does this now."""
        return any(reaction.then is response for reaction in self.active.values())

    def hangs(self, needed: frozenset[str]) -> bool:
        """Whether a request that needs no more than these hangs."""
        return bool(self.active) and any(
            reaction.then is Response.HANGS and self._concerns(reaction, needed)
            for reaction in self.active.values()
        )

    def errs(self, needed: frozenset[str]) -> bool:
        """Whether such a request is answered with an error without anybody being asked.

        Without somebody whom it would call for the answer it finds out by calling.
        """
        if self.stale and not self.stale.isdisjoint(needed):
            return True
        if self.bereft and not self.bereft.isdisjoint(needed):
            return True
        return bool(self.active) and any(
            reaction.then is Response.ERRORS
            and self._concerns(reaction, needed)
            and not (index in self._matched and self._behaviour.hard.issuperset(reaction.when))
            for index, reaction in self.active.items()
        )

    def _concerns(self, reaction: Reaction, needed: frozenset[str]) -> bool:
        """Without somebody that it hard-depends on, requests go on that do not need that one."""
        return any(name in needed or name not in self._behaviour.hard for name in reaction.when)

    # Looking.

    def close(self) -> None:
        """Its process is frozen, and sees nothing."""
        self._open = False

    def open(self) -> None:
        """It goes on. What it was about to do is thought over: time may have passed."""
        self._open = True
        self._matched = {index: match for index, match in self._matched.items() if index in self.active}

    def notice(self, other: Other) -> None:
        """It will look in a moment."""
        self._look_in(self._behaviour.notice_s, other.name)

    def lose(self, name: str) -> None:
        """The connection to somebody broke, if there was one."""
        if name in self._lives:
            self._lives[name] = NO_LIFE

    def _look_in(self, seconds: float, name: str) -> None:
        self._kernel.at(self._kernel.now_s + max(seconds, LOOK_S_LEAST), self._look, name)

    def _look(self, name: str) -> None:
        if not self._open:
            return
        other = self._see(name)
        call = self._behaviour.calls.get(other.name, USUAL_CALL)
        away = other.seen_in(call.timeout_s)
        if away is Away.HUNG and self._may_still_answer(other, call.timeout_s):
            return
        if other.listening and not call.reconnects and self._is_another_process(other):
            self.stale.add(other.name)
        if away is None:
            self._met.add(other.name)
            self.failures[other.name] = 0
        elif self.of[other.name] is None:
            self._since_s[other.name] = other.away_since_s  # seen later, it began no later for that
        self.of[other.name] = away
        self._react()

    def _may_still_answer(self, other: Other, timeout_s: float) -> bool:
        """Whether the wait for an answer is not over; it looks again when it is, once for each hang."""
        shows_s = other.away_since_s + timeout_s + self._behaviour.notice_s
        if shows_s - self._kernel.now_s <= ROUNDING_S:
            return False
        if self._hang_shows_s.get(other.name) != shows_s:
            self._hang_shows_s[other.name] = shows_s
            self._look_in(shows_s - self._kernel.now_s, other.name)
        return True

    def _is_another_process(self, other: Other) -> bool:
        """A connection belongs to the process that it was opened to."""
        return self._lives.setdefault(other.name, other.life) != other.life

    # Reacting.

    def _react(self) -> None:
        for index, reaction in enumerate(self._behaviour.reactions):
            if not self._matches_now(reaction):
                if self._matched.pop(index, None) and reaction.until is Until.BACK:
                    self.active.pop(index, None)
            elif index not in self._matched:
                self._matches += 1
                self._matched[index] = self._matches
                if reaction.after_s:
                    due_s = self._kernel.now_s + reaction.after_s
                    self._kernel.at(due_s, self._lose_patience, (index, self._matches))
                else:
                    self.active[index] = reaction
        if self._behaviour.stand_ins:
            lost = [group.members for group in self._behaviour.stand_ins if group.too_few(self.of)]
            self.bereft = frozenset().union(*lost)
        self._act()

    def _matches_now(self, reaction: Reaction) -> bool:
        if any(self.of[name] is not away for name, away in reaction.when.items()):
            return False
        if reaction.then is not Response.ERRORS and not self._met.issuperset(reaction.when):
            return False  # who was never there yet is waited for
        since_s = [self._since_s[name] for name in reaction.when]
        return not reaction.in_order or since_s == sorted(set(since_s))

    def _lose_patience(self, what: tuple[int, int]) -> None:
        index, match = what
        if self._open and self._matched.get(index) == match:
            self.active[index] = self._behaviour.reactions[index]
            self._act()
