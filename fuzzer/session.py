"""The one assembler: options become objects. Only this file names concrete runtimes.

RunConfig ──▶ target ──▶ runtime ──▶ recorder ──▶ runner ──▶ campaign
"""

from __future__ import annotations

import os
import shlex
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from fuzzer.actions.base import Action
from fuzzer.actions.catalogue import available
from fuzzer.events import Events, Listener
from fuzzer.loads.running import RunningLoads
from fuzzer.recorder import Recorder
from fuzzer.runner import Runner
from fuzzer.runtimes.base import Runtime
from fuzzer.search.campaign import Campaign, SearchOptions
from fuzzer.search.findings import FindingStore
from fuzzer.targets.files import load_target
from invariants.base import Invariant
from invariants.catalogue import INVARIANTS
from models.errors import Inconclusive, RequestError
from models.target import Target

DEFAULT_TARGET = (Path("compose.yaml"), Path("compose.hardened.yaml"))


@dataclass(frozen=True)
class RunConfig:
    """Everything that a command line says.

    Attributes:
        targets: compose files, merged in this order; none for the example shop.
        project: a compose project's name; alone, the project is discovered from its labels.
        runtime: ``local`` or ``docker``; None chooses: local for the example, else docker.
        pins: the folder of pins; None for ``pins`` beside the first compose file.
        state: where findings, logs and journals are kept.
        promises: the invariants that judge, by name; none for all.
    """

    targets: tuple[Path, ...] = ()
    project: str | None = None
    runtime: str | None = None
    pins: Path | None = None
    state: Path = Path(".knockon")
    search: SearchOptions = field(default_factory=SearchOptions)
    promises: tuple[str, ...] = ()

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
        return "".join(f" {shlex.quote(word)}" for word in words)


def example_shop() -> tuple[Path, ...]:
    """The hardened example shop: in a checkout beside this package, in a wheel inside it."""
    here = Path(__file__).resolve().parent
    for folder in (here / "example_shop", here.parent / "examples" / "shop"):
        if folder.is_dir():
            return tuple(folder / name for name in DEFAULT_TARGET)
    raise RequestError("the example shop is not installed; name a compose file with --target")


def read_target(config: RunConfig, environ: Mapping[str, str] | None = None) -> Target:
    """The target that the options name.

    Raises:
        TargetError: with all its problems.
        RuntimeUnavailable: a project was to be discovered, and no engine answers.
    """
    environ = os.environ if environ is None else environ
    if config.files:
        return load_target(config.files, environ)
    from fuzzer.runtimes.docker.clients import Clients
    from fuzzer.targets.project import discover_project

    assert config.project is not None
    with closing(Clients().connect()) as client:
        return discover_project(config.project, client, environ)


def _local(target: Target, config: RunConfig) -> Runtime:
    from fuzzer.runtimes.local.runtime import LocalRuntime

    return LocalRuntime(target, state_dir=config.state)


def _docker(target: Target, config: RunConfig) -> Runtime:
    from fuzzer.runtimes.docker.runtime import DockerRuntime

    return DockerRuntime(target, project=config.project or target.name)


RUNTIMES: Mapping[str, Callable[[Target, RunConfig], Runtime]] = {"local": _local, "docker": _docker}


@dataclass(frozen=True)
class Session:
    """A fleet that is up and watched, and what to do with it."""

    config: RunConfig
    target: Target
    runtime: Runtime
    recorder: Recorder
    runner: Runner
    actions: Mapping[str, Action]
    events: Events

    def campaign(self, options: SearchOptions | None = None) -> Campaign:
        """A search with the session's options, or others."""
        return Campaign(
            self.target,
            self.runtime,
            self.runner,
            self.actions,
            self.config.invariants,
            FindingStore(self.config.state / "findings"),
            self.events,
            options or self.config.search,
        )


@contextmanager
def open_session(config: RunConfig, *listeners: Listener) -> Iterator[Session]:
    """Read the target, start or adopt its fleet, watch it; heal and leave it at the end.

    What an earlier run left broken is healed first. SIGTERM ends a session like Ctrl-C does.

    Raises:
        RequestError: the target or the options are wrong; nothing was touched.
        RuntimeUnavailable: the engine or supervisor does not answer.
    """
    target = read_target(config)
    invariants = config.invariants
    if not target.faultable:
        raise RequestError(
            f"{target.name}: no service may be touched; set `enabled: true` under x-knockon at the top of "
            'the compose file, or give services the label knockon.enable: "true"'
        )
    events = Events(*listeners)
    with open_runtime(config, target) as runtime:
        heal_leftovers(runtime)
        recorder = Recorder(target.topology.services, target.limits)
        runtime.watch(recorder)
        loads = RunningLoads(recorder, runtime.clock.now)
        runner = Runner(target, runtime, recorder, invariants, events, loads)
        try:
            yield Session(config, target, runtime, recorder, runner, available(runtime), events)
        except BaseException:
            with suppress(Inconclusive):  # the journal keeps what cannot be undone now
                runner.leave_steady()
            raise
        runner.leave_steady()


@contextmanager
def open_runtime(config: RunConfig, target: Target) -> Iterator[Runtime]:
    """Start or adopt the fleet of a target; SIGTERM ends that like Ctrl-C does.

    Raises:
        RequestError: there is no such runtime, or it cannot run this target.
        RuntimeUnavailable: the engine or supervisor does not answer.
    """
    make = RUNTIMES.get(config.runtime_name)
    if make is None:
        raise RequestError(
            f"there is no runtime {config.runtime_name!r}; expected one of: {', '.join(RUNTIMES)}"
        )
    with _terminable(), make(target, config) as runtime:
        yield runtime


def heal_leftovers(runtime: Runtime) -> list[str]:
    """Undo what dead fuzzers left behind, the newest first; returns what was undone, as text."""
    told = []
    for entry, undos in reversed(runtime.journal.pending().items()):
        for undo in reversed(undos):
            runtime.undo(undo)
            told.append(f"{undo.verb} {' '.join(undo.services)}")
        runtime.journal.remove(entry)
    return told


@contextmanager
def _terminable() -> Iterator[None]:
    """Let SIGTERM end the run as Ctrl-C does, so that it heals."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
