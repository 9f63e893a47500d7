"""Which services a named scenario is about, where a person names none. A value in, names out."""

from __future__ import annotations

import random
import re

from fuzzer.named.template import Kind, Template
from models.errors import RequestError
from models.target import Target
from models.topology import Strength

_STORE = re.compile(
    r"(?:^|[-_.])(?:db|database|sql|postgres(?:ql)?|pg|mysql|maria(?:db)?|mongo(?:db)?|redis|valkey|etcd|"
    r"cassandra|elastic(?:search)?|memcached?|store|storage|rabbitmq|kafka|nats|queue)(?:$|[-_.0-9])",
    re.IGNORECASE,
)


def choose(template: Template, target: Target, seed: int) -> tuple[str, ...]:
    """Services of the kind that a scenario asks for, never more than may be harmed at once.

    Raises:
        RequestError: none may be touched, or none of them is a store.
    """
    who = template.who
    if who.kind is Kind.NONE:
        return ()
    may = target.faultable
    if not may:
        raise RequestError(f"{target.name}: no service may be touched; set x-knockon.enabled to true")
    match who.kind:
        case Kind.RANDOM:
            found = random.Random(seed).sample(may, len(may))  # noqa: S311 (no secret depends on it)
        case Kind.MOST_NEEDED:
            found = sorted(may, key=lambda name: -len(target.topology.blast_radius([name])))
        case _:
            found = [name for name in may if is_store(target, name)]
            if not found:
                raise RequestError(
                    f"{template.name} is about stores, and no service of {target.name} is called like one; "
                    "name it with --services"
                )
    return tuple(found[: min(who.count, target.safety.max_faults)])


def is_store(target: Target, name: str) -> bool:
    """Whether a service keeps data, as far as its name tells, and it needs nobody itself."""
    needs = any(e.caller == name and e.strength is Strength.HARD for e in target.topology.dependencies)
    return bool(_STORE.search(name)) and not needs
