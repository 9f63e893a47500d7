"""The one assembler: options become objects. Only this file names concrete runtimes.

RunConfig ──▶ target ──▶ runtime ──▶ recorder ──▶ runner ──▶ campaign
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, replace
from functools import cached_property, partial
from types import FrameType

from fuzzer.actions.base import Action
from fuzzer.actions.catalogue import ACTIONS, available
from fuzzer.anew import AnewPlayer
from fuzzer.calibration.files import learnt
from fuzzer.calibration.learner import Learner
from fuzzer.clients import HttpClients
from fuzzer.config import RunConfig
from fuzzer.events import Events, Listener
from fuzzer.inconclusive import doubt
from fuzzer.loads.base import Loads
from fuzzer.recorder import Recorder
from fuzzer.reports.text import report_command
from fuzzer.runner import Player, Runner
from fuzzer.runs.folder import Runs, new_id
from fuzzer.runs.log import RunLog
from fuzzer.runs.writing import run_line
from fuzzer.runtimes.able import CanBeginAnew, CanPoison, CanSend, Modelled
from fuzzer.runtimes.base import Runtime
from fuzzer.search.campaign import Campaign, SearchOptions
from fuzzer.search.coverage import refuse_undefined
from fuzzer.search.findings import FindingStore
from fuzzer.search.involved import assumptions
from fuzzer.targets.files import load_target
from invariants.base import Invariant
from models.errors import Inconclusive, RequestError, RuntimeUnavailable
from models.target import Target


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
    from fuzzer.runtimes.proxies import DIRECT, proxies_at

    proxies = None if config.edge_proxy == DIRECT else proxies_at(config.edge_proxy)
    return LocalRuntime(target, state_dir=config.state, proxies=proxies)


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
    """A fleet that is up and watched, and what to do with it. ``log`` keeps what became of it."""

    config: RunConfig
    target: Target
    runtime: Runtime
    recorder: Recorder
    runner: Player
    actions: Mapping[str, Action]
    events: Events
    log: RunLog

    @property
    def report(self) -> str:
        """What to type to see the run as a page; "" where nothing was kept of it."""
        return report_command(self.log.head.id, self.config.state) if self.log.path else ""

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
    with open_runtime(config, target) as runtime, ExitStack() as stack:
        target, actions = _as_wired(target, runtime), _drawn(runtime, config.actions)
        real = not isinstance(runtime, Modelled)
        watching = (Learner(target, config.state, runtime.name, _note),) if real else ()
        log = _log(config, target, runtime)
        stack.callback(log.close)
        events = Events(*listeners, *watching, log)
        heal_leftovers(runtime)
        recorder = Recorder(target.topology.services, target.limits)
        runtime.watch(recorder)
        runner = _player(target, runtime, recorder, invariants, events)
        try:
            yield Session(config, target, runtime, recorder, runner, actions, events, log)
        except BaseException:
            with suppress(Inconclusive):  # the journal keeps what cannot be undone now
                runner.leave_steady()
            raise
        runner.leave_steady()


def _as_wired(target: Target, runtime: Runtime) -> Target:
    """The target with those connections only that the runtime can harm, if it can harm any."""
    edges = set(runtime.edges()) if isinstance(runtime, CanPoison) else set()
    return replace(target, wires=tuple(w for w in target.wires if w.edge in edges)) if edges else target


def _drawn(runtime: Runtime, names: Sequence[str]) -> Mapping[str, Action]:
    """The actions that a search draws.

    Raises:
        RequestError: one that was asked for is not there, or none of them does any harm.
    """
    able = available(runtime)
    for name in names:
        if name not in ACTIONS:
            raise RequestError(f"there is no action {name!r}; expected one of: {', '.join(ACTIONS)}")
        if name not in able:
            raise RequestError(f"{ACTIONS[name].refusal(runtime)}; it can {', '.join(able)}")
    wanted = {*(names or able), *ALWAYS}
    drawn = {name: action for name, action in able.items() if name in wanted}
    if not any(action.harmful for action in drawn.values()):
        harmful = ", ".join(name for name, action in able.items() if action.harmful)
        raise RequestError(f"no action that was asked for is a fault; expected one of: {harmful}")
    return drawn


ALWAYS = ("wait", "heal")
"""Actions without which a search could not go on: while nothing more may be harmed, time has to pass."""


def _log(config: RunConfig, target: Target, runtime: Runtime) -> RunLog:
    id_, modelled = new_id(target.name, runtime.name), isinstance(runtime, Modelled)
    head = run_line(id_, target, runtime.name, modelled=modelled, options=config.options())
    return RunLog(
        Runs.of(config.state),
        head,
        _note,
        doubt=partial(doubt, promises=config.promises, min_coverage=config.min_coverage),
        rests_on=partial(assumptions, runtime, target=target),
    )


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
            told.append(f"{undo.verb} {' '.join(undo.targets)}")
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
