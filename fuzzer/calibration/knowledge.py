"""What was learnt of a fleet from all its histories: of each fact the latest samples, and their number.

Samples may contradict one another: the majority of the latest counts, so that a fleet that was changed is
learnt anew. Nothing here grows without end.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from statistics import median
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from fuzzer.calibration.facts import Fact, Measured, Reacted, StartedUnclean, StartedWithout, Took
from models.behaviour import Away, Response, Until

RECENT = 15
"""Samples of one fact that are kept."""

REACTIONS_MOST = 500
"""Of one service to others."""

T = TypeVar("T")
Count = Annotated[int, Field(ge=0)]
Word = Annotated[str, Field(pattern=r"^(exits|waits|starts|-?\d{1,4})$")]


class Plain(BaseModel):
    """Plain data; an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Times(Plain):
    """How long something took, each time."""

    samples: Count = 0
    recent: tuple[float, ...] = Field(default=(), max_length=RECENT)

    @property
    def typical(self) -> float:
        """The median of the latest."""
        return median(self.recent)

    def with_one(self, value: float) -> Times:
        """After one more."""
        return Times(samples=self.samples + 1, recent=_latest(self.recent, round(value, 4)))


class Outcomes(Plain):
    """What came of something, each time, in a word."""

    samples: Count = 0
    recent: tuple[Word, ...] = Field(default=(), max_length=RECENT)

    @property
    def usual(self) -> str:
        """What most of the latest were."""
        return majority(self.recent)

    def with_one(self, word: str) -> Outcomes:
        """After one more."""
        return Outcomes(samples=self.samples + 1, recent=_latest(self.recent, word))


class Seen(Plain):
    """One reaction; the fields are those of ``Reacted``."""

    then: Response
    delay_s: float | None = None
    delay_ms: float | None = None
    until: Until | None = None


class KnownReaction(Plain):
    """What a service does while ``to`` is away, each time that it was seen."""

    to: str
    away: Away
    declared: bool = True
    samples: Count = 0
    recent: tuple[Seen, ...] = Field(default=(), max_length=RECENT)

    @property
    def then(self) -> Response:
        """What it did most often of late."""
        return majority([one.then for one in self.recent])

    @property
    def agreeing(self) -> tuple[Seen, ...]:
        """The latest samples in which it did that."""
        return tuple(one for one in self.recent if one.then is self.then)

    def with_one(self, fact: Reacted) -> KnownReaction:
        """After one more."""
        seen = Seen(
            then=fact.then,
            delay_s=None if fact.delay_s is None else round(fact.delay_s, 4),
            delay_ms=None if fact.delay_ms is None else round(fact.delay_ms, 1),
            until=fact.until,
        )
        more = {"samples": self.samples + 1, "recent": _latest(self.recent, seen)}
        return self.model_copy(update=more)


class KnownService(Plain):
    """What is known of one service.

    Attributes:
        took: how long things took.
        starts_without: whether it "exits" or "waits" when it starts while another one is away.
        starts_unclean: what a start after an unclean death did: "starts", or the code it exited with.
        reactions: what it does while others are away.
    """

    took: dict[Measured, Times] = {}
    starts_without: dict[str, Outcomes] = {}
    starts_unclean: Outcomes = Outcomes()
    reactions: tuple[KnownReaction, ...] = Field(default=(), max_length=REACTIONS_MOST)

    def reaction(self, to: str, away: Away) -> KnownReaction | None:
        """What it does while ``to`` is away like that, if that was ever seen."""
        return next((one for one in self.reactions if (one.to, one.away) == (to, away)), None)

    def with_fact(self, fact: Fact) -> KnownService:
        """After one more fact about it."""
        match fact:
            case Took():
                times = self.took.get(fact.what, Times()).with_one(fact.value)
                return self.model_copy(update={"took": {**self.took, fact.what: times}})
            case StartedWithout():
                known = self.starts_without.get(fact.without, Outcomes())
                outcomes = known.with_one("exits" if fact.exited else "waits")
                without = {**self.starts_without, fact.without: outcomes}
                return self.model_copy(update={"starts_without": without})
            case StartedUnclean():
                word = "starts" if fact.exit_code is None else str(fact.exit_code)
                return self.model_copy(update={"starts_unclean": self.starts_unclean.with_one(word)})
            case Reacted():
                return self._with_reaction(fact)

    def _with_reaction(self, fact: Reacted) -> KnownService:
        known = self.reaction(fact.to, fact.away)
        if known is None and (
            len(self.reactions) >= REACTIONS_MOST or not (fact.declared or fact.then is not Response.SERVES)
        ):
            return self  # that nobody minds a stranger is no news
        new = known or KnownReaction(to=fact.to, away=fact.away, declared=fact.declared)
        others = tuple(one for one in self.reactions if one is not known)
        return self.model_copy(update={"reactions": (*others, new.with_one(fact))})

    def over(self, other: KnownService) -> KnownService:
        """This, and of the other whatever is not known here."""
        here = {(one.to, one.away) for one in self.reactions}
        more = tuple(one for one in other.reactions if (one.to, one.away) not in here)
        return KnownService(
            took={**other.took, **self.took},
            starts_without={**other.starts_without, **self.starts_without},
            starts_unclean=self.starts_unclean if self.starts_unclean.samples else other.starts_unclean,
            reactions=(*self.reactions, *more)[:REACTIONS_MOST],
        )


class KnownFleet(Plain):
    """What is known of one fleet, and from how many scenarios."""

    scenarios: Count = 0
    services: dict[str, KnownService] = {}

    def with_facts(self, facts: Iterable[Fact]) -> KnownFleet:
        """After one more scenario."""
        services = dict(self.services)
        for fact in facts:
            services[fact.service] = services.get(fact.service, KnownService()).with_fact(fact)
        return KnownFleet(scenarios=self.scenarios + 1, services=services)

    def over(self, other: KnownFleet) -> KnownFleet:
        """This, and of the other whatever is not known here."""
        both = {**other.services, **self.services}
        services = {
            name: self.services[name].over(other.services[name])
            if name in self.services and name in other.services
            else known
            for name, known in both.items()
        }
        return KnownFleet(scenarios=self.scenarios + other.scenarios, services=services)


def majority(words: Sequence[T]) -> T:
    """What most of them are; of equally many the one that came last."""
    counts = Counter(words)
    most = max(counts.values())
    return next(word for word in reversed(words) if counts[word] == most)


def _latest(recent: tuple[T, ...], one: T) -> tuple[T, ...]:
    return (*recent, one)[-RECENT:]
