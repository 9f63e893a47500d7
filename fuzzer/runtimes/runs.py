"""What one run of knockon tells others about itself: its process, its command, and since when.

Two runs on one fleet would each take the other's faults for the fleet's own behaviour.
"""

from __future__ import annotations

import shlex
import sys
from datetime import datetime
from pathlib import Path

COMMAND_MOST = 120
"""Characters; more of a command tells a person nothing."""


def this_command() -> str:
    """The command line of this process, as it was typed."""
    program, *words = sys.argv
    text = shlex.join([Path(program).name, *words])
    return text if len(text) <= COMMAND_MOST else text[: COMMAND_MOST - 1] + "…"


def told(pid: int, command: str, since_s: float, place: str = "") -> str:
    """A run by its name, for a sentence; ``since_s`` are seconds since 1970, ``place`` is another machine."""
    there = f" on {place}" if place else ""
    return f"pid {pid}{there} ({command}), since {datetime.fromtimestamp(since_s):%Y-%m-%d %H:%M:%S}"
