"""Asks a URL from a process of its own, so that what is measured is not what the fuzzer itself measured.

Run as a program with ``URL TIMES TIMEOUT_S``, here or in a container that has no more than Python: prints a
JSON list with one object for each question. With ``at-once`` behind these, all are asked at the same moment.
"""

import json
import socket
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit


def ask(url, timeout_s):
    parts = urlsplit(url)
    seen = {"first_ms": None, "last_ms": 0.0, "status": None, "size": 0, "error": ""}
    began_s = time.monotonic()
    try:
        with socket.create_connection((parts.hostname, parts.port or 80), timeout_s) as connection:
            connection.settimeout(timeout_s)
            head = f"GET {parts.path or '/'} HTTP/1.1\r\nHost: {parts.hostname}\r\nConnection: close\r\n\r\n"
            connection.sendall(head.encode())
            data = b""
            while piece := connection.recv(65536):
                if not data:
                    seen["first_ms"] = (time.monotonic() - began_s) * 1000
                data += piece
            seen["size"] = len(data)
            if data.startswith(b"HTTP/1."):
                seen["status"] = int(data.split()[1])
    except TimeoutError:
        seen["error"] = "timeout"
    except OSError as error:
        seen["error"] = type(error).__name__
    seen["last_ms"] = (time.monotonic() - began_s) * 1000
    return seen


if __name__ == "__main__":
    url, times, timeout_s = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    with ThreadPoolExecutor(times if sys.argv[4:] == ["at-once"] else 1) as pool:
        print(json.dumps(list(pool.map(ask, [url] * times, [timeout_s] * times))))
