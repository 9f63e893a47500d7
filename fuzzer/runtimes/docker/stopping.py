"""Who is just being stopped: a stop that was asked for goes on in the engine, though nobody waits for it.

The engine's state does not tell: a container that was sent SIGTERM runs, until it is down for good. But each
signal leaves an event, and each death another.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from docker import APIClient

from fuzzer.runtimes.docker.containers import Container

SPARE_S = 2.0
"""How much longer than the time that a container has for its end the engine may take to end it."""


def being_stopped(api: APIClient, every: Sequence[Container], engine_now_s: float) -> set[str]:
    """Ids of those that were sent a signal within the time that they have to end, and have not died since.

    Args:
        api: asks the engine.
        every: the containers to ask about.
        engine_now_s: by the engine's wall clock.
    """
    if not every:
        return set()
    longest_s = max(one.stop_s for one in every) + SPARE_S
    told: dict[str, Any] = {"container": [one.id for one in every], "event": ["kill", "die"]}
    # The engine reads fractions of a second; the SDK passes them on, though its types know whole ones only.
    since, until = f"{engine_now_s - longest_s:.9f}", f"{engine_now_s:.9f}"
    events = api.events(since, until, filters=told, decode=True)  # type: ignore[call-overload]
    signalled: set[str] = set()
    for event in events:
        (signalled.add if event["Action"] == "kill" else signalled.discard)(event["Actor"]["ID"])
    return signalled
