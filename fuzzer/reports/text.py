"""Findings and summaries as plain text. The terminal, pytest and the docs show the same words."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Sized
from itertools import zip_longest
from pathlib import Path
from typing import Protocol

from fuzzer.events import Finding, Summary
from fuzzer.reports.coverage import coverage_lines
from fuzzer.runs.folder import STATE
from invariants.catalogue import TO_CLIENTS
from models.verdict import Verdict, Violation


class Broken(Protocol):
    """A violation, as it was seen or as it was logged."""

    @property
    def invariant(self) -> str:
        """The promise."""

    @property
    def service(self) -> str:
        """Who broke it."""


class Proved(Protocol):
    """A finding, as it was made or as it was logged."""

    @property
    def minimal(self) -> Sized:
        """The smallest scenario."""

    @property
    def reproduced(self) -> int:
        """How often that was seen again."""

    @property
    def replays(self) -> int:
        """Of how many."""

    @property
    def necessary(self) -> bool | None:
        """Whether each step is."""


def seconds(value: float) -> str:
    """``42 s`` or ``3 min 05 s``."""
    return f"{value:.0f} s" if value < 60 else f"{value // 60:.0f} min {value % 60:02.0f} s"


def counted(count: int, noun: str) -> str:
    """``1 step``, ``2 steps``."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def violation_lines(violation: Violation) -> Iterator[str]:
    """What was broken, the evidence, and the ways out."""
    yield f"{violation.invariant}: {violation.summary}"
    for line in violation.evidence:
        yield f"    {line}"
    for line in violation.advice:
        yield f"  {line}"


def finding_lines(finding: Finding, options: str) -> Iterator[str]:
    """A finding as it is printed: what broke, the smallest scenario, and what to do with it.

    ``options`` are the command-line options that reach the same target and runtime.
    """
    first, *rest = violation_lines(finding.violation)
    yield f"VIOLATED {first}"
    yield from rest
    if finding.also:
        yield "  also seen in the same scenario:"
        yield from (f"    {other.invariant}: {other.summary}" for other in finding.also)
    yield ""
    yield f"minimal scenario: {counted(len(finding.minimal), 'step')}, {reproduction(finding)}"
    yield from (f"    {step}" for step in finding.minimal)
    yield f"  {necessity(finding)}"
    yield from assumption_lines(finding.rests_on)
    if finding.executions:
        found = counted(len(finding.original), "step")
        spent = f"{finding.executions} played to confirm, shrink and prove it, in {seconds(finding.seconds)}"
        yield f"  found as {found}; {spent}"
    yield ""
    yield f"replay it:  {replay_command(str(finding.minimal), finding.violation, options)}"
    if finding.saved:
        yield f"pin it:     {pin_command(str(finding.saved), options)}"
    else:
        yield "it could not be saved: the replay command above is the only copy"


def replay_command(scenario: str, violation: Broken | None, options: str) -> str:
    """What to type to see a scenario, and a violation of it, again."""
    wanted = ""
    if violation and violation.invariant in TO_CLIENTS:  # others may break first
        wanted = f" --signature {shlex.quote(f'{violation.invariant}:{violation.service}')}"
    return f"knockon replay {shlex.quote(scenario)}{wanted}{options}"


def pin_command(saved: str, options: str) -> str:
    """What to type to keep a finding."""
    return f"knockon pin {shlex.quote(saved)}{options}"


def report_command(run: str, state: Path) -> str:
    """What to type to see a run as a page; ``state`` is where runs are kept."""
    elsewhere = "" if state == STATE else f" --state {shlex.quote(str(state))}"
    return f"knockon report {run}{elsewhere}"


def assumption_lines(rests_on: Iterable[str]) -> Iterator[str]:
    """What a violation by modelled services rests on; no lines for real ones."""
    lines = [f"    {assumption}" for assumption in rests_on]
    if lines:
        yield "  modelled, not measured; it rests on what the files do not say:"
        yield from lines


def reproduction(finding: Proved) -> str:
    """How often it was seen again."""
    if not finding.replays:
        return "seen once, not played again"
    if not finding.reproduced:
        return f"seen once, not reproduced in {finding.replays} replays on a fresh fleet"
    return f"reproduced {finding.reproduced}/{finding.replays}"


def necessity(finding: Proved) -> str:
    """What was proved of the minimal scenario."""
    match finding.necessary:
        case True if len(finding.minimal) == 1:
            return "proved: with no fault at all everything holds"
        case True:
            return "proved: without any one of these steps, and with no fault at all, everything holds"
        case False:
            return "not proved: it shows without any fault, too"
        case None:
            return "not proved: the time was over, or replays were inconclusive"


def untested_lines(verdicts: Iterable[Verdict]) -> Iterator[str]:
    """Promises that a scenario did not put to the test, by reason."""
    reasons: dict[str, list[str]] = {}
    for verdict in verdicts:
        if not verdict.exercised:
            reasons.setdefault(verdict.reason, []).append(verdict.invariant)
    for reason, names in reasons.items():
        yield f"not put to the test: {', '.join(names)}  ({reason})"


def summary_lines(summary: Summary) -> Iterator[str]:
    """What was tried, and what held."""
    yield (
        f"{counted(summary.scenarios, 'scenario')} in {seconds(summary.seconds)} "
        f"({summary.executions} played with confirmations); {summary.ended}; seed {summary.seed}"
    )
    if summary.steps:
        yield "  tried:   " + ", ".join(f"{name} {count}x" for name, count in sorted(summary.steps.items()))
    if summary.touched:
        yield "  harmed:  " + ", ".join(f"{name} {count}x" for name, count in sorted(summary.touched.items()))
    if summary.coverage.tried:
        for label, line in zip_longest(["covered:"], coverage_lines(summary.coverage), fillvalue=""):
            yield f"  {label:8} {line}"
    if summary.requests[0]:
        sent, good = summary.requests
        latency = summary.latency
        times = [
            f"p{share * 100:.0f} {latency.quantile(share):.0f} ms" for share in (0.5, 0.95, 0.99) if good
        ]
        told = ", ".join([f"{good} answered well", *times])
        yield f"  load:    {sent} requests, baselines included, {told}"
    held = [f"{name} {count}/{summary.scenarios}" for name, count in summary.held.items() if count]
    if held:
        yield f"  held:    {', '.join(held)}"
    untested = [name for name, count in summary.held.items() if not count]
    if summary.scenarios and untested and not summary.findings:
        yield f"  not put to the test: {', '.join(untested)}"
    for reason in summary.inconclusive:
        yield f"  UNKNOWN: {reason}"
