"""What refuses a run before it begins: where its fleet runs, and what that is called."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from shlex import quote

from fuzzer.safety.rules import Rule
from models.errors import RequestError
from models.place import Place
from models.target import Target

HOW_MEANT = "--i-mean"


def refuse_by(rules: Sequence[Rule]) -> None:
    """Refuse what would be ended at once.

    Raises:
        RequestError: by the first rule that says so.
    """
    for rule in rules:
        if reason := rule():
            raise RequestError(reason)


def refuse_remote(place: Place, *, allowed: bool) -> None:
    """Refuse an engine that is not this machine's, unless that is allowed.

    Raises:
        RequestError: with where it is.
    """
    if place.remote and not allowed:
        raise RequestError(
            f"{place.remote}, which is not this machine; if it is to be touched all the same: --allow-remote"
        )


def unmeant(place: Place, target: Target, meant: Collection[str]) -> list[tuple[str, str, str]]:
    """What looks like production and was not named: what it is, its name, the pattern that says so."""
    return [one for one in place.like(target.safety.production) if one[1] not in meant]


def refuse_unmeant(place: Place, target: Target, meant: Collection[str]) -> None:
    """Refuse to touch what looks like production, unless its name was typed.

    Raises:
        RequestError: with all such names.
    """
    found = unmeant(place, target, meant)
    if not found:
        return
    told = ", ".join(f"{what} is called {name!r} (like {pattern!r})" for what, name, pattern in found)
    words = " ".join(f"{HOW_MEANT} {quote(name)}" for _, name, _ in found)
    raise RequestError(
        f"{told}: that looks like production to x-knockon.safety.production; if it is meant: {words}"
    )
