"""Connections of a project: harmed by a proxy where one stands on them, and by the kernel where none does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from fuzzer.runtimes.base import Undo
from fuzzer.runtimes.docker.edges import Edges
from fuzzer.runtimes.docker.kernel import Kernel
from fuzzer.runtimes.links import Linked, Links
from models.answer import Answer
from models.bearing import Bearing
from models.errors import StepInvalid
from models.link import Link
from models.target import Target
from models.toxic import Toxic


class Connections(Linked):
    """Meets ``CanPoison``. Its runtime sets what it needs.

    Attributes:
        target: whose connections.
    """

    target: Target
    _edges: Edges
    _kernel: Kernel

    def _link(self, links: Links | None) -> None:
        self._links = links

    def edges(self) -> Sequence[tuple[str, str]]:
        """Caller and dependency of each connection that can be harmed in some way."""
        direct = self._direct()
        able = {*super().edges(), *(direct if direct and self._kernel.bearing.kinds else ())}
        return [edge for edge in self.target.edges if edge in able]

    def bears(self, caller: str, dependency: str) -> Bearing:
        """What can be done to it: all that its proxy knows, or what the kernel can."""
        if (caller, dependency) in self._direct():
            return self._kernel.bearing
        return super().bears(caller, dependency)

    def poison(self, link: str, toxics: Sequence[Toxic]) -> None:
        """Add toxics to every connection of a link; they last until undone.

        Raises:
            StepInvalid: there is none, or it was not possible.
            RuntimeUnavailable: the proxies or the engine do not answer.
        """
        covering = Link.parse(link)
        direct = [edge for edge in self._direct() if covering and covering.covers(*edge)]
        wired = [edge for edge in super().edges() if covering and covering.covers(*edge)]
        if not direct and not wired:
            raise StepInvalid(f"{link}: neither a proxy nor the kernel can harm any connection of it")
        if wired:
            super().poison(link, toxics)
        if direct:
            self._kernel.poison(direct, toxics)

    def asks(self, caller: str, dependency: str) -> bool:
        """Whether there is a question that this dependency would answer."""
        if (caller, dependency) in self._direct():
            return self._kernel.asks((caller, dependency))
        return super().asks(caller, dependency)

    def ask(self, caller: str, dependency: str, timeout_s: float) -> Answer:
        """Ask the dependency something harmless: through the proxy, or from the caller's own network."""
        if (caller, dependency) in self._direct():
            return self._kernel.ask((caller, dependency), timeout_s)
        return super().ask(caller, dependency, timeout_s)

    def cleanse(self, undo: Undo) -> None:
        """Take every toxic off; nothing to do where the proxies have ended, and their toxics with them."""
        if not self._edges.gone:
            super().cleanse(undo)
        self._kernel.cleanse(self._covered(undo), undo)

    def remembered(self, undo: Undo) -> Undo:
        """With the containers in whose networks there will be rules."""
        if undo.verb != "cleanse" or undo.detail:
            return undo
        direct = self._direct()
        return replace(undo, detail=self._kernel.remember([e for e in self._covered(undo) if e in direct]))

    def _covered(self, undo: Undo) -> list[tuple[str, str]]:
        links = [link for name in undo.targets if (link := Link.parse(name))]
        return [edge for edge in self._kernel.edges if any(link.covers(*edge) for link in links)]

    def _direct(self) -> list[tuple[str, str]]:
        """Connections that no proxy stands on, nor did before it ended."""
        if self._edges.silent:
            return []
        wired = super().edges()
        return [edge for edge in self._kernel.edges if edge not in wired]
