"""Asks a server one harmless thing, and measures the answer: when it began, when it was over, how it ended.

How to ask depends on what the server speaks. Who speaks something unknown is not asked.
"""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Callable, Mapping

from models.answer import Answer

MOST_BYTES = 1 << 20
LINGER_S = 0.05
"""Who keeps the connection open is not waited for longer than this after the answer."""

_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})")


def _http(host: str, path: str) -> bytes:
    head = [f"GET {path} HTTP/1.1", f"Host: {host}", "User-Agent: knockon", "Accept: */*"]
    return "\r\n".join([*head, "Connection: close", "", ""]).encode()


def _postgres(host: str, path: str) -> bytes:
    """SSLRequest: answered with one byte (PostgreSQL, "Message Formats")."""
    return b"\x00\x00\x00\x08\x04\xd2\x16\x2f"


def _redis(host: str, path: str) -> bytes:
    return b"PING\r\n"


QUESTIONS: Mapping[str, Callable[[str, str], bytes]] = {
    "http": _http,
    "postgres": _postgres,
    "postgresql": _postgres,
    "redis": _redis,
}
"""By the scheme of a URL; of ``postgresql+asyncpg`` what stands before the plus."""


def is_known(scheme: str) -> bool:
    """Whether there is a question for this scheme."""
    return scheme.partition("+")[0] in QUESTIONS


def ask(address: tuple[str, int], scheme: str, host: str, path: str, timeout_s: float) -> Answer:
    """Ask once, on a connection of its own.

    Args:
        address: where to connect to.
        scheme: what is spoken there; has to be known.
        host: what an HTTP server is told that it is called.
        path: what an HTTP server is asked for.
        timeout_s: for everything together.
    """
    began_s = time.monotonic()
    deadline_s = began_s + timeout_s
    received, first_ms, ended, error = b"", None, False, ""
    question = QUESTIONS[scheme.partition("+")[0]](host, path)
    ends = scheme == "http"  # the others go on waiting for the next question
    try:
        with socket.create_connection(address, timeout_s) as connection:
            connection.sendall(question)
            while len(received) < MOST_BYTES:
                left_s = deadline_s - time.monotonic()
                if first_ms is not None and not ends:
                    left_s = min(left_s, LINGER_S)
                connection.settimeout(max(left_s, 0.001))
                piece = connection.recv(65536)
                first_ms = first_ms or _ms_since(began_s) if piece else first_ms
                if not piece:
                    ended = True
                    break
                received += piece
    except ConnectionRefusedError:
        error = "refused"
    except TimeoutError:
        error = "" if first_ms is not None and not ends else "timeout"
    except OSError:
        error = "reset"
    status = _STATUS.match(received)
    return Answer(
        first_ms, _ms_since(began_s), int(status[1]) if status else None, len(received), ended, error
    )


def _ms_since(began_s: float) -> float:
    return (time.monotonic() - began_s) * 1000
