"""The one assembler: options become objects. Only this file names concrete runtimes.

RunConfig ──▶ target ──▶ runtime ──▶ recorder ──▶ runner ──▶ campaign
"""

from __future__ import annotations

import os
import shlex
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import FrameType

from fuzzer.actions.base import Action
from fuzzer.actions.catalogue import available
from fuzzer.anew import AnewPlayer
from fuzzer.calibration.files import learnt
from fuzzer.calibration.learner import Learner
from fuzzer.clients import HttpClients
from fuzzer.events import Events, Listener
from fuzzer.loads.base import Loads
from fuzzer.recorder import Recorder
from fuzzer.runner import Player, Runner
from fuzzer.runtimes.base import CanBeginAnew, CanSend, Modelled, Runtime
from fuzzer.search.campaign import Campaign, SearchOptions
from fuzzer.search.coverage import refuse_undefined
from fuzzer.search.findings import FindingStore
from fuzzer.targets.files import load_target
from invariants.base import Invariant
from invariants.catalogue import INVARIANTS
from models.coverage import Dimension
from models.errors import Inconclusive, RequestError, RuntimeUnavailable
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
        min_coverage: the share that a search has to exercise, in each dimension that is named.
    """

    targets: tuple[Path, ...] = ()
    project: str | None = None
    runtime: str | None = None
    pins: Path | None = None
    state: Path = Path(".knockon")
    search: SearchOptions = field(default_factory=SearchOptions)
    promises: tuple[str, ...] = ()
    min_coverage: Mapping[Dimension, float] = field(default_factory=dict)

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


def _sim(target: Target, config: RunConfig) -> Runtime:
    from fuzzer.runtimes.sim.runtime import SimRuntime

    return SimRuntime(target, learnt(target, config.state))


RUNTIMES: Mapping[str, Callable[[Target, RunConfig], Runtime]] = {
    "local": _local,
    "docker": _docker,
    "sim": _sim,
}


@dataclass(frozen=True)
class Session:
    """A fleet that is up and watched, and what to do with it."""

    config: RunConfig
    target: Target
    runtime: Runtime
    recorder: Recorder
    runner: Player
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
            kept=self.config.state / "examples",
            twin=self.twin,
        )

    @cached_property
    def twin(self) -> Player | None:
        """Plays in no time, as this fleet is believed to behave; None where it is a model itself."""
        if isinstance(self.runtime, Modelled):
            return None
        try:
            fleet = _sim(self.target, self.config)
        except RequestError as error:
            _note(f"nothing is asked of a simulation: {error}")
            return None
        assert isinstance(fleet, CanBeginAnew)
        return _anew_player(self.target, fleet, self.config.invariants, Events())


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
    refuse_undefined(target, config.min_coverage)
    with open_runtime(config, target) as runtime:
        real = not isinstance(runtime, Modelled)
        watching = (Learner(target, config.state, runtime.name, _note),) if real else ()
        events = Events(*listeners, *watching)
        heal_leftovers(runtime)
        recorder = Recorder(target.topology.services, target.limits)
        runtime.watch(recorder)
        runner = _player(target, runtime, recorder, invariants, events)
        try:
            yield Session(config, target, runtime, recorder, runner, available(runtime), events)
        except BaseException:
            with suppress(Inconclusive):  # the journal keeps what cannot be undone now
                runner.leave_steady()
            raise
        runner.leave_steady()


def _note(text: str) -> None:
    """Tell a person something that changes no verdict."""
    sys.stderr.write(f"note: {text}\n")


def _player(
    target: Target,
    runtime: Runtime,
    recorder: Recorder,
    invariants: tuple[Invariant, ...],
    events: Events,
) -> Player:
    """Who plays: on this fleet, or on one of its own for each scenario where that costs nothing."""
    if isinstance(runtime, CanBeginAnew):
        return _anew_player(target, runtime, invariants, events)
    return Runner(target, runtime, recorder, invariants, events, _loads(target, runtime, recorder))


def _anew_player(
    target: Target, runtime: CanBeginAnew, invariants: tuple[Invariant, ...], events: Events
) -> Player:
    @contextmanager
    def make() -> Iterator[Runner]:
        with runtime.anew() as fleet:
            recorder = Recorder(target.topology.services, target.limits)
            fleet.watch(recorder)
            yield Runner(target, fleet, recorder, invariants, events, _loads(target, fleet, recorder))

    return AnewPlayer(make)


def _loads(target: Target, runtime: Runtime, recorder: Recorder) -> Loads:
    """The fleet's own clients, or those that call from outside."""
    if isinstance(runtime, CanSend):
        return runtime.loads(recorder)
    return HttpClients(target, recorder, runtime.clock.now)


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
    with _terminable(), ExitStack() as stack:
        try:
            runtime = stack.enter_context(make(target, config))
        except (RequestError, RuntimeUnavailable) as error:
            error.args = (f"{error}{_what_works(target, config)}",)
            raise
        yield runtime


def _what_works(target: Target, config: RunConfig) -> str:
    """The runtimes that this target can be fuzzed on as things are, for somebody who named none."""
    if config.runtime:
        return ""
    works = []
    if config.runtime_name != "local" and all(service.local for service in target.services.values()):
        works.append("--runtime local (its services as plain processes)")
    works.append("--runtime sim (nothing is started: its services are modelled)")
    return f"\nwhat works as it is: {'; '.join(works)}"


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
