"""The words of the tools in ours: what went wrong with a request, which endpoint it was, where it went."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

NAME_CHARACTERS_MOST = 200

PORTS = {"http": 80, "https": 443}

KINDS: tuple[tuple[str, str], ...] = (
    # What the tool itself did, or ran out of: it tells nothing about the fleet.
    (r"too many open files|emfile|enfile|cannot assign requested address|eaddrnotavail", "unsent"),
    (r"address already in use|eaddrinuse|context canceled|request cancell?ed", "unsent"),
    # Longer causes first: "lookup shop: i/o timeout" is dns, "TLS handshake timeout" is timeout.
    (r"no such host|\blookup |enotfound|eai_|gaierror|getaddrinfo|name or service|name resolution", "dns"),
    (r"nameresolution", "dns"),
    (r"refused", "refused"),
    (r"timeout|timed ?out|etime|deadline exceeded", "timeout"),
    (r"x509|certificate|cert_|_cert|\btls\b|ssl|eproto\b", "tls"),
    (r"reset|epipe|broken pipe|\beof\b|hang up|aborted|closed connection|remotedisconnected", "reset"),
    (r"server closed|connection closed|disconnected|goaway|stream error", "reset"),
    (r"unreach|no route|ehostdown|enetdown", "unreachable"),
    (r"malformed|hpe_|parse error|badstatusline|incompleteread|invalid (header|chunk|response)", "garbage"),
    (r"chunk|decod|decompress|protocol", "garbage"),
    (r"catchresponse|capture or match|failed expect", "wrong-body"),
)
"""Patterns in what Go, Node and Python say, in lower case; the first that is found counts."""

_COMPILED = tuple((re.compile(pattern), kind) for pattern, kind in KINDS)
_STATUS = re.compile(r"\b([45]\d\d) (?:server|client) error|\bcode=([45]\d\d)\b")


def kind_of(text: str) -> str:
    """What an error says, as in ``ToolRequest``; ``HTTP 503`` for an error that is an answer.

    ``unsent`` for what is the tool's own, or nothing that we know: that may be a mistake in the user's
    script, and must not be held against the fleet.
    """
    said = text[:2000].lower()
    if status := _STATUS.search(said):
        return f"HTTP {status[1] or status[2]}"
    return next((kind for pattern, kind in _COMPILED if pattern.search(said)), "unsent")


def error_of(text: str) -> str:
    """The same, of a request that had no answer."""
    kind = kind_of(text)
    return "garbage" if kind == "wrong-body" or kind.startswith("HTTP") else kind


def endpoint_of(method: str, name: str) -> str:
    """``GET /products`` for a URL or a path, without its query; else the name that was given."""
    method, name = method.upper()[:16], name[:2000]
    path = name
    if "://" in name or name.startswith("/"):
        path = _path(name)
    if not method or path.upper().startswith(f"{method} "):
        return path[:NAME_CHARACTERS_MOST]
    return f"{method} {path}"[:NAME_CHARACTERS_MOST]


def origin_of(url: str) -> str:
    """``http://host:port`` of a URL, the port always named; "" for what is none."""
    try:
        parts = urlsplit(url[:2000])
        port = parts.port or PORTS.get(parts.scheme)
    except ValueError:
        return ""
    if not parts.hostname or port is None:
        return ""
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}:{port}"


def _path(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    return parts.path or "/"
