"""The one assembler: options become objects. Only this file names concrete runtimes.

RunConfig ──▶ target ──▶ runtime ──▶ recorder ──▶ runner ──▶ campaign
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, replace
from functools import cached_property

from fuzzer.actions.base import Action
from fuzzer.actions.catalogue import ACTIONS, available
from fuzzer.anew import AnewPlayer
from fuzzer.calibration.files import learnt
from fuzzer.calibration.learner import Learner
from fuzzer.clients import HttpClients
from fuzzer.config import RunConfig
from fuzzer.events import Events, Listener, Noted
from fuzzer.files import private_folder
from fuzzer.guarded import Guard, guarded
from fuzzer.halts import as_halt
from fuzzer.healing import HEALS, heal_leftovers, heal_local
from fuzzer.loads.base import Loads
from fuzzer.recorder import Recorder
from fuzzer.runner import Player, Runner
from fuzzer.runtimes.able import CanBeClaimed, CanBeginAnew, CanPoison, CanSend, Modelled
from fuzzer.runtimes.base import Runtime
from fuzzer.safety.signals import Signals
from fuzzer.search.campaign import Campaign, SearchOptions
from fuzzer.search.coverage import refuse_undefined
from fuzzer.search.findings import FindingStore
from fuzzer.shown import complain
from fuzzer.targets.files import load_target
from fuzzer.targets.kept import AsRead
from fuzzer.watchdog.guard import Guarded
from invariants.base import Invariant
from models.compose_spec import PROJECT_NAME
from models.errors import Inconclusive, KnockonError, RequestError, RuntimeUnavailable
from models.place import Place
from models.target import Target


def read_target(config: RunConfig, environ: Mapping[str, str] | None = None) -> Target:
    """The target that the options name.

    Raises:
        TargetError: with all its problems.
        RuntimeUnavailable: a project was to be discovered, and no engine answers.
    """
    environ = os.environ if environ is None else environ
    if config.project and not PROJECT_NAME.fullmatch(config.project):  # files are called after it
        raise RequestError(
            f"--project: found {config.project!r}; expected lower-case letters, digits, _ and -"
        )
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

    proxies = None if config.edge_proxy == DIRECT else proxies_at(config.edge_proxy, config.state)
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
    """A fleet that is up and watched, and what to do with it."""

    config: RunConfig
    target: Target
    runtime: Runtime
    recorder: Recorder
    runner: Player
    actions: Mapping[str, Action]
    events: Events
    signals: Signals

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
            telling=self.signals.telling,
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


def place_of(config: RunConfig, target: Target) -> Place | None:
    """Where the fleet runs, or would; None where nothing is touched, because all of it is modelled.

    Raises:
        RuntimeUnavailable: no engine answers.
    """
    if config.runtime_name == "sim":
        return None
    if config.runtime_name == "docker":
        from fuzzer.runtimes.docker.whereabouts import whereabouts

        return whereabouts(config.project or target.name, ask=config.allow_remote)
    return Place((("the project", target.name), ("this machine", socket.gethostname())))


@contextmanager
def open_session(config: RunConfig, *listeners: Listener) -> Iterator[Session]:
    """Read the target, start or adopt its fleet, watch it; heal and leave it at the end.

    What an earlier run left broken is healed first. SIGTERM ends a session like Ctrl-C does.

    Raises:
        RequestError: the target or the options are wrong, or a safety rule refuses; nothing was touched.
        RuntimeUnavailable: the engine or supervisor does not answer.
        Halt: a signal or a rule ended the run; the fleet is healed.
    """
    target = read_target(config)
    as_read, invariants = AsRead(target.files), config.invariants
    if not target.faultable:
        raise RequestError(
            f"{target.name}: no service may be touched; set `enabled: true` under x-knockon at the top of "
            'the compose file, or give services the label knockon.enable: "true"'
        )
    refuse_undefined(target, config.min_coverage)
    try:
        place = place_of(config, target)
    except RuntimeUnavailable as error:
        raise _with_what_works(error, target, config) from None
    private_folder(config.state)
    with (
        guarded(config, target, place) as guard,
        open_runtime(config, target, guard.signals) as runtime,
        ExitStack() as stack,
    ):
        target, actions = _as_wired(target, runtime), _drawn(runtime, config.actions)
        real = not isinstance(runtime, Modelled)
        watching = (Learner(target, config.state, runtime.name, _note),) if real else ()
        events = Events(*listeners, *watching)
        if isinstance(runtime, CanBeClaimed):
            runtime.claim()
        for line in heal_leftovers(runtime):
            _note(f"an earlier run died; {line}")
        recorder = Recorder(target.topology.services, target.limits)
        if config.metrics_port is not None:
            metrics, port = stack.enter_context(_metrics(config.metrics_port, target, runtime, recorder))
            events.add(metrics)
            events.emit(Noted(f"metrics of this run: http://127.0.0.1:{port}/metrics"))
        runtime.watch(recorder)
        runner = _player(target, runtime, recorder, invariants, events, guard)
        try:
            yield Session(config, target, runtime, recorder, runner, actions, events, guard.signals)
            if guard.signals.halt:  # pytest lets us go on as if nothing had happened
                runner.leave_lifted(guard.signals.halt)
            else:
                runner.leave_steady()
        except KeyboardInterrupt as error:
            runner.leave_lifted(as_halt(error))
            raise
        except BaseException:
            with suppress(Inconclusive):  # the journal keeps what cannot be undone now
                runner.leave_steady()
            raise
        finally:
            if changed := as_read.changed():
                _note(changed)


def _as_wired(target: Target, runtime: Runtime) -> Target:
    """The target with what its connections bear here, and those only that the runtime can harm, if any."""
    edges = set(runtime.edges()) if isinstance(runtime, CanPoison) else set()
    if not isinstance(runtime, CanPoison) or not edges:
        return target
    wires = (replace(w, bears=runtime.bears(*w.edge)) for w in target.wires if w.edge in edges)
    return replace(target, wires=tuple(wires))


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


@contextmanager
def _metrics(
    port: int, target: Target, runtime: Runtime, recorder: Recorder
) -> Iterator[tuple[Listener, int]]:
    """A listener whose figures can be scraped, and on which port."""
    from fuzzer.reports.metrics import Metrics, serving

    live = None if isinstance(runtime, Modelled) else lambda: recorder.unhealthy
    metrics = Metrics(target, runtime.name, live)
    with serving(metrics, port) as chosen:
        yield metrics, chosen


def _note(text: str) -> None:
    """Tell a person something that changes no verdict."""
    complain(f"note: {text}")


def _player(
    target: Target,
    runtime: Runtime,
    recorder: Recorder,
    invariants: tuple[Invariant, ...],
    events: Events,
    guard: Guard,
) -> Player:
    """Who plays: on this fleet, or on one of its own for each scenario where that costs nothing."""
    if isinstance(runtime, CanBeginAnew):
        return _anew_player(target, runtime, invariants, events)
    loads = _loads(target, runtime, recorder)
    return Runner(
        target,
        runtime,
        recorder,
        invariants,
        events,
        loads,
        check=guard.watch.check,
        breaker=guard.breaker,
    )


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
def open_runtime(config: RunConfig, target: Target, signals: Signals | None = None) -> Iterator[Runtime]:
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
    with ExitStack() as stack:
        signals = signals or stack.enter_context(Signals())
        try:
            _heal_the_dead(config)
            made = make(target, config)
            leaves = config.runtime_name in HEALS
            runtime = stack.enter_context(Guarded(made, config.state) if leaves else made)
        except (RequestError, RuntimeUnavailable) as error:
            raise _with_what_works(error, target, config) from None
        stack.callback(signals.close)
        yield runtime


def _with_what_works(error: KnockonError, target: Target, config: RunConfig) -> KnockonError:
    error.args = (f"{error}{_what_works(target, config)}",)
    return error


def _what_works(target: Target, config: RunConfig) -> str:
    """The runtimes that this target can be fuzzed on as things are, for somebody who named none."""
    if config.runtime:
        return ""
    works = []
    if config.runtime_name != "local" and all(service.local for service in target.services.values()):
        works.append("--runtime local (its services as plain processes)")
    works.append("--runtime sim (nothing is started: its services are modelled)")
    return f"\nwhat works as it is: {'; '.join(works)}"


def _heal_the_dead(config: RunConfig) -> None:
    """End what runs that died left in our folder of states. A project's journal is read later."""
    try:
        for line in heal_local(config.state) if config.runtime_name == "local" else ():
            _note(f"an earlier run died; {line}")
    except Inconclusive as error:
        _note(f"of an earlier run that died: {error}")
