"""What the load engine is told, as one line of JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from models.load import Load, Shape


@dataclass(frozen=True, slots=True)
class Target:
    """One kind of request. ``url`` is ``http://host:port``.

    ``acknowledges`` tells that a good answer is a promise to have stored something, under the id that
    the answer's key ``id_key`` holds, or that the request itself made up.
    """

    url: str
    method: str
    path: str
    headers: Mapping[str, str]
    body: str | None
    weight: float
    expect: str | None
    acknowledges: bool
    id_key: str | None


@dataclass(frozen=True, slots=True)
class Order:
    """A load, for ``duration_s`` from when it is read."""

    targets: tuple[Target, ...]
    shape: Shape
    rate_rps: float
    duration_s: float
    timeout_s: float

    @classmethod
    def of(
        cls, load: Load, urls: Mapping[str, str], rate_rps: float, duration_s: float, shape: Shape
    ) -> Order:
        """An order for a load, with the URL of each service that it enters."""
        targets = tuple(
            Target(
                urls[endpoint.entry],
                endpoint.method,
                endpoint.path,
                endpoint.headers,
                endpoint.body,
                endpoint.weight,
                endpoint.expect,
                endpoint.durable is not None,
                endpoint.durable.id if endpoint.durable else None,
            )
            for endpoint in load.endpoints
        )
        return cls(targets, shape, rate_rps, duration_s, load.timeout_s)

    def dumps(self) -> str:
        """As one line."""
        return json.dumps(asdict(self))

    @classmethod
    def loads(cls, line: str) -> Order:
        """Read what ``dumps`` wrote."""
        data = json.loads(line)
        data["targets"] = tuple(Target(**target) for target in data["targets"])
        data["shape"] = Shape(data["shape"])
        return cls(**data)
