"""For a service without a health endpoint: it is as healthy as its process."""

from __future__ import annotations

from collections.abc import Callable


class RunningProbe:
    """Healthy while ``trouble`` returns ``""``; otherwise it returns the reason, such as "frozen"."""

    def __init__(self, trouble: Callable[[], str]) -> None:
        self._trouble = trouble

    def check(self, timeout_s: float) -> tuple[bool, str]:
        """Look at the process; there is nobody to wait for."""
        trouble = self._trouble()
        return not trouble, trouble or "runs"

    def close(self) -> None:
        """Nothing is kept."""
