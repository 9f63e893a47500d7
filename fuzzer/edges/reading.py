"""From JSON to what was asked for; every mistake is one sentence.

Stricter than Toxiproxy, which ignores what it does not know: a misspelt attribute of a toxic would
otherwise be a fault that does nothing.
"""

from __future__ import annotations

import json
from math import isfinite
from typing import Any

from fuzzer.edges.address import Address
from fuzzer.edges.problems import Problem, bad_body, missing
from fuzzer.edges.proxies import Wanted
from fuzzer.edges.proxy import Proxy
from fuzzer.edges.setting import DOWNSTREAM, STREAMS, Setting
from fuzzer.edges.toxics.base import Attribute
from fuzzer.edges.toxics.catalogue import TOXICS

NAME_MOST = 255


def read_json(body: bytes) -> Any:
    """Any JSON value; NaN and infinities are none.

    Raises:
        Problem: it is no JSON.
    """

    def refuse(word: str) -> None:
        raise ValueError(f"{word} is no JSON")

    try:
        return json.loads(body, parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        raise bad_body(f"{error or type(error).__name__}"[:200]) from None


def read_object(body: bytes) -> dict[str, Any]:
    """A JSON object.

    Raises:
        Problem: it is none.
    """
    return _object(read_json(body), "what was sent")


def wanted_proxy(given: object, where: str = "") -> Wanted:
    """A proxy to create.

    Raises:
        Problem: a field is missing, or wrong.
    """
    fields = _object(given, "a proxy")
    for field in ("name", "upstream"):
        if not fields.get(field):
            raise missing(f"{field}{where}")
    return Wanted(
        _text(fields, "name", ""),
        _address(fields, "listen", Address("127.0.0.1", 0)),
        _address(fields, "upstream", None),
        _flag(fields, "enabled", True),
    )


def wanted_proxies(given: object) -> list[Wanted]:
    """A list of proxies to create; nothing is done if one of them is wrong.

    Raises:
        Problem: a field is missing or wrong, or a name is there twice.
    """
    if isinstance(given, dict) and "proxies" in given:
        given = given["proxies"]
    if not isinstance(given, list):
        raise bad_body("a list of proxies was expected")
    wanted = [wanted_proxy(one, f" at proxy {number}") for number, one in enumerate(given, 1)]
    names = [one.name for one in wanted]
    for name in names:
        if names.count(name) > 1:
            raise bad_body(f"two proxies are called {name!r}")
    return wanted


def changed_proxy(proxy: Proxy, fields: dict[str, Any]) -> Wanted:
    """What a proxy shall be; what is not given stays.

    Raises:
        Problem: a field is wrong.
    """
    return Wanted(
        proxy.name,
        _address(fields, "listen", proxy.listen),
        _address(fields, "upstream", proxy.upstream),
        _flag(fields, "enabled", proxy.enabled),
    )


def new_setting(fields: dict[str, Any]) -> Setting:
    """A toxic to add.

    Raises:
        Problem: its type is unknown, or a field is wrong.
    """
    stream = _text(fields, "stream", DOWNSTREAM).lower()
    if stream not in STREAMS:
        raise Problem(400, "stream was invalid, can be either upstream or downstream")
    kind = _text(fields, "type", "")
    if kind not in TOXICS:
        raise Problem(400, f"invalid toxic type {kind!r}; known: {', '.join(sorted(TOXICS))}")
    name = _text(fields, "name", "") or f"{kind}_{stream}"
    defaults = {key: attribute.default for key, attribute in TOXICS[kind].attributes.items()}
    return Setting(name, kind, stream, _toxicity(fields, 1.0), _values(fields, kind, defaults))


def changed_setting(setting: Setting, fields: dict[str, Any]) -> Setting:
    """A toxic with other attributes or toxicity; what is not given stays.

    Raises:
        Problem: a field is wrong.
    """
    values = _values(fields, setting.kind, dict(setting.values))
    toxicity = _toxicity(fields, setting.toxicity)
    return Setting(setting.name, setting.kind, setting.stream, toxicity, values)


def _values(fields: dict[str, Any], kind: str, values: dict[str, Any]) -> dict[str, float]:
    known = TOXICS[kind].attributes
    for key, value in _object(fields.get("attributes") or {}, "attributes").items():
        if key not in known:
            raise bad_body(f"{kind} has no attribute {key[:100]!r}; known: {', '.join(known)}")
        values[key] = _number(value, f"{kind}.{key}", known[key])
    return values


def _toxicity(fields: dict[str, Any], default: float) -> float:
    value = fields.get("toxicity")
    return default if value is None else _number(value, "toxicity", Attribute("", most=1))


def _number(value: object, name: str, limits: Attribute) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise bad_body(f"{name} must be a number")
    if not limits.least <= value <= limits.most or not isfinite(value):
        raise bad_body(f"{name} must be from {limits.least} to {limits.most} {limits.unit}".rstrip())
    if limits.whole and value != int(value):
        raise bad_body(f"{name} must be a whole number")
    return value


def _object(given: object, name: str) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise bad_body(f"{name} must be an object")
    return given


def _text(fields: dict[str, Any], field: str, default: str) -> str:
    value = fields.get(field)
    if value is None:
        return default
    if not isinstance(value, str) or len(value) > NAME_MOST:
        raise bad_body(f"{field} must be a text of at most {NAME_MOST} characters")
    return value


def _flag(fields: dict[str, Any], field: str, default: bool) -> bool:
    value = fields.get(field)
    if value is None:
        return default
    if not isinstance(value, bool):
        raise bad_body(f"{field} must be true or false")
    return value


def _address(fields: dict[str, Any], field: str, default: Address | None) -> Address:
    text = _text(fields, field, "")
    if not text and default:
        return default
    try:
        address = Address.parse(text)
    except ValueError as error:
        raise bad_body(f"{field}: {error}") from None
    if field == "upstream" and not (address.host and address.port):
        raise bad_body(f"upstream: {text!r} needs a host and a port")
    if not address.host:
        return Address("0.0.0.0", address.port)  # noqa: S104 - no host asks for exactly this
    return address
