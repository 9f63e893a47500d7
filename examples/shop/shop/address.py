"""Where a neighbour is: a host name turned into an IP address, without ever waiting long.

A name server that is asked for a stopped container's name may take seconds to say no. So names are
resolved in a thread of their own, and meanwhile the last known address is tried, which is usually
still right. Only who never knew one waits, and not longer than `RESOLVE_S`.
"""

from __future__ import annotations

import contextlib
import socket
import threading

RESOLVE_S = 0.3


class Address:
    """A host and port; an IP address stands for itself."""

    def __init__(self, host: str, port: int) -> None:
        self.host, self.port = host, port
        self._ip = host if host.replace(".", "").isdigit() else ""
        self._literal = bool(self._ip)
        self._fresh = self._literal
        self._asking: threading.Thread | None = None

    def get(self) -> tuple[str, int]:
        """The address to connect to; OSError when the name was never known."""
        if not self._fresh:
            if self._asking is None or not self._asking.is_alive():
                self._asking = threading.Thread(target=self._resolve, daemon=True)
                self._asking.start()
            if not self._ip:
                self._asking.join(RESOLVE_S)
        if not self._ip:
            raise OSError(f"{self.host} has no address yet")
        return self._ip, self.port

    def distrust(self) -> None:
        """Connecting failed: the name may stand for another address by now."""
        self._fresh = self._literal

    def _resolve(self) -> None:
        with contextlib.suppress(OSError):
            self._ip = socket.gethostbyname(self.host)
            self._fresh = True
