"""The keys under ``x-knockon``: what compose cannot say about a service or a fleet.

Two shapes: ``ProjectKeys`` at the top of a compose file, ``ServiceKeys`` in a service. Whether the
names in them exist is for the reader of the whole file to say; here is what one value may be.

A rule that pydantic does not know raises ``ValueError`` with a phrase that ends the sentence
"found …; expected", because that is how it is shown.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from models.errors import ScenarioError
from models.limits import Limits
from models.step import Step
from models.target import Criticality, Load, LocalCommand, Safety


def sayable(name: str) -> bool:
    """Whether a scenario can say ``name``: a step that names it reads back as itself."""
    try:
        return Step.parse(f"any {name}").targets == (name,)
    except ScenarioError:
        return False


def printed(value: object) -> object:
    """A number or a boolean as compose hands it to a container: ``true``, ``8080``, ``0.5``."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e21:
        return str(int(value))
    return str(value) if isinstance(value, int | float) else value


def _must(test: Callable[[str], bool], phrase: str) -> AfterValidator:
    def check(value: str) -> str:
        if not test(value):
            raise ValueError(phrase)
        return value

    return AfterValidator(check)


def _is_http_url(value: str) -> bool:
    try:
        url = urlsplit(value)
        port = url.port
    except ValueError:
        return False
    return url.scheme in ("http", "https") and bool(url.hostname) and port != 0 and _is_one_word(value)


def _is_one_word(value: str) -> bool:
    return value.isprintable() and " " not in value


def _split(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return shlex.split(value)
    except ValueError:
        raise ValueError("a command whose quotes are closed") from None


def _is_command(words: list[str]) -> list[str]:
    if not words or not words[0]:
        raise ValueError("a command with at least the program to run")
    return words


_NO_NUL = _must(lambda value: "\0" not in value, "text without NUL characters")
_Text = Annotated[str, _NO_NUL]
_Name = Annotated[str, _must(sayable, "a name that a scenario can say, such as checkout")]
_Variable = Annotated[str, _must(lambda v: v != "" and "=" not in v, "the name of a variable"), _NO_NUL]
_HttpUrl = Annotated[
    str,
    _must(_is_http_url, "an http:// or https:// URL with a host, such as http://127.0.0.1:8003/health"),
    WithJsonSchema({"type": "string", "format": "uri", "pattern": "^https?://"}),
]
_UrlPath = Annotated[
    str, _must(lambda v: v.startswith("/") and _is_one_word(v), "a path that begins with / and has no spaces")
]
_Command = Annotated[
    list[_Text],
    BeforeValidator(_split),
    AfterValidator(_is_command),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]
_Printed = Annotated[
    _Text, BeforeValidator(printed), WithJsonSchema({"type": ["string", "number", "boolean"]})
]


class _Keys(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True)


class LoadKeys(_Keys):
    """Requests that a scenario may send."""

    entry: str
    """The service that takes the requests."""
    method: Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] = "GET"
    """The HTTP method."""
    path: _UrlPath = "/"
    """The path of the URL, with its query."""
    rate_rps: float = Field(default=20.0, gt=0, le=10_000)
    """Requests in a second."""
    body: str | None = None
    """What each request carries."""

    def load(self, name: str) -> Load:
        """The load of that name."""
        return Load(name, self.entry, self.method, self.path, self.rate_rps, self.body)


class SafetyKeys(_Keys):
    """What the fuzzer may not do."""

    max_faults: int = Field(default=2, ge=1, le=100)
    """How many faults may be in force at the same time."""
    protect: list[str] = []
    """Services that no fault may touch."""

    def safety(self) -> Safety:
        """The same as a value of the target."""
        return Safety(self.max_faults, frozenset(self.protect))


class LocalKeys(_Keys):
    """How a service is run as a plain process, without an engine."""

    command: _Command
    """A list of words, or one text that is split as a shell would split it."""
    environment: dict[_Variable, _Printed] = {}
    """Variables of the process."""

    def local(self) -> LocalCommand:
        """The same as a value of the target."""
        return LocalCommand(tuple(self.command), self.environment)


class ProjectKeys(_Keys):
    """``x-knockon`` at the top of a compose file."""

    enabled: bool | None = None
    """true: faults may touch every service that does not opt out. false: none, whatever they say."""
    limits: Limits = Limits()
    """The numbers that invariants check against."""
    loads: dict[_Name, LoadKeys] = {}
    """Loads by name."""
    safety: SafetyKeys = SafetyKeys()
    """What the fuzzer may not do."""


class ServiceKeys(_Keys):
    """``x-knockon`` in a service."""

    enabled: bool | None = None
    """Whether faults may touch this service."""
    health: _HttpUrl | None = None
    """A URL, as seen from this machine, that answers 2xx while the service is healthy."""
    hard: list[str] = []
    """Services without which this one may degrade."""
    soft: list[str] = []
    """Services without which this one must keep serving."""
    criticality: Annotated[Criticality, Field(strict=False)] = Criticality.NORMAL
    """How much the service matters; ranks findings."""
    local: LocalKeys | None = None
    """How it is run as a plain process."""
