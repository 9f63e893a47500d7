"""Deeds as lines that a person can paste into a shell."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator

from fuzzer.exchange.deeds import Deed


def shell_lines(deeds: Iterable[Deed]) -> Iterator[str]:
    """One line a deed; what has no equivalent is a comment."""
    for deed in deeds:
        if deed.untold:
            yield f"# {deed.step}: {deed.untold}"
        elif deed.words[:2] == ("sh", "-c"):
            yield f"sudo {deed.words[2]}"
        elif deed.words:
            yield shlex.join(deed.words)
        else:
            yield f"sleep {deed.wait_s:g}"
