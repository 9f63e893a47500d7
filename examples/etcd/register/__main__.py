"""`python3 -m register`: serve until SIGTERM.

| variable | meaning | default |
|---|---|---|
| ETCD_URLS | the members' client URLs, separated by commas | |
| PORT, BIND | where to listen | 8300 on 0.0.0.0 |

A stop leaves requests that are under way without an answer: what was not answered was not promised.
"""

from __future__ import annotations

import os
import signal
import sys
import threading

from register.members import Cluster
from register.web import Server


def main() -> int:
    """Exit codes: 0 after SIGTERM or SIGINT, 2 for settings that cannot be."""
    urls = [url.strip() for url in os.environ.get("ETCD_URLS", "").split(",") if url.strip()]
    port = os.environ.get("PORT") or "8300"
    try:
        cluster = Cluster(urls)
        if not urls or not port.isdigit():
            raise ValueError(f"found ETCD_URLS={urls} and PORT={port}; expected URLs and a number")
    except ValueError as error:
        print(f"register: {error}", file=sys.stderr, flush=True)
        return 2
    with Server((os.environ.get("BIND") or "0.0.0.0", int(port)), cluster) as server:
        for number in (signal.SIGTERM, signal.SIGINT):
            # From a thread of its own: shutdown waits for the loop, which this very thread runs.
            signal.signal(number, lambda *_: threading.Thread(target=server.shutdown, daemon=True).start())
        server.serve_forever(poll_interval=0.1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
