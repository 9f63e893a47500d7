"""What one value under ``x-knockon`` may be: a name, a URL, a path, a command.

A rule that pydantic does not know raises ``ValueError`` with a phrase that ends the sentence
"found …; expected", because that is how it is shown.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, WithJsonSchema

from models.errors import ScenarioError
from models.some import is_some, service_of
from models.step import Step
from models.windows import Window


def sayable(name: str) -> bool:
    """Whether a scenario can say ``name``: a step that names it reads back as itself, and as nothing else."""
    if is_some(name) or service_of(name) != name:
        return False
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


def must(test: Callable[[str], bool], phrase: str) -> AfterValidator:
    """A rule for a text; ``phrase`` says what is expected."""

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


def _is_window(text: str) -> str:
    Window.parse(text)
    return text


NO_NUL = must(lambda value: "\0" not in value, "text without NUL characters")
Text = Annotated[str, NO_NUL]
Name = Annotated[str, must(sayable, "a name that a scenario can say, such as checkout")]
Variable = Annotated[str, must(lambda v: v != "" and "=" not in v, "the name of a variable"), NO_NUL]
HttpUrl = Annotated[
    str,
    must(_is_http_url, "an http:// or https:// URL with a host, such as http://127.0.0.1:8003/health"),
    WithJsonSchema({"type": "string", "format": "uri", "pattern": "^https?://"}),
]
UrlPath = Annotated[
    str, must(lambda v: v.startswith("/") and _is_one_word(v), "a path that begins with / and has no spaces")
]
AbsolutePath = Annotated[
    str,
    must(lambda v: v.startswith("/") and len(v) > 1, "a path of the container that begins with /"),
    NO_NUL,
]
Command = Annotated[
    list[Text],
    BeforeValidator(_split),
    AfterValidator(_is_command),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]
WindowText = Annotated[str, AfterValidator(_is_window)]
Printed = Annotated[Text, BeforeValidator(printed), WithJsonSchema({"type": ["string", "number", "boolean"]})]


class Keys(BaseModel):
    """A mapping of known keys; an unknown one is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True)
