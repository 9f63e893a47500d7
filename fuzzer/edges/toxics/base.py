"""What a toxic is: something that stands in one direction of a connection and passes things on.

What flows is an ``Item``: bytes as they were read, or a ``Mark`` for what TCP says beside bytes (the end
of a direction, a reset). A toxic at work on one direction of one connection is a ``Link``; the links of
a direction form a chain, and each calls ``pass_on`` of what the next shall have:

    source ──▶ feed ┃ Latency ┃ pass_on ──▶ feed ┃ Bandwidth ┃ pass_on ──▶ sink

The least toxic does nothing to what passes, and is this very class. One that keeps things back for a
while derives from ``Delaying`` and says only when each item is due. Nothing here ever sleeps: time is
a timer of the event loop. Whatever a link holds is counted (``Wire.count``), so that the source is not
read any further while too much is under way: this is how back-pressure passes through toxics.
"""

from __future__ import annotations

from asyncio import TimerHandle
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from math import inf
from random import Random
from typing import ClassVar, Protocol


class Mark(Enum):
    """What TCP says beside bytes. Marks keep their place among the bytes."""

    END = "end"
    """No more bytes in this direction (FIN); the other direction goes on."""
    CLOSE = "close"
    """Close the whole connection, once everything before this is delivered."""
    RESET = "reset"
    """The connection is gone (RST)."""


Item = bytes | Mark
Watcher = Callable[[bytes], None]

ITEM_BYTES = 200
"""What holding an item costs beside its bytes; else a million pieces of one byte would count as nothing."""


def weight_bytes(item: Item) -> int:
    """How much memory an item takes, about."""
    return ITEM_BYTES + (len(item) if isinstance(item, bytes) else 0)


@dataclass(frozen=True, slots=True)
class Attribute:
    """A number that a toxic takes: its unit, what it is if not given, and its limits (inclusive)."""

    unit: str
    default: int = 0
    least: int = 0
    most: int = 10**12
    whole: bool = False


class Wire(Protocol):
    """The direction of a connection that a link stands in, as far as a link may know it."""

    random: Random

    def now_s(self) -> float:
        """Seconds of the event loop's clock."""

    def at(self, due_s: float, call: Callable[[], None]) -> TimerHandle:
        """Call something when the clock says ``due_s``."""

    def count(self, change_bytes: int) -> None:
        """So much more (or less) is held back."""

    def close(self) -> None:
        """Close the connection; what was delivered before still arrives."""

    def reset(self) -> None:
        """Reset the connection: both its ends see RST."""

    def answer(self, item: Item, by: Watcher) -> None:
        """Send something back, as if it came from the other end; every watcher but ``by`` sees it."""

    def watch(self, watcher: Watcher, *, on: bool = True) -> None:
        """Be shown (or no longer) the bytes that come from the other end."""


class Link:
    """A toxic at work on one direction of one connection. This one passes everything on."""

    kind: ClassVar[str]
    summary: ClassVar[str]
    attributes: ClassVar[Mapping[str, Attribute]] = {}
    per_request: ClassVar[bool] = False
    """It rolls the dice for each request itself; else they are rolled once for a connection."""
    stands_in: ClassVar[str | None] = None
    """The direction that it always stands in, whatever ``stream`` says."""

    pass_on: Callable[[Item], None]
    """Where things go from here; the pipe sets it, and changes it when the chain changes."""

    def __init__(self, wire: Wire, values: Mapping[str, float], toxicity: float) -> None:
        self.wire = wire
        self.values = values
        self.toxicity = toxicity

    def start(self) -> None:
        """Begin to bite: the connection may be new, or old and open."""

    def feed(self, item: Item) -> None:
        """Something comes. Pass it on, now or later, or keep it."""
        self.pass_on(item)

    def change(self, values: Mapping[str, float], toxicity: float) -> None:
        """The toxic got other values while this link is at work."""
        self.values = values
        self.toxicity = toxicity

    def leave(self) -> list[Item]:
        """The toxic is taken away, or the connection is gone. Returns what is still held, in order."""
        return []


class Delaying(Link):
    """Keeps items back until each is due, and never lets one overtake another."""

    def __init__(self, wire: Wire, values: Mapping[str, float], toxicity: float) -> None:
        super().__init__(wire, values, toxicity)
        self._items: deque[tuple[float, Item]] = deque()
        self._timer: TimerHandle | None = None

    def hold(self, item: Item, due_s: float) -> None:
        """Pass it on at ``due_s``, or when everything before it has gone. Infinite: not by itself."""
        if not self._items and due_s <= self.wire.now_s():
            self.pass_on(item)
            return
        self.wire.count(weight_bytes(item))
        self._items.append((due_s, item))
        if len(self._items) == 1:
            self._arm()

    def change(self, values: Mapping[str, float], toxicity: float) -> None:
        """What is held is judged anew, from now on."""
        held = Delaying.leave(self)
        super().change(values, toxicity)
        for item in held:
            self.feed(item)

    def leave(self) -> list[Item]:
        """Give back what is held."""
        self._disarm()
        held = [item for _, item in self._items]
        self._items.clear()
        self.wire.count(-sum(map(weight_bytes, held)))
        return held

    def _arm(self) -> None:
        if self._items and self._items[0][0] < inf:
            self._timer = self.wire.at(self._items[0][0], self._release)

    def _disarm(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None

    def _release(self) -> None:
        self._timer = None
        now_s = self.wire.now_s()
        while self._items and self._items[0][0] <= now_s:
            _, item = self._items.popleft()
            self.wire.count(-weight_bytes(item))
            self.pass_on(item)
        if not self._timer:
            self._arm()
