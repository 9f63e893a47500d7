"""``python -m fuzzer.edges``: the edge proxy as a process.

It prints one line when it listens, ``{"api": "127.0.0.1:4242"}``, and goes on until it is told to end:
SIGTERM, SIGINT, or (with ``--until-eof``) the end of its input, which comes also when the process that
started it was killed.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import resource
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from fuzzer.edges.address import Address
from fuzzer.edges.api import Api
from fuzzer.edges.problems import Problem
from fuzzer.edges.proxies import Proxies
from fuzzer.edges.reading import read_json, wanted_proxies
from fuzzer.edges.web import Web

CANNOT = 2
"""The exit code when it was asked for something that is not possible."""
READ_BYTES = 65_536
LOOK_UPS_MOST = 64


def main() -> None:
    """Serve until the end."""
    parser = argparse.ArgumentParser(prog="python -m fuzzer.edges", description="A TCP proxy for each edge.")
    parser.add_argument("--api", default="127.0.0.1:8474", help="HOST:PORT of the HTTP API; port 0: any")
    given = parser.add_mutually_exclusive_group()
    given.add_argument("--config", type=Path, help="a file with a JSON list of proxies, as of Toxiproxy")
    given.add_argument("--proxies", metavar="JSON", help="the same list itself")
    parser.add_argument("--seed", default="0", help="of all random decisions")
    parser.add_argument("--ttl", type=float, help="seconds without a call after which everything heals")
    parser.add_argument("--until-eof", action="store_true", help="end when standard input ends")
    options = parser.parse_args()
    if options.ttl is not None and not options.ttl > 0:
        parser.error("--ttl must be more than 0")
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: os._exit(0))  # as process 1 of a container it must be asked for
    if options.until_eof:
        threading.Thread(target=_end_with_input, daemon=True).start()
    _many_files()
    try:
        asyncio.run(_serve(options))
    except (Problem, OSError, ValueError) as error:
        print(f"fuzzer.edges: {error}", file=sys.stderr)  # noqa: T201
        sys.exit(CANNOT)


async def _serve(options: argparse.Namespace) -> None:
    # Names are looked up in threads. That of a service that is gone may take seconds, and many such
    # look-ups must not keep the connections of healthy edges waiting.
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(LOOK_UPS_MOST))
    proxies = Proxies(options.seed)
    listed = options.config.read_bytes() if options.config else (options.proxies or "[]").encode()
    await proxies.populate(wanted_proxies(read_json(listed)))
    api = Api(proxies)
    where = await Web(api).listen(Address.parse(options.api))
    print(json.dumps({"api": str(where)}), flush=True)  # noqa: T201
    gc.collect()
    gc.freeze()
    while True:
        await asyncio.sleep(min(1.0, options.ttl / 4) if options.ttl else 3600.0)
        if options.ttl and time.monotonic() - api.called_s > options.ttl:
            with suppress(Problem):
                await api.heal()


def _end_with_input() -> None:
    with suppress(OSError):
        while os.read(0, READ_BYTES):
            pass
    os._exit(0)


def _many_files() -> None:
    """Two for each connection: as many as this process may ask for."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


if __name__ == "__main__":
    main()
