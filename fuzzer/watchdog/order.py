"""What a watchdog is told: whose death to wait for, and where that run leaves things."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

LOG = "watchdog.log"
"""In the folder of states; only there if some watchdog ever had to do something."""

WELL = b"well\n"
"""What a run says that ended well: there is nothing to heal."""


@dataclass(frozen=True, slots=True)
class Order:
    """One run.

    Attributes:
        pid: its process.
        runtime: the name of its runtime.
        state: its folder of states, absolute.
    """

    pid: int
    runtime: str
    state: Path

    def to_text(self) -> str:
        """What ``from_text`` reads."""
        return json.dumps({"pid": self.pid, "runtime": self.runtime, "state": str(self.state)})

    @classmethod
    def from_text(cls, text: str) -> Order:
        """Read what ``to_text`` wrote."""
        data = json.loads(text)
        return cls(int(data["pid"]), str(data["runtime"]), Path(data["state"]))
