"""One direction of a connection: from one socket through a chain of toxics into the other.

Without toxics, what is read is written and nothing else happens. The source is not read while the sink
takes nothing, or while toxics hold more than ``HELD_MOST_BYTES``.
"""

from __future__ import annotations

import asyncio
from asyncio import TimerHandle, Transport
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from random import Random
from typing import Protocol

from fuzzer.edges.setting import Setting
from fuzzer.edges.toxics.base import Item, Link, Mark, Watcher

HELD_MOST_BYTES = 4 * 1024 * 1024
"""As much as Linux lets a socket's send buffer grow (``net.ipv4.tcp_wmem``): a long way is no narrow way."""


class Ends(Protocol):
    """The connection, as far as a pipe may know it."""

    def piped(self) -> None:
        """A pipe has come to its end."""

    def close(self) -> None:
        """Close both sockets, once what was written has gone."""

    def reset(self) -> None:
        """Reset both sockets."""


class Pipe:
    """One direction. It is the ``Wire`` of the links in it."""

    other: Pipe
    """The other direction of the same connection."""

    def __init__(self, ends: Ends, random: Random) -> None:
        self.random = random
        self.feed: Callable[[Item], None] = self._deliver
        """Where the source puts what it reads. It changes with the chain: ask for it each time."""
        self.ended = False
        self._ends = ends
        self._loop = asyncio.get_running_loop()
        self._source: Transport | None = None
        self._sink: Transport | None = None
        self._first: Callable[[Item], None] = self._deliver
        self._links: dict[str, Link] = {}
        self._watchers: list[Watcher] = []
        self._held_bytes = 0
        self._sink_full = False
        self._paused = False

    def open(self, source: Transport, sink: Transport, settings: Iterable[Setting]) -> None:
        """Both sockets are there."""
        self._source, self._sink = source, sink
        settings = list(settings)
        for setting in settings:
            self.put(setting, settings)

    def put(self, setting: Setting, settings: Iterable[Setting]) -> None:
        """Put a toxic to work that is new, or has new values; ``settings`` gives the order of the chain."""
        if self._sink is None:
            return
        spared = setting.spares(self)
        link = self._links.get(setting.name)
        if spared or link is None:
            self.take_away(setting.name)
            if not spared:
                link = self._links[setting.name] = setting.link(self)
                self._chain([one.name for one in settings])
                link.start()
        else:
            link.change(setting.values, setting.toxicity)

    def take_away(self, name: str) -> None:
        """End a toxic's work, if it is at work here; what it holds goes on its way."""
        link = self._links.pop(name, None)
        if link:
            self._chain(list(self._links))
            for item in link.leave():
                link.pass_on(item)

    def stop(self) -> None:
        """The connection is gone: drop everything."""
        self.ended = True
        links, self._links = self._links, {}
        for link in links.values():
            link.leave()
        self._watchers.clear()
        self._chain([])

    def sink_full(self, full: bool) -> None:
        """The sink's buffer is full, or has room again."""
        self._sink_full = full
        self._hold_back()
        self.other._hold_back()

    def now_s(self) -> float:
        """Seconds of the loop's clock."""
        return self._loop.time()

    def at(self, due_s: float, call: Callable[[], None]) -> TimerHandle:
        """A timer."""
        return self._loop.call_at(due_s, call)

    def count(self, change_bytes: int) -> None:
        """So much more is held back."""
        self._held_bytes += change_bytes
        self._hold_back()
        if self._watchers:
            self.other._hold_back()

    def close(self) -> None:
        """Close the connection."""
        self._ends.close()

    def reset(self) -> None:
        """Reset the connection."""
        self._ends.reset()

    def answer(self, item: Item, by: Watcher) -> None:
        """Send something back through the other pipe."""
        self.other.feed_but(by, item)

    def watch(self, watcher: Watcher, *, on: bool = True) -> None:
        """Show what enters the other pipe."""
        self.other.show(watcher, on=on)

    def show(self, watcher: Watcher, *, on: bool) -> None:
        """Show a watcher what enters this pipe, or no longer."""
        if on:
            self._watchers.append(watcher)
        elif watcher in self._watchers:
            self._watchers.remove(watcher)
        self._chain(list(self._links))
        self.other._hold_back()

    def feed_but(self, unseen: Watcher | None, item: Item) -> None:
        """Feed, and then show it to all watchers but one: what they send has to come after it."""
        self._first(item)
        if isinstance(item, bytes):
            for watcher in list(self._watchers):
                if watcher != unseen:
                    watcher(item)

    def _chain(self, order: list[str]) -> None:
        """Tie the links together again."""
        self._links = {name: self._links[name] for name in order if name in self._links}
        links = list(self._links.values())
        entries: list[Callable[[Item], None]] = [*(link.feed for link in links), self._deliver]
        for link, following in zip(links, entries[1:], strict=True):
            link.pass_on = following
        self._first = entries[0]
        self.feed = partial(self.feed_but, None) if self._watchers else entries[0]

    def _deliver(self, item: Item) -> None:
        sink = self._sink
        if sink is None:
            return
        if isinstance(item, bytes):
            if not self.ended and not sink.is_closing():  # else there is nobody to write to
                sink.write(item)
        elif item is Mark.RESET:
            self._ends.reset()
        elif item is Mark.CLOSE:
            self._ends.close()
        elif not self.ended:
            self.ended = True
            if sink.can_write_eof() and not sink.is_closing():
                with suppress(OSError):  # its peer has gone, and has not been heard of yet
                    sink.write_eof()
            self._ends.piped()

    @property
    def _full(self) -> bool:
        held_most = HELD_MOST_BYTES // 2 if self._paused else HELD_MOST_BYTES
        return self._sink_full or self._held_bytes > held_most

    def _hold_back(self) -> None:
        # Who is answered from within this pipe is not read either while it does not take its answers.
        pause = self._full or (self.other._full and bool(self.other._watchers))
        if pause == self._paused or self._source is None:
            return
        self._paused = pause
        if self._source.is_closing():
            return
        if pause:
            self._source.pause_reading()
        else:
            self._source.resume_reading()
