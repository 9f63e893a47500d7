"""The members of the etcd cluster, asked through their JSON gateway until one gives a good answer.

One request tries one member after another until it is answered well or its time is over. That is
safe for a put because an entry is put once under an id that nobody else uses: a put that timed out
may or may not have been applied, and the same put again, by another member, changes nothing.
"""

from __future__ import annotations

import base64
import http.client
import json
import time
from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

from register.address import Address

ANSWER_S = 1.2
"""For how long a request is tried in all: longer than a usual election, which so is only a slow answer."""
ATTEMPT_S = 0.3
"""For how long one member is waited for: it may hang, or may still believe in a leader that is gone."""
PAUSE_S = 0.03
"""Between two rounds in which nobody had a good answer."""

Answer = dict[str, object]


class Unavailable(Exception):
    """No member gave a good answer in time; whether a put was applied is not known."""


class Member:
    """One member, and when it last failed (seconds of the monotonic clock)."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme != "http" or not parts.hostname:
            raise ValueError(f"found {url!r} among the members; expected a URL such as http://etcd-1:2379")
        self.url = url
        self.failed_s = 0.0
        self._address = Address(parts.hostname, parts.port or 80)

    def post(self, path: str, body: Answer, timeout_s: float) -> Answer:
        """The answer as an object; OSError, HTTPException or ValueError if there is no good one."""
        connection = http.client.HTTPConnection(*self._address.get(), timeout=timeout_s)
        try:
            connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
            response = connection.getresponse()
            content = response.read()
        finally:
            connection.close()
        if response.status != 200:
            raise OSError(f"HTTP {response.status}: {content[:200].decode(errors='replace').strip()}")
        answer = json.loads(content)
        if not isinstance(answer, dict):
            raise ValueError("the answer is not an object")
        return answer

    def failed(self) -> None:
        """Others are asked first from now on."""
        self.failed_s = time.monotonic()
        self._address.distrust()


class Cluster:
    """All members; whoever failed last is asked last."""

    def __init__(self, urls: Sequence[str]) -> None:
        self.members = [Member(url) for url in urls]

    def put(self, key: str, value: bytes) -> None:
        """Returns once etcd acknowledged it. The key must be one that nobody else puts."""
        self._ask("/v3/kv/put", {"key": _coded(key.encode()), "value": _coded(value)})

    def get(self, key: str) -> bytes | None:
        """What a linearizable read finds: every put acknowledged before is seen. None: no such key."""
        found = self._ask("/v3/kv/range", {"key": _coded(key.encode())}).get("kvs")
        # Protobuf's JSON leaves out what is empty, a value too.
        return base64.b64decode(found[0].get("value", "")) if isinstance(found, list) else None

    def count(self, prefix: str) -> int:
        """How many keys begin so, read as ``get`` reads."""
        end = prefix[:-1] + chr(ord(prefix[-1]) + 1)
        asked = {"key": _coded(prefix.encode()), "range_end": _coded(end.encode()), "count_only": True}
        return int(str(self._ask("/v3/kv/range", asked).get("count", 0)))

    def check(self) -> None:
        """Returns if some member can be reached and knows a leader."""
        self._ask("/v3/maintenance/status", {}, lambda status: status.get("leader", "0") != "0", 0.8)

    def _ask(
        self, path: str, body: Answer, good: Callable[[Answer], bool] = bool, answer_s: float = ANSWER_S
    ) -> Answer:
        """The first good answer of any member; Unavailable after ``answer_s`` seconds."""
        deadline_s = time.monotonic() + answer_s
        trouble = ""
        while True:
            for member in sorted(self.members, key=lambda member: member.failed_s):
                left_s = deadline_s - time.monotonic()
                if left_s <= 0:
                    raise Unavailable(trouble)
                try:
                    answer = member.post(path, body, min(ATTEMPT_S, left_s))
                except (OSError, http.client.HTTPException, ValueError) as error:
                    trouble = f"{member.url}: {error or type(error).__name__}"
                else:
                    if good(answer):
                        return answer
                    trouble = f"{member.url} knows no leader"
                member.failed()
            time.sleep(PAUSE_S)


def _coded(content: bytes) -> str:
    return base64.b64encode(content).decode()
