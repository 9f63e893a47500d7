"""What a probe is: one question to one service, asked again and again by a ``Prober``.

A probe keeps whatever makes the next question cheap (a connection, say) and knows nothing of
intervals, histories or policies. To add a kind of probe: one file with a class that has these two
methods. The smallest example is ``running.py``.
"""

from __future__ import annotations

from typing import Protocol


class Probe(Protocol):
    """Asks one service whether it is well."""

    def check(self, timeout_s: float) -> tuple[bool, str]:
        """Ask once, for at most ``timeout_s`` in all: whether it is healthy, and why not.

        Never raises: whatever goes wrong is an answer. The detail is a short phrase for people,
        ``""`` or the status when healthy.
        """
        ...

    def close(self) -> None:
        """Give up what is kept. Called from another thread, it ends a check that is under way."""
        ...
