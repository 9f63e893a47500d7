"""The helpers in the networks of containers: one for each start of a container, made at the first need.

A container that starts again has a new network. Its helper stays in the old one, where nobody is any more,
and another takes its place.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from threading import Lock

from fuzzer.netns.rule import Rule
from fuzzer.runtimes.base import at_once
from fuzzer.runtimes.docker.clients import Clients
from fuzzer.runtimes.docker.neighbour import Gone, Neighbour
from fuzzer.runtimes.docker.packets import bearing
from models.answer import Answer
from models.bearing import Bearing
from models.errors import Inconclusive, RuntimeUnavailable
from models.wire import Wire

IMAGE = "python:3.11-slim"
"""Tried before the target's own images; whatever has Python 3.11 will do."""

IMAGE_VARIABLE = "KNOCKON_NET_IMAGE"
"""Names another one instead."""


def images_to_try(targets: Sequence[str]) -> list[str]:
    """The one that a person names; or the usual one, then those of the target."""
    named = os.environ.get(IMAGE_VARIABLE)
    return [named] if named else [IMAGE, *targets]


@dataclass
class _Post:
    """A helper, the start of the container that it was made for, and the rules that it keeps."""

    started_s: float
    neighbour: Neighbour
    rules: Sequence[Rule] | None = None


class Neighbours:
    """Made as they are needed, and closed together.

    Args:
        clients: connects to the engine.
        run: the id of this run.
        images: tells those to try, in their order; one is never fetched.
        lost: takes a sentence when a helper has ended that kept rules.
    """

    def __init__(
        self,
        clients: Clients,
        run: str,
        images: Callable[[], Sequence[str]],
        lost: Callable[[str], None],
    ) -> None:
        self._clients = clients
        self._run = run
        self._images = images
        self._lost = lost
        self._tried: tuple[str, Bearing] | None = None
        self._trying = Lock()
        self._posts: dict[str, _Post] = {}
        self._locks: dict[str, Lock] = {}

    @property
    def bearing(self) -> Bearing:
        """What a kernel can do here; tried out the first time, in a network of nobody."""
        return self._choice()[1]

    def ask(
        self, container: str, started_s: float, wire: Wire, address: str, path: str, timeout_s: float
    ) -> Answer:
        """Ask a dependency from the network of a container that was started then.

        Raises:
            StepInvalid: the container has ended, or its helper did in the meantime.
            RuntimeUnavailable: the engine cannot start a helper.
        """
        with self._locks.setdefault(container, Lock()):
            neighbour = self._post(container, started_s).neighbour
        try:
            return neighbour.ask(wire, address, path, timeout_s)
        except Gone:
            self._or_forget(container, lambda post: post.neighbour.ping())
            raise

    def put(self, container: str, started_s: float, rules: Sequence[Rule]) -> None:
        """These rules and no others in the network of a container that was started then.

        Raises:
            StepInvalid: the container has ended, or the kernel refuses.
            RuntimeUnavailable: the engine cannot start a helper.
        """
        with self._locks.setdefault(container, Lock()):
            post = self._post(container, started_s)
            try:
                self._put(post, rules)
            except Gone as error:
                self._forget(container, post, str(error))
                self._put(self._post(container, started_s), rules)

    def keep(self, containers: Collection[str]) -> None:
        """No rules in the network of any other."""
        others = [one for one, post in self._posts.items() if post.rules and one not in containers]
        for container in others:
            self._or_forget(container, lambda post: self._put(post, []))

    def ping(self) -> None:
        """Tell all of them that we are there; those that are not are forgotten."""
        for container in list(self._posts):
            self._or_forget(container, lambda post: post.neighbour.ping())

    def close(self) -> None:
        """Let all of them end, and their rules with them."""
        posts, self._posts = self._posts, {}
        if posts:
            at_once(lambda container: posts[container].neighbour.close(), list(posts))

    def _post(self, container: str, started_s: float) -> _Post:
        post = self._posts.get(container)
        if post and post.started_s == started_s:
            return post
        image = self._choice()[0]
        if not image:
            raise RuntimeUnavailable(self.bearing.lacks[""])
        made = _Post(started_s, Neighbour(self._clients, image, container, self._run))
        self._posts[container] = made
        if post:
            post.neighbour.close()
        return made

    def _put(self, post: _Post, rules: Sequence[Rule]) -> None:
        if post.rules != rules:
            post.neighbour.put(rules)
            post.rules = rules

    def _or_forget(self, container: str, do: Callable[[_Post], None]) -> None:
        with self._locks[container]:
            post = self._posts.get(container)
            try:
                if post:
                    do(post)
            except Gone as error:
                assert post
                self._forget(container, post, str(error))

    def _forget(self, container: str, post: _Post, why: str) -> None:
        del self._posts[container]
        post.neighbour.close()
        if post.rules:
            self._lost(f"rules in the network of a container were lost: {why}")

    def _choice(self) -> tuple[str, Bearing]:
        """The image that does, "" for none; and what can be done."""
        with self._trying:
            if self._tried is None:
                self._tried = self._try()
            return self._tried

    def _try(self) -> tuple[str, Bearing]:
        complaints = []
        for image in self._images():
            try:
                neighbour = Neighbour(self._clients, image, None, self._run)
                try:
                    return image, bearing(neighbour.lacks())
                finally:
                    neighbour.close()
            except Inconclusive as error:
                complaints.append(f"{image[:19]}: {error}")
        return "", Bearing(
            lacks={
                "": "no proxy stands on it, and without one it takes an image with Python 3.11 on the engine "
                f"(docker pull {IMAGE}, or name one with {IMAGE_VARIABLE}) and Linux from 5.12 on; tried: "
                + ("; ".join(complaints) or "none")
            }
        )
