"""What may not be shown: the one place that knows secrets, and takes them out of a text.

Two rules, because neither is enough alone. **By place**: what stands where a secret stands is hidden
whoever wrote it; the user of a URL, ``PASSWORD=…``, ``"token": "…"``, ``Authorization: …``. **By value**:
the value of a variable, key or option whose name says that it is secret is hidden wherever it appears,
also as JSON, percent-encoded, or in base64 as in a header.

A value shorter than ``SHORTEST``, or that is itself a name in the target (a password ``postgres`` beside a
service ``postgres``), is hidden by place only: anywhere else it tells nothing. One of fewer than ``LONG``
characters counts as a whole word only.

Secrets are learnt where target and options are read (``fuzzer/targets``), before any of it can be complained
about, and are hidden by ``fuzzer/shown.py`` on every way out: a screen, a report, a file that stays.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from urllib.parse import quote, unquote

HIDDEN = "***"
SHORTEST = 4
LONG = 8

_STEM = (
    r"passw(?:or)?d|passphrase|passcode|secret|token|credential|api[-_.]?key|"
    r"(?:access|account|private|shared|signing|encryption|master|license)[-_.]?key|authori[sz]ation|cookie|"
    r"bearer|connection[-_.]?string|(?<![a-z])(?:pass|pwd|jwt|otp)(?![a-z])|(?:(?<![a-z])|basic)auth$|_pwd"
)
_SECRET = re.compile(_STEM, re.IGNORECASE)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_NOT_ITSELF = re.compile(
    r"(?:^|[-_.])(?:file|path|dir|folder|url|uri|host|port|address|endpoint|ttl|timeout|seconds|expir\w*|"
    r"age|length|size|name|type|method|mode|header|enabled|required|hash_rounds)$",
    re.IGNORECASE,
)
_FOLDERS = {"PWD", "OLDPWD"}
"""The shell's working directories."""

_NAME = r"[\w.-]*(?:passw(?:or)?d|passphrase|secret|token|credential|api[-_.]?key|access[-_.]?key|pwd)[\w.-]*"
_VALUE = r"""(?:"[^"\n]*"|'[^'\n]*'|[^\s"'&;,)\]}]+)"""
_HEADERS = r"(?:proxy-)?authorization|(?:set-)?cookie|x-[\w-]*(?:token|key|secret|auth)[\w-]*"

_USER = re.compile(r"(?<=://)([^/?#\s@\"']+(?:@[^/?#\s@\"']+)*)(?=@)")
_GIVEN = re.compile(rf"(?<![\w.-])(-{{0,2}}{_NAME})(=)({_VALUE})", re.IGNORECASE)
_QUOTED = re.compile(rf"([\"']{_NAME}[\"']\s*:\s*)(\"[^\"\n]*\"|'[^'\n]*')", re.IGNORECASE)
_HEADER = re.compile(rf"(?<![\w-])([\"']?(?:{_HEADERS})[\"']?\s*:\s*[\"']?)([^\"'\n]+)", re.IGNORECASE)
_SCHEME = re.compile(r"(?<!\w)((?:bearer|basic)\s+)([\w.~+/=-]{8,})", re.IGNORECASE)

_USER_OPTIONS = {"-u", "-a", "-U", "--user", "--proxy-user", "--auth", "--basic-auth"}


def is_secret(name: str) -> bool:
    """Whether the name of a variable, key, option or header says that its value is secret."""
    words = _CAMEL.sub("_", name).strip("-")
    return name not in _FOLDERS and bool(_SECRET.search(words)) and not _NOT_ITSELF.search(words)


def public_part(name: str, value: str) -> str:
    """The value of a variable as far as it is no secret: for what is told apart by it, and kept."""
    return HIDDEN if is_secret(name) else _GIVEN.sub(rf"\1={HIDDEN}", _USER.sub(HIDDEN, value))


class Secrets:
    """What was learnt, and what is public."""

    def __init__(self) -> None:
        self._values: set[str] = set()
        self._public: set[str] = set()
        self._known: re.Pattern[str] | None = None

    def learn(self, variables: Mapping[str, str]) -> None:
        """Variables, keys or headers by name: the values of some, and the users of URLs in all of them."""
        for name, value in variables.items():
            self.learn_text(f"{name}={value}" if _GIVEN.match(f"{name}=x") else value)
            if is_secret(name):
                self._learn_value(value)

    def learn_text(self, text: str) -> None:
        """Any text of the user's: what stands in it where a secret stands, commands included."""
        words = text.split()
        for option, value in pairwise(words):
            self._learn_option(option, value)
        for user in _USER.findall(text):
            name, colon, password = user.partition(":")
            self._learn_value(password if colon else name)
            self._learn_value(unquote(password if colon else name))
            self._add(base64.b64encode(unquote(user).encode(errors="replace")).decode())
        for name, _, value in _GIVEN.findall(text):
            if is_secret(name):
                self._learn_value(value.strip("\"'"))
        for _, value in (*_HEADER.findall(text), *_SCHEME.findall(text), *_QUOTED.findall(text)):
            self._learn_value(value.strip("\"' "))

    def learn_words(self, words: Sequence[str]) -> None:
        """A command: as text, and what follows an option that takes a secret."""
        for word in words:
            self.learn_text(word)
        for option, value in pairwise(words):
            self._learn_option(option, value)

    def never_hide(self, names: Iterable[str]) -> None:
        """Names that a report cannot do without; a secret that is one of them hides nothing."""
        self._public.update(names)
        self._known = None

    def forget(self) -> None:
        """Begin anew."""
        self.__init__()  # type: ignore[misc]

    def hidden(self, text: str) -> str:
        """The text without secrets."""
        if self._known is None:
            self._known = self._compiled()
        text = self._known.sub(HIDDEN, text)
        text = _USER.sub(HIDDEN, text)
        text = _GIVEN.sub(lambda m: f"{m[1]}={HIDDEN}" if is_secret(m[1]) else m[0], text)
        text = _QUOTED.sub(rf'\1"{HIDDEN}"', text)
        text = _HEADER.sub(rf"\1{HIDDEN}", text)
        return _SCHEME.sub(rf"\1{HIDDEN}", text)

    def _learn_option(self, option: str, value: str) -> None:
        if option.startswith("-") and "=" not in option and is_secret(option):
            self._learn_value(value.strip("\"'"))
        elif option in _USER_OPTIONS and ":" in value and "://" not in value:
            self._learn_value(value)
            self._learn_value(value.partition(":")[2])

    def _learn_value(self, value: str) -> None:
        value = value.strip()
        scheme, space, rest = value.partition(" ")
        if space and scheme.lower() in ("bearer", "basic", "token", "digest"):
            self._learn_value(rest)
        if "://" in value:
            return  # its user is secret, and was learnt; a place is not
        if len(lines := value.splitlines()) > 1:
            for line in lines:
                self._learn_value(line)
        self._add(value)

    def _add(self, value: str) -> None:
        if len(value) >= SHORTEST and value.lower() not in ("true", "false", "null", "none", HIDDEN):
            self._values.add(value)
            self._known = None

    def _compiled(self) -> re.Pattern[str]:
        """The longest first; matches nothing where there is none."""
        found = {form: value for value in self._values - self._public for form in _forms(value)}
        ordered = sorted(found, key=lambda form: (-len(form), form))
        return re.compile("|".join(map(self._pattern, ordered)) or r"(?!)")

    def _pattern(self, form: str) -> str:
        is_part_of_a_name = any(form in name for name in self._public)
        if len(form) >= LONG and not is_part_of_a_name:
            return re.escape(form)
        return rf"(?<![\w-]){re.escape(form)}(?![\w-])"


def _forms(value: str) -> Iterator[str]:
    """A value as it stands in a text, in JSON, in Python, in a URL, and in base64."""
    yield value
    yield json.dumps(value)[1:-1]
    yield json.dumps(value, ensure_ascii=False)[1:-1]
    yield repr(value)[1:-1]
    yield quote(value)
    yield quote(value, safe="")
    if len(value) >= LONG:
        yield base64.b64encode(value.encode(errors="replace")).decode().rstrip("=")


SECRETS = Secrets()
"""Those of this process: whatever it reads, it may have to tell of when nothing else is left of it."""
