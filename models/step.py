"""One instruction as plain data: an action's name, its targets, its parameters.

The text form is what a person writes and reads: words, then quantities whose unit names the
parameter (``2s`` is ``duration_s``, ``50rps`` is ``rate_rps``; without a unit it is ``replicas``), then
``name=value`` for the rest::

    crash checkout-service
    kill product-service user-service
    latency checkout-service -> orders-db 200ms
    load checkout 50rps 5s
    scale checkout-service 3

A target with an arrow is a link (``models/link.py``), one with a colon a part of a group, one with a number
after ``#`` a replica (``models/some.py``). A step knows nothing of what its action does; whether it makes
sense is for the action to say.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from models.errors import ScenarioError
from models.link import BOTH_WAYS, ONE_WAY, Link

Value: TypeAlias = int | float | str
Json: TypeAlias = "str | int | float | bool | list[Json] | dict[str, Json] | None"

UNITS: Mapping[str, str] = {
    "s": "duration_s",
    "ms": "delay_ms",
    "rps": "rate_rps",
    "%": "percent",
    "mib": "size_mib",
    "kbps": "rate_kbps",
    "": "replicas",
}
_UNIT_OF = {name: unit for unit, name in UNITS.items()}
_NUMBER = r"-?\d+(?:\.\d+)?"
_QUANTITY = re.compile(rf"({_NUMBER})({'|'.join(map(re.escape, UNITS))})")
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._#-]*")
_SOME = re.compile(rf"{_WORD.pattern}:{_WORD.pattern}")
_NAMED = re.compile(r"([a-z][a-z0-9_]*)=(\S+)")


def _number(text: str) -> int | float:
    """``2`` and ``2.0`` are the same value, so that one scenario has one text."""
    value = float(text)
    return int(value) if value.is_integer() else value


def _with_links(words: Sequence[str]) -> list[str]:
    """The words, with what stands around an arrow made one with it."""
    joined: list[str] = []
    rest = iter(words)
    for word in rest:
        if word in (ONE_WAY, BOTH_WAYS) and joined:
            word = f"{joined.pop()} {word} {next(rest, '')}"
        joined.append(word)
    return joined


@dataclass(frozen=True, slots=True)
class Step:
    """``action`` done to ``targets`` with ``params``, the latter sorted by name."""

    action: str
    targets: tuple[str, ...] = ()
    params: tuple[tuple[str, Value], ...] = ()

    @classmethod
    def of(cls, action: str, *targets: str, **params: Value) -> Step:
        """A step with its parameters as keywords: ``Step.of("wait", duration_s=2)``."""
        return cls(action, targets, tuple(sorted(params.items())))

    def param(self, name: str) -> Value | None:
        """The value of a parameter, None when the step does not give it."""
        return dict(self.params).get(name)

    def number(self, name: str) -> float:
        """The value of a numeric parameter.

        Raises:
            ScenarioError: the step does not give it, or gives something that is no number.
        """
        value = self.param(name)
        if not isinstance(value, int | float):
            raise ScenarioError(f"`{self}`: {name} is {value!r}; expected a number")
        return float(value)

    def number_or(self, name: str, otherwise: float) -> float:
        """The value of a numeric parameter that may be left out."""
        return otherwise if self.param(name) is None else self.number(name)

    def replacing(self, **params: Value) -> Step:
        """The same step with some parameters changed."""
        return Step(self.action, self.targets, tuple(sorted({**dict(self.params), **params}.items())))

    def __str__(self) -> str:
        words = [self.action, *self.targets]
        for name, value in sorted(self.params, key=lambda param: param[0] == "duration_s"):
            unit = _UNIT_OF.get(name)
            words.append(f"{name}={value}" if unit is None else f"{value}{unit}")
        return " ".join(words)

    @classmethod
    def parse(cls, text: str) -> Step:
        """Read the text form.

        Raises:
            ScenarioError: an empty step, or a word that is neither name, quantity nor parameter.
        """
        words = text.split()
        if not words:
            raise ScenarioError(
                "found an empty step; expected an action, for example `crash checkout-service`"
            )
        targets: list[str] = []
        params: dict[str, Value] = {}
        for word in _with_links(words[1:]):
            value: Value
            if quantity := _QUANTITY.fullmatch(word):
                name, value = UNITS[quantity[2]], _number(quantity[1])
            elif named := _NAMED.fullmatch(word):
                name, value = named[1], _number(named[2]) if re.fullmatch(_NUMBER, named[2]) else named[2]
            elif _WORD.fullmatch(word) or _SOME.fullmatch(word) or Link.parse(word):
                targets.append(word)
                continue
            else:
                raise ScenarioError(
                    f"`{text.strip()}`: found {word!r}; "
                    "expected a service, a link such as a -> b, a part of a group such as one:a, "
                    "a quantity such as 2s, or name=value"
                )
            if name in params:
                raise ScenarioError(f"`{text.strip()}`: {name} is given twice")
            params[name] = value
        if not _WORD.fullmatch(words[0]):
            raise ScenarioError(f"`{text.strip()}`: found {words[0]!r}; expected the name of an action")
        return cls(words[0], tuple(targets), tuple(sorted(params.items())))

    def to_json(self) -> dict[str, Json]:
        """``{"action": …, "targets": […], "params": {…}}``."""
        return {"action": self.action, "targets": list(self.targets), "params": dict(self.params)}

    @classmethod
    def from_json(cls, data: object) -> Step:
        """Read what ``to_json`` wrote.

        Raises:
            ScenarioError: the data has another shape.
        """
        match data:
            case {"action": str(action), **rest} if set(rest) <= {"targets", "params"}:
                targets, params = rest.get("targets", []), rest.get("params", {})
            case _:
                raise ScenarioError(f"found {data!r}; expected a step with action, targets and params")
        if not isinstance(targets, list) or not all(isinstance(t, str) for t in targets):
            raise ScenarioError(f"{action}: targets are {targets!r}; expected a list of names")
        if not isinstance(params, dict) or not all(
            isinstance(k, str) and isinstance(v, int | float | str) and not isinstance(v, bool)
            for k, v in params.items()
        ):
            raise ScenarioError(f"{action}: params are {params!r}; expected names with numbers or text")
        # Through the text form, so that JSON and text accept the same words.
        return cls.parse(str(cls(action, tuple(targets), tuple(sorted(params.items())))))
