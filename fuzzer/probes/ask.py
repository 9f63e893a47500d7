"""Asks for one page, once, with one deadline for everything and a limit for its length."""

from __future__ import annotations

import base64
import socket
import ssl
import time
from http.client import HTTPException, HTTPResponse, IncompleteRead
from typing import cast
from urllib.parse import quote, unquote, urljoin, urlsplit

from fuzzer.probes.http import Incoming, left_s

BODY_MOST_BYTES = 1 << 20
REDIRECTS_MOST = 5
REDIRECTS = (301, 302, 303, 307, 308)
URL_SAFE = "/%:@!$&'()*+,;=~?"

FAILURES = (OSError, HTTPException, ValueError)
"""What ``ask`` raises: no answer, not in time, or none that is of any use."""


def ask(url: str, timeout_s: float) -> tuple[int, bytes]:
    """``GET url``: its status and its body.

    Raises:
        FAILURES: it was not answered, or with more than a page.
    """
    deadline_s = time.monotonic() + timeout_s
    for _ in range(REDIRECTS_MOST):
        status, body, elsewhere = _ask_once(url, deadline_s)
        if status not in REDIRECTS or not elsewhere:
            return status, body
        url = urljoin(url, elsewhere)
    raise HTTPException(f"more than {REDIRECTS_MOST} redirects")


def _ask_once(url: str, deadline_s: float) -> tuple[int, bytes, str]:
    with _connect(url, deadline_s) as connection:
        connection.settimeout(left_s(deadline_s))
        connection.sendall(_request(url))
        answer = HTTPResponse(cast(socket.socket, Incoming(connection, deadline_s)), method="GET")
        answer.begin()
        body = answer.read(BODY_MOST_BYTES)
        if answer.length:
            raise IncompleteRead(body, answer.length)  # also of one that is too long
        if len(body) >= BODY_MOST_BYTES:
            raise HTTPException("too long")
        return answer.status, body, answer.headers.get("Location", "")


def _connect(url: str, deadline_s: float) -> socket.socket:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    connection = socket.create_connection((parts.hostname, port), left_s(deadline_s))
    if parts.scheme == "http":
        return connection
    try:
        return ssl.create_default_context().wrap_socket(connection, server_hostname=parts.hostname)
    except BaseException:
        connection.close()
        raise


def _request(url: str) -> bytes:
    parts = urlsplit(url)
    path = quote(parts.path or "/", safe=URL_SAFE)
    query = f"?{quote(parts.query, safe=URL_SAFE)}" if parts.query else ""
    head = [f"GET {path}{query} HTTP/1.1", f"Host: {parts.netloc.rpartition('@')[2]}"]
    head += ["User-Agent: knockon", "Accept: */*", "Accept-Encoding: identity", "Connection: close"]
    if parts.username is not None:
        user = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        head.append(f"Authorization: Basic {base64.b64encode(user.encode()).decode()}")
    return "\r\n".join([*head, "", ""]).encode()
