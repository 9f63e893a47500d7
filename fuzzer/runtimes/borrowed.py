"""Proxies on a Toxiproxy server of somebody else: written down before they are made, taken away for the dead.

The server outlives us, and keeps what it was told. So a file in the folder of states says which proxies a run
has there; it goes when they go.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from secrets import token_hex

from fuzzer import procfs
from fuzzer.edges.client import EdgeProxyClient
from fuzzer.files import write_atomically
from fuzzer.procfs import Identity
from models.errors import RuntimeUnavailable

PREFIX = "borrowed-"


@contextmanager
def noted(state: Path, url: str, names: Sequence[str]) -> Iterator[None]:
    """While this lasts, a file says that this process has proxies of these names on a server."""
    path = state / f"{PREFIX}{token_hex(4)}.json"
    me = Identity.of(os.getpid())
    owner = asdict(me) if me else None
    data = {"url": url, "names": list(names), "owner": owner, "place": procfs.here()}
    write_atomically(path, json.dumps(data) + "\n")
    try:
        yield
    except RuntimeUnavailable:
        raise  # the server does not answer: they may still be there
    except BaseException:
        path.unlink()
        raise
    path.unlink()


def give_back(state: Path, heir_of: int | None = None) -> list[str]:
    """Take away the proxies of runs that died; returns what was done, a sentence each.

    Args:
        state: the folder of states.
        heir_of: the pid of the one dead run that is meant; None for every dead run.

    Raises:
        RuntimeUnavailable: a server does not answer; its file stays.
    """
    done = []
    for path in sorted(state.glob(f"{PREFIX}*.json")):
        with suppress(OSError, ValueError, KeyError, TypeError):  # somebody else has just done it
            data = json.loads(path.read_text(encoding="utf-8"))
            owner = Identity(**data["owner"])
            if data["place"] != procfs.here() or owner.alive() or heir_of not in (None, owner.pid):
                continue
            with closing(EdgeProxyClient(str(data["url"]))) as client:
                there = client.proxies()
                for name in there.keys() & set(data["names"]):
                    client.delete(name)
            path.unlink()
            done.append(f"took the proxies of pid {owner.pid} off {data['url']}")
    return done
