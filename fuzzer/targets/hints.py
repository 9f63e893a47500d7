"""What a service's ``x-knockon.model`` says of others, and whether it makes sense as a whole."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from fuzzer.targets.base import Place, nearest
from models.behaviour import Response


def check_hints(name: str, model: Place, services: Collection[str], needed: Collection[str]) -> None:
    """Complain about names that do not exist, and about what cannot be meant.

    Args:
        name: the service whose hints these are.
        needed: the services that it depends on.
    """
    calls = model.get("calls")
    for other, place in calls.names() if calls else ():
        if _exists(other, place, name, services) and other not in needed:
            place.complain(f"a service that {name} depends on")
    for other, place in _others(model):
        _exists(other, place, name, services)
    unclean = model.get("unclean")
    if unclean and unclean.get("start_s") and unclean.get("exit_code"):
        unclean.complain("either `start_s` or `exit_code`", found="both")
    for reaction in _children(model.get("reactions")):
        _check_reaction(reaction)


def _exists(other: str, place: Place, name: str, services: Collection[str]) -> bool:
    if other == name:
        place.complain("another service", found="the service itself")
    elif other not in services:
        place.complain(f"the name of a service that runs{nearest(other, services)}")
    return other != name and other in services


def _others(model: Place) -> Iterator[tuple[str, Place]]:
    """Wherever others are named, beside those that are called."""
    for item in _children(model.get("needs_at_start")):
        if item.word is not None:
            yield item.word, item
    for reaction in _children(model.get("reactions")):
        when = reaction.get("when")
        yield from when.names() if when else ()


def _check_reaction(reaction: Place) -> None:
    then, when = reaction.get("then"), reaction.get("when")
    delay, in_order = reaction.get("delay_ms"), reaction.get("in_order")
    if delay and then and then.word != Response.SLOWS:
        delay.complain("`then: slows` where there is a `delay_ms`", found=f"`then: {then.word}`")
    if in_order and in_order.flag() and when and len(list(when.names())) == 1:
        in_order.complain("at least two services that go away in order", found="one")


def _children(place: Place | None) -> Iterator[Place]:
    yield from place.children() if place else ()
