"""An ordered list of steps: what is generated, played, shrunk, replayed and pinned.

As text, steps are separated by ``;`` or line ends; ``#`` after a space starts a comment::

    crash checkout-service; wait 2s
    load checkout 50rps 5s    # while it is away
    kill checkout-service#2   # one of its replicas
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import overload

from models.errors import ScenarioError
from models.step import Json, Step

_COMMENT = re.compile(r"(?:^|(?<=[\s;]))#.*")


@dataclass(frozen=True, slots=True)
class Scenario:
    """Steps in the order in which they are played."""

    steps: tuple[Step, ...] = ()

    @classmethod
    def of(cls, steps: Iterable[Step]) -> Scenario:
        """A scenario of any iterable of steps."""
        return cls(tuple(steps))

    @classmethod
    def parse(cls, text: str) -> Scenario:
        """Read the text form, or the JSON form when the text starts with ``[``.

        Raises:
            ScenarioError: with the line and what was found there.
        """
        if text.lstrip().startswith("["):
            try:
                return cls.from_json(json.loads(text))
            except (ValueError, RecursionError) as error:
                raise ScenarioError(f"the scenario is no JSON: {error}") from None
        steps = []
        for number, line in enumerate(text.splitlines(), start=1):
            for part in _COMMENT.sub("", line).split(";"):
                if part.strip():
                    try:
                        steps.append(Step.parse(part))
                    except ScenarioError as error:
                        raise ScenarioError(f"line {number}: {error}") from None
        if not steps:
            raise ScenarioError("the scenario has no steps; expected, for example, `crash checkout-service`")
        return cls(tuple(steps))

    @classmethod
    def from_json(cls, data: object) -> Scenario:
        """Read what ``to_json`` wrote.

        Raises:
            ScenarioError: the data is not a list of steps.
        """
        if not isinstance(data, list):
            raise ScenarioError(f"found {type(data).__name__}; expected a list of steps")
        return cls(tuple(Step.from_json(item) for item in data))

    def to_json(self) -> list[Json]:
        """A list of steps as plain data."""
        return [step.to_json() for step in self.steps]

    def without(self, index: int) -> Scenario:
        """The scenario less one step."""
        return Scenario(self.steps[:index] + self.steps[index + 1 :])

    def __str__(self) -> str:
        return "; ".join(map(str, self.steps))

    def __len__(self) -> int:
        return len(self.steps)

    def __iter__(self) -> Iterator[Step]:
        return iter(self.steps)

    @overload
    def __getitem__(self, index: int) -> Step: ...
    @overload
    def __getitem__(self, index: slice) -> Scenario: ...
    def __getitem__(self, index: int | slice) -> Step | Scenario:
        if isinstance(index, slice):
            return Scenario(self.steps[index])
        return self.steps[index]
