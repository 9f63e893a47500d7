"""Toxics as a kernel can do them: for each end of a connection, what becomes of its packets.

What cuts a connection off is done in the network of its caller, in both directions. What makes it slow is
done where packets leave: for questions at the caller, for answers at the dependency.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from fuzzer.netns.rule import DROP, LOSE, REFUSE, RESET, SLOW, Rule
from models.bearing import Bearing
from models.toxic import REFUSING, SILENCE, Stream, Toxic

NEEDED = {
    SILENCE: "reject",
    REFUSING: "reject",
    "reset_peer": "reject",
    "loss": "numgen",
    "bandwidth": "htb",
    "latency": "netem",
}
"""The kinds of toxics that a kernel can do, and the part of it that each takes; any rule takes the first."""

PACKETS_ONLY = "a kernel knows packets and not answers; that takes a proxy"


def bearing(lacks: Mapping[str, str]) -> Bearing:
    """What can be done by a kernel that lacks these parts: for each why, "" if it is there."""
    missing = {kind: part for kind, part in NEEDED.items() if lacks[part]}
    return Bearing(
        frozenset(NEEDED.keys() - missing.keys()),
        {kind: f"without a proxy it takes {part}: {lacks[part]}" for kind, part in missing.items()}
        | {"": PACKETS_ONLY},
    )


@dataclass(frozen=True, slots=True)
class Ends:
    """One connection: the containers at its ends, by id, each with its addresses, and its port."""

    callers: Mapping[str, tuple[str, ...]]
    dependencies: Mapping[str, tuple[str, ...]]
    port: int

    def rules(self, toxics: Sequence[Toxic]) -> dict[str, list[Rule]]:
        """What is to be done in the network of each container."""
        found: dict[str, list[Rule]] = {}
        for toxic in toxics:
            rule = _rule(toxic, self.port)
            near, far = (self.callers, self.dependencies) if rule.calls else (self.dependencies, self.callers)
            for container in near:
                peers = (address for addresses in far.values() for address in addresses)
                found.setdefault(container, []).extend(replace(rule, peer=peer) for peer in peers)
        return {container: merged(rules) for container, rules in found.items()}


def merged(rules: Sequence[Rule]) -> list[Rule]:
    """Each once; a way that is both narrow and late is one way."""
    ways: dict[tuple[object, ...], Rule] = {}
    for rule in rules:
        key = (rule,) if rule.deed != SLOW else (rule.peer, rule.port, rule.calls)
        other = ways.get(key)
        ways[key] = rule if other is None or rule.deed != SLOW else _slower(other, rule)
    return list(ways.values())


def _slower(one: Rule, other: Rule) -> Rule:
    kbps = min(filter(None, (one.kbps, other.kbps)), default=0.0)
    late = max((one, other), key=lambda rule: rule.late_ms)
    return replace(late, kbps=kbps)


def _rule(toxic: Toxic, port: int) -> Rule:
    number = toxic.attributes.get
    calls = toxic.stream is Stream.UPSTREAM
    match toxic.kind:
        case "loss":
            return Rule(LOSE, "", port, percent=number("percent", 0.0))
        case "bandwidth":
            return Rule(SLOW, "", port, calls, kbps=8 * number("rate", 0.0))
        case "latency":
            late_ms, jitter_ms = number("latency", 0.0), number("jitter", 0.0)
            return Rule(SLOW, "", port, calls, late_ms=late_ms, jitter_ms=jitter_ms)
    deeds = {"timeout": DROP, REFUSING: REFUSE, "reset_peer": RESET}
    return Rule(deeds[toxic.kind], "", port)
