"""The connections that a target's environment variables name: where a proxy can be put in between."""

from __future__ import annotations

from dataclasses import dataclass, field

from models.bearing import Bearing


@dataclass(frozen=True, slots=True)
class Wire:
    """``caller`` finds ``dependency`` at a variable's address, on a port of its container.

    Attributes:
        scheme: of the URL, in lower case; "" where the address stands alone.
        bears: what can be done to it where the target runs; None before that is known.
    """

    caller: str
    dependency: str
    port: int
    scheme: str = ""
    bears: Bearing | None = field(default=None, compare=False)

    @property
    def name(self) -> str:
        """What its proxy is called."""
        return f"{self.caller}--{self.dependency}--{self.port}"

    @property
    def edge(self) -> tuple[str, str]:
        """Caller and dependency."""
        return self.caller, self.dependency
