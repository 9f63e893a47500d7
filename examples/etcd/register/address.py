"""Where a member is: a host name turned into an IP address, without ever waiting long.

A name server that is asked for a stopped container's name may take seconds to say no. So names are
resolved in a thread of their own, and meanwhile the last known address is tried.
"""

from __future__ import annotations

import contextlib
import socket
import threading

RESOLVE_S = 0.2


class Address:
    """A host and port; an IP address stands for itself."""

    def __init__(self, host: str, port: int) -> None:
        self.host, self.port = host, port
        self._literal = host.replace(".", "").isdigit()
        self._ip = host if self._literal else ""
        self._fresh = self._literal
        self._lock = threading.Lock()
        self._asking: threading.Thread | None = None

    def get(self) -> tuple[str, int]:
        """The address to connect to; OSError while the name was never known."""
        if not self._fresh:
            asking = self._ask()
            if not self._ip:
                asking.join(RESOLVE_S)
        if not self._ip:
            raise OSError(f"{self.host} has no address yet")
        return self._ip, self.port

    def distrust(self) -> None:
        """It did not answer: the name may stand for another address by now."""
        self._fresh = self._literal

    def _ask(self) -> threading.Thread:
        with self._lock:
            if self._asking is None or not self._asking.is_alive():
                self._asking = threading.Thread(target=self._resolve, daemon=True)
                self._asking.start()
            return self._asking

    def _resolve(self) -> None:
        with contextlib.suppress(OSError):
            self._ip = socket.gethostbyname(self.host)
            self._fresh = True
