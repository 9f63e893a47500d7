"""The keys of a load under ``x-knockon``: one endpoint at the top, or several in ``endpoints``."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from models.compose_words import Keys, Text, UrlPath, Variable, must
from models.load import ID, Durable, Endpoint, Load

Method = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


class DurableKeys(Keys):
    """How to read back what a request wrote."""

    path: Annotated[UrlPath, must(lambda value: ID in value, "a path that holds {id}, such as /orders/{id}")]
    """The path to read, with `{id}` for the record's id."""
    id: Annotated[str, Field(min_length=1)] | None = None
    """The key of the JSON answer that holds the id. None: the request made it up with `{id}`."""
    entry: str | None = None
    """The service to ask. None: the one that was written to."""

    def durable(self, entry: str) -> Durable:
        """The same as a value of the target, asked at ``entry`` unless it says otherwise."""
        return Durable(self.entry or entry, self.path, self.id)


class EndpointKeys(Keys):
    """One kind of request."""

    name: str | None = None
    """What it is called. None: its method and path."""
    entry: str | None = None
    """The service that takes the requests."""
    method: Method = "GET"
    """The HTTP method."""
    path: UrlPath = "/"
    """The path of the URL, with its query; `{id}` becomes a word that no other request has."""
    headers: dict[Variable, Text] = Field(default_factory=dict)
    """HTTP headers; `{id}` as in the path."""
    body: str | None = None
    """What each request carries; `{id}` as in the path."""
    weight: float = Field(default=1.0, gt=0, le=1e6)
    """Its share of the load, relative to the other endpoints."""
    needs: list[str] | None = None
    """The services that it cannot do without, beside its entry. None: whatever the entry hard-depends on."""
    expect: Annotated[str, Field(min_length=1)] | None = None
    """Text that a good answer contains."""
    durable: DurableKeys | None = None
    """Set where a good answer acknowledges a write."""

    def endpoint(self, entry: str) -> Endpoint:
        """The same as a value of the target, entered at ``entry`` unless it says otherwise."""
        entry = self.entry or entry
        durable = self.durable.durable(entry) if self.durable else None
        return Endpoint(
            self.name or f"{self.method} {self.path}",
            entry,
            self.method,
            self.path,
            self.headers,
            self.body,
            self.weight,
            None if self.needs is None else tuple(self.needs),
            self.expect,
            durable,
        )


class LoadKeys(EndpointKeys):
    """Requests that a scenario may send."""

    entry: str
    """The service that takes the requests."""
    rate_rps: float = Field(default=20.0, gt=0, le=10_000)
    """Requests in a second, all endpoints together."""
    timeout_s: float = Field(default=5.0, gt=0, le=600)
    """When a request is given up."""
    endpoints: list[EndpointKeys] = Field(default_factory=list)
    """Several kinds of requests, instead of the one that is described here."""

    @model_validator(mode="after")
    def _one_or_several(self) -> Self:
        own = self.model_fields_set - {"entry", "rate_rps", "timeout_s", "endpoints"}
        if self.endpoints and own:
            raise ValueError(f"either `endpoints` or {', '.join(sorted(own))}, not both")
        names = [endpoint.endpoint(self.entry).name for endpoint in self.endpoints]
        if len(set(names)) < len(names):
            raise ValueError("endpoints with different names")
        return self

    def load(self, name: str) -> Load:
        """The load of that name."""
        endpoints = self.endpoints or [self]
        return Load(name, tuple(e.endpoint(self.entry) for e in endpoints), self.rate_rps, self.timeout_s)
