"""Everything that a command line says, as one value; the session makes objects of it."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from fuzzer.runs.folder import STATE
from fuzzer.search.campaign import SearchOptions
from invariants.base import Invariant
from invariants.catalogue import INVARIANTS
from models.coverage import Dimension
from models.errors import RequestError
from models.target import Target

DEFAULT_TARGET = (Path("compose.yaml"), Path("compose.hardened.yaml"))


@dataclass(frozen=True)
class RunConfig:
    """Everything that a command line says.

    Attributes:
        targets: compose files, merged in this order; none for the example shop.
        project: a compose project's name; alone, the project is discovered from its labels.
        runtime: ``local``, ``docker`` or ``sim``; None chooses: local for the example, else docker.
        pins: the folder of pins; None for ``pins`` beside the first compose file.
        state: where findings, logs and journals are kept.
        promises: the invariants that judge, by name; none for all.
        edge_proxy: the URL of a Toxiproxy server to use; "off" for direct connections; None for proxies of
            our own.
        actions: the actions to draw, by name; none for all.
        metrics_port: where metrics of the run are served; None for nowhere.
        min_coverage: the share that a search has to exercise, in each dimension that is named.
        allow_remote: whether an engine may be touched that is not this machine's.
        meant: names that look like production and may be touched all the same.
    """

    targets: tuple[Path, ...] = ()
    project: str | None = None
    runtime: str | None = None
    pins: Path | None = None
    state: Path = STATE
    search: SearchOptions = field(default_factory=SearchOptions)
    promises: tuple[str, ...] = ()
    edge_proxy: str | None = None
    actions: tuple[str, ...] = ()
    metrics_port: int | None = None
    min_coverage: Mapping[Dimension, float] = field(default_factory=dict)
    allow_remote: bool = False
    meant: tuple[str, ...] = ()

    @property
    def files(self) -> tuple[Path, ...]:
        """The compose files that are read."""
        if self.targets or self.project:
            return self.targets
        return example_shop()

    @property
    def runtime_name(self) -> str:
        """The runtime, chosen if none was named."""
        return self.runtime or ("docker" if self.targets or self.project else "local")

    def pins_folder(self, target: Target) -> Path:
        """Where pins are."""
        return self.pins or target.directory / "pins"

    @property
    def invariants(self) -> tuple[Invariant, ...]:
        """The invariants that judge, the gravest first.

        Raises:
            RequestError: there is no such invariant.
        """
        known = [invariant.name for invariant in INVARIANTS]
        for name in self.promises:
            if name not in known:
                raise RequestError(f"there is no promise {name!r}; expected one of: {', '.join(known)}")
        return tuple(one for one in INVARIANTS if not self.promises or one.name in self.promises)

    def options(self) -> str:
        """The command-line options that lead to the same fleet, with a space before each."""
        words = [word for path in self.targets for word in ("--target", str(path))]
        words += ["--project", self.project] if self.project else []
        words += ["--runtime", self.runtime_name] if self.targets or self.project or self.runtime else []
        words += ["--edge-proxy", self.edge_proxy] if self.edge_proxy else []
        words += ["--allow-remote"] if self.allow_remote else []  # but a name is typed each time
        return "".join(f" {shlex.quote(word)}" for word in words)


def example_shop() -> tuple[Path, ...]:
    """The hardened example shop: in a checkout beside this package, in a wheel inside it."""
    here = Path(__file__).resolve().parent
    for folder in (here / "example_shop", here.parent / "examples" / "shop"):
        if folder.is_dir():
            return tuple(folder / name for name in DEFAULT_TARGET)
    raise RequestError("the example shop is not installed; name a compose file with --target")
