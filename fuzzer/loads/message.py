"""A request as bytes, ready but for the word that no other request has."""

from __future__ import annotations

from urllib.parse import quote, urlsplit

from fuzzer.loads.order import Target
from models.load import ID

MAY_HAVE_BODY = ("POST", "PUT", "PATCH")
URL_SAFE = "/%:@!$&'()*+,;=~?{}[]|^"
_ID = ID.encode()


class Message:
    """One kind of request; what the target says goes before what is sent by default."""

    def __init__(self, target: Target) -> None:
        body = None if target.body is None else target.body.encode()
        headers = {
            "host": ("Host", urlsplit(target.url).netloc.rpartition("@")[2]),
            "user-agent": ("User-Agent", "knockon"),
            "accept": ("Accept", "*/*"),
            "accept-encoding": ("Accept-Encoding", "identity"),
        }
        if body is not None:
            headers["content-type"] = ("Content-Type", "application/json")
        headers |= {name.lower(): (name, value) for name, value in target.headers.items()}
        self._counts = (body is not None or target.method in MAY_HAVE_BODY) and not (
            {"content-length", "transfer-encoding"} & headers.keys()
        )
        lines = [f"{target.method} {quote(target.path, safe=URL_SAFE)} HTTP/1.1"]
        lines += [f"{_one_line(name)}: {_one_line(value)}" for name, value in headers.values()]
        self._head = "\r\n".join(lines).encode()
        self._body = body or b""
        self._same_for_all = _ID not in self._head and _ID not in self._body
        self._whole = self._with(b"")

    def for_word(self, word: str) -> bytes:
        """The request with ``word`` in each place of ``{id}``."""
        return self._whole if self._same_for_all else self._with(word.encode())

    def _with(self, word: bytes) -> bytes:
        head, body = self._head.replace(_ID, word), self._body.replace(_ID, word)
        length = b"\r\nContent-Length: %d" % len(body) if self._counts else b""
        return b"%b%b\r\n\r\n%b" % (head, length, body)


def _one_line(text: str) -> str:
    """A header cannot hold a line end: it would begin another one."""
    return " ".join(text.splitlines()) if text else text
