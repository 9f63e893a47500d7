"""What guards one run, from before its begin to after its end."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from fuzzer.config import RunConfig
from fuzzer.safety.breaker import Breaker
from fuzzer.safety.refusals import refuse_by, refuse_remote, refuse_unmeant
from fuzzer.safety.rules import stop_file, windows
from fuzzer.safety.runs import About, Entry
from fuzzer.safety.signals import Signals
from fuzzer.safety.watch import Watch
from models.place import Place
from models.target import Target


@dataclass(frozen=True)
class Guard:
    """Signals, the rules that are asked while it goes on, and the breaker where somebody can suffer."""

    signals: Signals
    watch: Watch
    breaker: Breaker | None


@contextmanager
def guarded(config: RunConfig, target: Target, place: Place | None) -> Iterator[Guard]:
    """Refuse what must not be touched, and end the run as soon as that changes.

    Args:
        place: where the fleet runs; None where nothing is touched.

    Raises:
        RequestError: a safety rule refuses; nothing was touched.
    """
    rules = [stop_file(config.state)]
    if place:
        rules.append(windows(target))
        refuse_remote(place, allowed=config.allow_remote)
        refuse_unmeant(place, target, config.meant)
    refuse_by(rules)
    about = About(os.getpid(), target.name, config.runtime_name, str(config.state.resolve()))
    with Signals() as signals, Entry(about) as entry:
        try:
            with Watch([entry.asked, *rules], signals.stop) as watch:
                yield Guard(signals, watch, Breaker(target) if place else None)
        finally:
            entry.tell(signals.halt.ending if signals.halt else "")
