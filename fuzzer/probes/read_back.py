"""Reads back what clients were told is stored.

An id that is nowhere to be found is asked for again for a second: a store that has just recovered may
need a moment. What cannot be read at all proves nothing, and no more than half a minute is spent on it.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

from fuzzer.probes.ask import FAILURES, ask
from models.load import ID, Fate, ReadBack, Written

WORKERS = 4
MOST = 2000
"""More than this are not read."""

TIMEOUT_S = 2.0
AGAIN_S = (0.2, 0.3, 0.5)
MOST_S = 30.0
"""How long all of it may take. A store that does not answer would hold up a run for an hour."""

ABSENT = (404, 410)


def read_back(written: Sequence[Written], urls: Mapping[str, str], most_s: float = MOST_S) -> list[ReadBack]:
    """The fate of each, in the order in which they were written.

    Args:
        written: those that matter most first, in case that they are too many.
        urls: ``http://host:port`` of each service that is asked, "" for those without an address.
        most_s: what is not read by then is unreadable.
    """
    until_s = time.monotonic() + most_s
    chosen = sorted(written[:MOST], key=lambda one: one.at_s)
    fates: dict[int, tuple[Fate, str]] = {}
    missing = list(range(len(chosen)))
    with ThreadPoolExecutor(WORKERS) as pool:
        for pause_s in (0.0, *AGAIN_S):  # in rounds: a pause for each that is lost would add up
            time.sleep(pause_s if missing else 0.0)
            found = pool.map(lambda n: _ask(chosen[n], urls[chosen[n].durable.entry], until_s), missing)
            fates |= zip(missing, found, strict=True)
            missing = [n for n in missing if fates[n][0] is not Fate.FOUND]
    return [
        ReadBack(one.load, one.endpoint, one.id, one.at_s, *fates[number])
        for number, one in enumerate(chosen)
    ]


def _ask(one: Written, url: str, until_s: float) -> tuple[Fate, str]:
    path = one.durable.path.replace(ID, quote(one.id, safe=""))
    left_s = until_s - time.monotonic()
    if not url:
        return Fate.UNREADABLE, f"{one.durable.entry} has no address now"
    if left_s <= 0:
        return Fate.UNREADABLE, f"GET {path}: not asked, reading back took too long"
    try:
        status, body = ask(url + path, min(TIMEOUT_S, left_s))
    except FAILURES as error:
        return Fate.UNREADABLE, f"GET {path}: {type(error).__name__}"
    said = f"GET {path}: HTTP {status}"
    if status in ABSENT:
        return Fate.LOST, said
    if status >= 400:
        return Fate.UNREADABLE, said
    if not _names(body.decode(errors="replace"), one.id):
        return Fate.UNREADABLE, f"{said}, but the answer does not name it"
    return Fate.FOUND, said


def _names(text: str, word: str) -> bool:
    """Whether ``word`` stands in the text, and not as a part of a longer one: 12 does not name 1."""
    return re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text) is not None
