"""A history as lines of text, in the order of time: what was done, and what came of it.

    +0.00 s  crash product-service
    +0.01 s      product-service exited with code 137; its policy starts it again
    +0.02 s      product-service unhealthy: connection refused
    +0.32 s      product-service started
    +0.41 s      product-service healthy again, 0.4 s later

Steps stand at the margin, consequences are indented.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from fuzzer.reports.clients import client_lines
from models.history import History, PlayedStep, StepState
from models.observation import Blindness, Change, ProcessChange

INDENT = "    "

_CHANGES = {
    Change.STARTED: "started",
    Change.PAUSED: "is frozen",
    Change.RESUMED: "goes on",
    Change.ADDED: "has one replica more",
    Change.REMOVED: "has one replica less",
}


@dataclass(frozen=True, slots=True)
class _Line:
    at_s: float
    text: str


def timeline(history: History) -> Iterator[str]:
    """The lines, each with its offset from the begin of the scenario."""
    lines = [*_steps(history), *_processes(history), *_health(history), *_end(history)]
    for line in sorted(lines, key=lambda line: line.at_s):
        yield f"{line.at_s - history.began_s:+8.2f} s  {line.text}"
    for step in history.scenario.steps[len(history.steps) :]:
        yield f"{'':10}  {step}  (not played)"
    table = list(client_lines(history))
    if table:
        yield ""
        yield from table


def _steps(history: History) -> Iterator[_Line]:
    for played in history.steps:
        yield _Line(played.began_s, f"{played.step}{_failure(played)}")


def _failure(played: PlayedStep) -> str:
    return f"  {played.state}: {played.reason}" if played.state is StepState.INVALID else ""


def _processes(history: History) -> Iterator[_Line]:
    for change in history.processes:
        what = _exit(change) if change.change is Change.EXITED else _CHANGES[change.change]
        yield _Line(change.at_s, f"{INDENT}{change.service} {what}")


def _exit(change: ProcessChange) -> str:
    code = "" if change.exit_code is None else f" with code {change.exit_code}"
    outlook = {True: "; its policy starts it again", False: "; nothing starts it again", None: ""}
    return f"exited{code}{outlook[change.returns]}"


def _health(history: History) -> Iterator[_Line]:
    for service in history.services:
        for span in history.unhealthy_spans(service):
            yield _Line(span.since_s, f"{INDENT}{service} unhealthy: {span.detail}")
            if span.recovered_s is None:
                yield _Line(span.until_s, f"{INDENT}{service} still unhealthy")
            else:
                took_s = span.recovered_s - span.since_s
                yield _Line(span.recovered_s, f"{INDENT}{service} healthy again, {took_s:.1f} s later")


def _united(spans: Iterable[Blindness]) -> Iterator[Blindness]:
    """What was told piece by piece, in one."""
    last: Blindness | None = None
    for span in sorted(spans, key=lambda span: (span.reason, span.since_s)):
        if last and last.reason == span.reason and span.since_s <= last.until_s:
            last = replace(last, until_s=max(last.until_s, span.until_s))
            continue
        if last:
            yield last
        last = span
    if last:
        yield last


def _end(history: History) -> Iterator[_Line]:
    for blind in _united(history.blindness):
        seconds = blind.until_s - blind.since_s
        yield _Line(blind.since_s, f"{INDENT}the fuzzer did not look for {seconds:.1f} s: {blind.reason}")
    for what in history.interference:
        yield _Line(history.ended_s, f"somebody else: {what}")
    if history.healed_s is not None:
        yield _Line(history.healed_s, "every fault is lifted")
    if history.steady is not None:
        yield _Line(history.ended_s, "steady" if history.steady else "not steady, and nothing excuses that")
