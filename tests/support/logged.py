"""Runs as they are read from a log, for tests of what is made of them."""

from __future__ import annotations

from fuzzer.runs.lines import (
    LoggedBeat,
    LoggedCell,
    LoggedEdge,
    LoggedEnd,
    LoggedFault,
    LoggedFinding,
    LoggedRun,
    LoggedScenario,
    LoggedService,
    LoggedStep,
    LoggedStretch,
    LoggedTotal,
    LoggedVerdict,
    LoggedViolation,
    Story,
)
from fuzzer.runs.reading import Run
from models.coverage import Dimension, Mark
from models.expected import Effect
from models.topology import Strength
from models.verdict import Outcome

AT = "2026-11-24T02:35:54.286Z"


def head_of(
    *edges: str, services: tuple[str, ...] = ("gateway", "checkout", "db", "analytics"), **changes: object
) -> LoggedRun:
    """A target with edges such as ``"gateway -> checkout"`` (hard) or ``"a ~> b"`` (soft)."""
    known = {
        "id": "20261124-023554-fake-local-0a1b",
        "at": AT,
        "knockon": "0.1.0",
        "python": "3.11.7",
        "platform": "Linux x86_64",
        "options": " --target compose.yaml",
        "runtime": "local",
        "modelled": False,
        "target": "fake",
        "digest": "54f845a5269b",
        "files": ("compose.yaml",),
        "services": tuple(LoggedService(name=name) for name in services),
        "edges": tuple(map(edge, edges)),
        "limits": {"recovery_s_max": 30.0},
    }
    return LoggedRun.model_validate(known | changes)


def edge(text: str) -> LoggedEdge:
    """An edge from its text."""
    caller, dependency = text.replace("~>", "->").split(" -> ")
    strength = Strength.SOFT if "~>" in text else Strength.HARD
    return LoggedEdge(caller=caller, dependency=dependency, strength=strength)


BROKEN = LoggedViolation(
    invariant="isolation",
    service="gateway",
    at_s=1.5,
    summary="gateway exited with code 1 after harm to db",
    evidence=("+0.00 s  kill db", "+1.50 s  gateway exited with code 1"),
    advice=("fix: let gateway go on without db (timeout, fallback, reconnect)",),
)


def story_of(*faulty: str, effect: Effect = Effect.DOWN, **changes: object) -> Story:
    """Five seconds in which faults were done to some services or links, and gateway exited."""
    known = {
        "ended_s": 5.0,
        "healed_s": 4.0,
        "steps": (LoggedStep(step=f"kill {' '.join(faulty)}", began_s=0.0, ended_s=0.1),),
        "faults": tuple(LoggedFault(on=on, effect=effect, since_s=0.0, ended_s=4.0) for on in faulty),
        "radius": ("gateway", "checkout"),
        "lanes": {
            "gateway": (
                LoggedStretch(state="up", since_s=-1.0, until_s=1.5),
                LoggedStretch(state="down", since_s=1.5, until_s=5.0, detail="exited with code 1"),
            ),
            "db": (LoggedStretch(state="down", since_s=0.0, until_s=4.0),),
        },
        "loads": {"browse": beats(10)},
    }
    return Story.model_validate(known | changes)


def beats(count: int, *, good: int = 3, sent: int = 4) -> tuple[LoggedBeat, ...]:
    """Half seconds of a load."""
    return tuple(
        LoggedBeat(since_s=n / 2 - 1, seconds=0.5, sent=sent, good=good, p50_ms=5.0, p95_ms=9.0 + n)
        for n in range(count)
    )


TOTAL = LoggedTotal(load="hey", endpoint="GET /products", sent=900, failed=3, p50_ms=4.0, p95_ms=31.5)


def scenario_of(outcome: Outcome = Outcome.VIOLATED, purpose: str = "replay", **changes: object):
    """A scenario that was played."""
    known = {
        "at": AT,
        "number": 1,
        "purpose": purpose,
        "scenario": "kill db; wait 2s",
        "outcome": outcome,
        "reason": "the fleet is not steady" if outcome is Outcome.UNKNOWN else "",
        "seconds": 9.0,
        "verdicts": (LoggedVerdict(invariant="isolation", outcome=outcome),),
        "violations": (BROKEN,) if outcome is Outcome.VIOLATED else (),
        "story": story_of("db"),
    }
    return LoggedScenario.model_validate(known | changes)


def finding_of(**changes: object) -> LoggedFinding:
    """A finding."""
    known = {
        "at": AT,
        "original": ("pause analytics", "kill db"),
        "minimal": ("kill db",),
        "violation": BROKEN,
        "reproduced": 3,
        "replays": 3,
        "necessary": True,
        "shrinking": 5,
        "executions": 12,
        "seconds": 60.0,
        "saved": ".knockon/findings/fake.json",
        "story": story_of("db"),
    }
    return LoggedFinding.model_validate(known | changes)


CELLS = (
    LoggedCell(row="db", column="kill", mark=Mark.EXERCISED, count=3),
    LoggedCell(row="db", column="pause", mark=Mark.NO_EFFECT),
    LoggedCell(row="gateway", column="kill", mark=Mark.NEVER),
)


def end_of(**changes: object) -> LoggedEnd:
    """The end of a search."""
    known = {
        "at": AT,
        "scenarios": 17,
        "executions": 29,
        "seconds": 61.0,
        "ended": "the budget of 60 s is spent",
        "gave_up": False,
        "seed": 7,
        "requests_sent": 100,
        "requests_good": 99,
        "held": {"isolation": 17},
        "coverage": {Dimension.ACTIONS: CELLS},
    }
    return LoggedEnd.model_validate(known | changes)


SHOP = head_of("gateway -> checkout", "checkout -> db", "checkout ~> analytics")


def run_of(*scenarios: LoggedScenario, findings=(), end=None, head: LoggedRun = SHOP, damaged=()) -> Run:
    """A run."""
    return Run(head, scenarios, tuple(findings), end, damaged)
