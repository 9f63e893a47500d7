"""The format of a run's log: newline-delimited JSON, one object a line, told apart by ``kind``.

The first line is ``run``: what was played on, and by what. Then come ``scenario`` and ``finding`` as they
happen, and ``end`` when a search is over. Times within a story are seconds from the scenario's first step;
``at`` is the wall clock, UTC, ISO 8601. A reader ignores keys that it does not know: newer versions may add
some, and change ``version`` only when an old reader would read something wrong.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter

from models.coverage import Dimension, Mark
from models.expected import Effect
from models.history import StepState
from models.topology import Strength
from models.verdict import Outcome

VERSION: Literal[1] = 1


def _encodable(found: object) -> object:
    """A file's name may hold bytes that are no text; JSON may not."""
    return found.encode(errors="replace").decode() if isinstance(found, str) else found


Text: TypeAlias = Annotated[str, BeforeValidator(_encodable)]


class Line(BaseModel):
    """Plain data, which never changes."""

    model_config = ConfigDict(
        frozen=True, extra="ignore", allow_inf_nan=False, json_schema_serialization_defaults_required=True
    )


class LoggedService(Line):
    """A service of the target. ``touched``: whether faults may touch it."""

    name: str
    restart: str = ""
    health: str = ""
    criticality: str = ""
    touched: bool = True


class LoggedEdge(Line):
    """``caller`` needs ``dependency``."""

    caller: str
    dependency: str
    strength: Strength
    inferred: bool = False


class LoggedRun(Line):
    """Where a run took place, and what was asked for.

    Attributes:
        options: the command-line options that lead to the same fleet.
        limits: by name; each name ends in its unit.
    """

    kind: Literal["run"] = "run"
    version: Literal[1] = VERSION
    id: str
    at: str
    knockon: str
    python: str
    platform: str
    options: Text
    runtime: str
    modelled: bool
    target: Text
    digest: str
    files: tuple[Text, ...]
    notes: tuple[Text, ...] = ()
    services: tuple[LoggedService, ...]
    edges: tuple[LoggedEdge, ...]
    limits: dict[str, float]


class LoggedViolation(Line):
    """A broken promise; ``at_s`` is None where it belongs to no moment of a story."""

    invariant: str
    service: str
    at_s: float | None = None
    summary: Text
    evidence: tuple[Text, ...] = ()
    advice: tuple[str, ...] = ()


class LoggedVerdict(Line):
    """What an invariant said."""

    invariant: str
    outcome: Outcome
    exercised: bool = True
    reason: Text = ""


class LoggedStep(Line):
    """A step, when it was played, and what became of it."""

    step: Text
    began_s: float
    ended_s: float
    state: StepState = StepState.DONE
    reason: Text = ""


class LoggedFault(Line):
    """Harm in force on ``on``, a service or a link; ``ended_s`` is None where it outlasts the story."""

    on: str
    effect: Effect
    since_s: float
    ended_s: float | None


State: TypeAlias = Literal["up", "degraded", "down", "restarting", "frozen"]


class LoggedStretch(Line):
    """How a service was from ``since_s`` to ``until_s``; what was not seen is a gap between stretches."""

    state: State
    since_s: float
    until_s: float
    detail: Text = ""


class LoggedBeat(Line):
    """What became of the requests that were due within ``[since_s, since_s + seconds)``; latency in ms."""

    since_s: float
    seconds: Annotated[float, Field(gt=0)]
    sent: Annotated[int, Field(gt=0)]
    good: int
    p50_ms: float | None = None
    p95_ms: float | None = None


class LoggedTotal(Line):
    """What an outside tool reported of all its requests to an endpoint, where it tells of no single ones."""

    load: str
    endpoint: Text
    sent: int
    failed: int
    p50_ms: float | None = None
    p95_ms: float | None = None


class Story(Line):
    """What happened in one scenario, short enough to be kept and drawn.

    Attributes:
        radius: services that the faults excuse: their blast radius.
        lanes: by service, in the order of time.
        loads: by load, in the order of time.
        blind: spans in which the fuzzer itself did not look, as (since_s, until_s, why).
    """

    ended_s: float
    healed_s: float | None = None
    steady_s: float | None = None
    steady: bool | None = None
    steps: tuple[LoggedStep, ...] = ()
    faults: tuple[LoggedFault, ...] = ()
    radius: tuple[str, ...] = ()
    lanes: dict[str, tuple[LoggedStretch, ...]] = {}
    loads: dict[str, tuple[LoggedBeat, ...]] = {}
    totals: tuple[LoggedTotal, ...] = ()
    blind: tuple[tuple[float, float, Text], ...] = ()
    interference: tuple[Text, ...] = ()


class LoggedScenario(Line):
    """One scenario was played and judged.

    Attributes:
        number: of this run's scenarios, from 1 on.
        purpose: search, shrink, replay, pin (whether one still fails) or guard (whether it still holds).
        complete: whether it was played as written, to its end.
        rests_on: what is only assumed, where services were modelled.
        verdicts, story: left out where hundreds of scenarios that hold are played in a second.
    """

    kind: Literal["scenario"] = "scenario"
    at: str
    number: int
    purpose: str
    scenario: str
    outcome: Outcome
    reason: Text = ""
    complete: bool = True
    seconds: float
    verdicts: tuple[LoggedVerdict, ...] = ()
    violations: tuple[LoggedViolation, ...] = ()
    rests_on: tuple[str, ...] = ()
    story: Story | None = None


class LoggedFinding(Line):
    """A violation, made as small as it gets; the fields are those of ``fuzzer.events.Finding``."""

    kind: Literal["finding"] = "finding"
    at: str
    original: tuple[str, ...]
    minimal: tuple[str, ...]
    violation: LoggedViolation
    also: tuple[LoggedViolation, ...] = ()
    reproduced: int
    replays: int
    necessary: bool | None
    shrinking: int
    executions: int
    seconds: float
    saved: Text | None
    rests_on: tuple[str, ...] = ()
    story: Story | None = None


class LoggedCell(Line):
    """One cell of the coverage map, and how often it was exercised."""

    row: str
    column: str
    mark: Mark
    count: int = 0


class LoggedEnd(Line):
    """A search is over; the fields are those of ``fuzzer.events.Summary``.

    ``reason`` tells why nothing can be said of the target although nothing broke, "" if it can.
    """

    kind: Literal["end"] = "end"
    at: str
    scenarios: int
    executions: int
    seconds: float
    ended: str
    gave_up: bool
    seed: int
    requests_sent: int
    requests_good: int
    held: dict[str, int]
    inconclusive: tuple[Text, ...] = ()
    reason: Text = ""
    coverage: dict[Dimension, tuple[LoggedCell, ...]] = {}


AnyLine: TypeAlias = Annotated[
    LoggedRun | LoggedScenario | LoggedFinding | LoggedEnd, Field(discriminator="kind")
]
LINE: TypeAdapter[AnyLine] = TypeAdapter(AnyLine)
