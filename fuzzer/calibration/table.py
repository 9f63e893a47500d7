"""What is known of a fleet, as rows of a table: service, what, how, and how many samples say so."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median

from fuzzer.calibration.facts import Measured
from fuzzer.calibration.knowledge import KnownFleet, KnownReaction, KnownService
from models.behaviour import Away, Response, Until
from models.target import Target

HEADINGS = ("service", "what", "learnt", "samples")

WORDS = {
    Measured.START: "starts in",
    Measured.UNCLEAN_START: "starts after an unclean death in",
    Measured.STOP: "stops in",
    Measured.HEALTH: "answers its health probe in",
    Measured.NOTICE: "errs without a dependency after",
    Measured.RECOVERY: "is back after an exit in",
}
HOW = {Away.GONE: "is gone", Away.HUNG: "hangs", Away.SICK: "is sick"}


def rows(fleet: KnownFleet, target: Target) -> list[tuple[str, str, str, str]]:
    """In the order of the topology."""
    return [
        (name, *row)
        for name in target.topology.services
        if name in fleet.services
        for row in _rows(fleet.services[name])
    ]


def _rows(known: KnownService) -> Iterator[tuple[str, str, str]]:
    for what, words in WORDS.items():
        if what in known.took:
            times = known.took[what]
            unit = "ms" if what is Measured.HEALTH else "s"
            yield words, f"{times.typical:.3g} {unit}", str(times.samples)
    if known.starts_unclean.samples:
        usual = known.starts_unclean.usual
        does = "starts" if usual == "starts" else f"exits with code {usual}"
        yield "after an unclean death", does, str(known.starts_unclean.samples)
    for other, outcomes in sorted(known.starts_without.items()):
        yield f"starting without {other}", outcomes.usual, str(outcomes.samples)
    for seen in sorted(known.reactions, key=lambda one: (one.to, one.away)):
        mark = "" if seen.declared else " (not declared)"
        yield f"while {seen.to} {HOW[seen.away]}{mark}", _does(seen), _samples(seen)


def _does(seen: KnownReaction) -> str:
    words = [str(seen.then)]
    delays_s = [one.delay_s for one in seen.agreeing if one.delay_s is not None]
    if delays_s and seen.then is not Response.SERVES:
        words.append(f"after {median(delays_s):.2f} s")
    delays_ms = [one.delay_ms for one in seen.agreeing if one.delay_ms is not None]
    if delays_ms:
        words.append(f"by {median(delays_ms):.0f} ms")
    if [one.until for one in seen.agreeing].count(Until.RESTART) > len(seen.agreeing) / 2:
        words.append("until it is restarted")
    return " ".join(words)


def _samples(seen: KnownReaction) -> str:
    others = len(seen.recent) - len(seen.agreeing)
    return (
        f"{seen.samples}, {others} of the last {len(seen.recent)} otherwise" if others else str(seen.samples)
    )
