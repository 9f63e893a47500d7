"""The one assembler: options become objects.

RunConfig ──▶ target ──▶ runtime ──▶ recorder ──▶ runner ──▶ campaign
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from functools import cached_property, partial

from fuzzer.actions.base import Action
from fuzzer.actions.catalogue import ACTIONS, available
from fuzzer.anew import AnewPlayer
from fuzzer.calibration.learner import Learner
from fuzzer.clients import HttpClients
from fuzzer.config import RunConfig
from fuzzer.events import Events, Listener, Noted
from fuzzer.files import private_folder
from fuzzer.fleets import RUNTIMES, open_runtime, place_of, read_target, with_what_works
from fuzzer.guarded import Guard, guarded
from fuzzer.halts import as_halt
from fuzzer.healing import heal_leftovers
from fuzzer.inconclusive import doubt
from fuzzer.loads.base import Loads
from fuzzer.player import Player
from fuzzer.recorder import Recorder
from fuzzer.reports.text import report_command
from fuzzer.runner import Runner
from fuzzer.runs.folder import Runs, new_id
from fuzzer.runs.log import RunLog
from fuzzer.runs.writing import run_line
from fuzzer.runtimes.able import CanBeClaimed, CanBeginAnew, CanPoison, CanSend, Modelled
from fuzzer.runtimes.base import Runtime
from fuzzer.safety.signals import Signals
from fuzzer.search.campaign import Campaign, SearchOptions
from fuzzer.search.coverage import refuse_undefined
from fuzzer.search.findings import FindingStore
from fuzzer.search.involved import assumptions
from fuzzer.shown import note
from fuzzer.targets.kept import AsRead
from invariants.base import Invariant
from models.errors import Inconclusive, RequestError, RuntimeUnavailable
from models.target import Target


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
    signals: Signals
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
            telling=self.signals.telling,
        )

    @cached_property
    def twin(self) -> Player | None:
        """Plays in no time, as this fleet is believed to behave; None where it is a model itself."""
        if isinstance(self.runtime, Modelled):
            return None
        try:
            fleet = RUNTIMES["sim"](self.target, self.config)
        except RequestError as error:
            note(f"nothing is asked of a simulation: {error}")
            return None
        assert isinstance(fleet, CanBeginAnew)
        return _anew_player(self.target, fleet, self.config.invariants, Events())


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
        raise with_what_works(error, target, config) from None
    private_folder(config.state)
    with (
        guarded(config, target, place) as guard,
        open_runtime(config, target, guard.signals) as runtime,
        ExitStack() as stack,
    ):
        target, actions = _as_wired(target, runtime), _drawn(runtime, config.actions)
        real = not isinstance(runtime, Modelled)
        watching = (Learner(target, config.state, runtime.name, note),) if real else ()
        log = _log(config, target, runtime)
        stack.callback(log.close)
        events = Events(*listeners, *watching, log)
        if isinstance(runtime, CanBeClaimed):
            runtime.claim()
        for line in heal_leftovers(runtime):
            note(f"an earlier run died; {line}")
        recorder = Recorder(target.topology.services, target.limits)
        if config.metrics_port is not None:
            metrics, port = stack.enter_context(_metrics(config.metrics_port, target, runtime, recorder))
            events.add(metrics)
            events.emit(Noted(f"metrics of this run: http://127.0.0.1:{port}/metrics"))
        runtime.watch(recorder)
        runner = _player(target, runtime, recorder, invariants, events, guard)
        try:
            yield Session(config, target, runtime, recorder, runner, actions, events, guard.signals, log)
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
                note(changed)


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


def _log(config: RunConfig, target: Target, runtime: Runtime) -> RunLog:
    id_, modelled = new_id(target.name, runtime.name), isinstance(runtime, Modelled)
    head = run_line(id_, target, runtime.name, modelled=modelled, options=config.options())
    return RunLog(
        Runs.of(config.state),
        head,
        note,
        doubt=partial(doubt, promises=config.promises, min_coverage=config.min_coverage),
        rests_on=partial(assumptions, runtime, target=target),
    )


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
