"""A story as a picture: a lane a service, windows of faults, requests and their latency. Pure.

Everything is placed on a canvas of ``WIDTH`` units; the page scales it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10
from typing import TypeAlias

from fuzzer.reports.page.graph import shortened
from fuzzer.runs.lines import LoggedBeat, State, Story

WIDTH = 960.0
LABEL = 168.0
LANE = 26.0
TOP = 52.0
PANEL = 84.0
GAP = 30.0
TICKS = 8

THICK: Mapping[State, float] = {"up": 6, "degraded": 12, "restarting": 16, "down": 16, "frozen": 16}
"""What is wrong is thicker, for those who do not tell colours apart."""

XOf: TypeAlias = Callable[[float], float]
"""Where a moment of the story stands on the canvas."""


@dataclass(frozen=True)
class Bar:
    """A rectangle with a class of its own and words for it."""

    x: float
    y: float
    width: float
    height: float
    kind: str
    words: str = ""


@dataclass(frozen=True)
class Mark:
    """A word at a place, as wide as it is; ``words`` tell more."""

    x: float
    y: float
    text: str
    words: str = ""

    @property
    def width(self) -> float:
        """Of a badge that it fits into."""
        return max(20.0, 7.0 * len(self.text) + 8)


@dataclass(frozen=True)
class Panel:
    """The requests of one load, and their latency beside them; ``p50`` and ``p95`` are polylines."""

    title: str
    y: float
    bars: tuple[Bar, ...]
    rate_max: str
    p50: str
    p95: str
    latency_max: str


@dataclass(frozen=True)
class Chart:
    """A story, ready to be drawn."""

    width: float
    height: float
    lanes_end: float
    windows: tuple[Bar, ...]
    blind: tuple[Bar, ...]
    lanes: tuple[Mark, ...]
    stretches: tuple[Bar, ...]
    steps: tuple[Mark, ...]
    ticks: tuple[Mark, ...]
    broken: Mark | None
    panels: tuple[Panel, ...]


def chart(story: Story, broken_s: float | None = None) -> Chart:
    """Place everything; ``broken_s`` is when a promise was broken."""
    first_s, last_s = _span(story)

    def x(at_s: float) -> float:
        at_s = min(max(at_s, first_s), last_s)
        return round(LABEL + (at_s - first_s) / (last_s - first_s) * (WIDTH - LABEL - 8), 1)

    rows = {name: TOP + number * LANE for number, name in enumerate(story.lanes)}
    lanes_end = TOP + len(rows) * LANE
    panels = [
        _panel(name, beats, lanes_end + GAP + number * 2 * (PANEL + GAP), x)
        for number, (name, beats) in enumerate(story.loads.items())
    ]
    bottom = lanes_end + len(panels) * 2 * (PANEL + GAP) + GAP
    return Chart(
        width=WIDTH,
        height=bottom + 8,
        lanes_end=lanes_end,
        windows=tuple(
            Bar(
                x(fault.since_s),
                TOP - 6,
                max(3.0, x(_until(story, fault.ended_s)) - x(fault.since_s)),
                lanes_end - TOP + 6,
                "fault",
                f"{fault.on}: {fault.effect}, {_from_to(fault.since_s, fault.ended_s)}",
            )
            for fault in story.faults
        ),
        blind=tuple(
            Bar(
                x(since_s),
                TOP - 6,
                max(3.0, x(until_s) - x(since_s)),
                lanes_end - TOP + 6,
                "blind",
                f"knockon did not look, {_from_to(since_s, until_s)}: {why}",
            )
            for since_s, until_s, why in story.blind
        ),
        lanes=tuple(Mark(LABEL - 10, y + LANE / 2, shortened(name), name) for name, y in rows.items()),
        stretches=tuple(
            Bar(
                x(one.since_s),
                rows[name] + (LANE - THICK[one.state]) / 2,
                max(1.5, x(one.until_s) - x(one.since_s)),
                THICK[one.state],
                one.state,
                f"{name} {one.state}, {_from_to(one.since_s, one.until_s)}"
                + (f": {one.detail}" if one.detail else ""),
            )
            for name, lane in story.lanes.items()
            for one in lane
        ),
        steps=_marks(story, x),
        ticks=tuple(Mark(x(at_s), bottom, f"{at_s:g} s") for at_s in _ticks(first_s, last_s)),
        broken=None if broken_s is None else Mark(x(broken_s), TOP - 10, "broken"),
        panels=tuple(panels),
    )


def _span(story: Story) -> tuple[float, float]:
    seen = [one for lane in story.lanes.values() for one in lane]
    beats = [beat for load in story.loads.values() for beat in load]
    first_s = min([0.0, *(one.since_s for one in seen), *(beat.since_s for beat in beats)])
    return first_s, max(story.ended_s, first_s + 0.1)


def _until(story: Story, ended_s: float | None) -> float:
    return story.ended_s if ended_s is None else ended_s


def _from_to(since_s: float, until_s: float | None) -> str:
    return f"from {since_s:.2f} s" + ("" if until_s is None else f" to {until_s:.2f} s")


def _marks(story: Story, x: XOf) -> tuple[Mark, ...]:
    """Steps by number; those that would cover one another share a place."""
    marks: list[Mark] = []
    for number, step in enumerate(story.steps, start=1):
        at = x(step.began_s)
        words = f"step {number} at {step.began_s:.2f} s: {step.step}"
        if marks and at - marks[-1].x < marks[-1].width + 2:
            last = marks.pop()
            first = last.text.partition("–")[0]
            marks.append(Mark(last.x, last.y, f"{first}–{number}", f"{last.words}; {words}"))
        else:
            marks.append(Mark(at, TOP - 38, str(number), words))
    return tuple(marks)


def _ticks(first_s: float, last_s: float) -> list[float]:
    rough = (last_s - first_s) / TICKS
    unit = 10 ** floor(log10(rough))
    step = next(unit * factor for factor in (1, 2, 5, 10, 20) if unit * factor >= rough)
    return [round(number * step, 6) for number in range(ceil(first_s / step), floor(last_s / step) + 1)]


def _panel(name: str, beats: Sequence[LoggedBeat], y: float, x: XOf) -> Panel:
    most = max((beat.sent / beat.seconds for beat in beats), default=1.0)
    slowest = max([beat.p95_ms for beat in beats if beat.p95_ms is not None], default=0.0) or 1.0
    bars = []
    for beat in beats:
        left, right = x(beat.since_s), x(beat.since_s + beat.seconds)
        per_s = beat.sent / beat.seconds
        height = PANEL * per_s / most
        bad = height * (beat.sent - beat.good) / beat.sent
        words = f"{beat.since_s:g} s: {beat.sent} requests, {beat.sent - beat.good} failed"
        bars.append(Bar(left, y + PANEL - height, max(1, right - left - 1), height - bad, "good", words))
        if bad:
            bars.append(Bar(left, y + PANEL - bad, max(1, right - left - 1), bad, "bad", words))
    below = y + PANEL + GAP

    def line(values: Sequence[tuple[LoggedBeat, float | None]]) -> str:
        points = (
            (x(beat.since_s + beat.seconds / 2), below + PANEL - PANEL * value / slowest)
            for beat, value in values
            if value is not None
        )
        return " ".join(f"{at:g},{height:.1f}" for at, height in points)

    return Panel(
        title=shortened(name),
        y=y,
        bars=tuple(bars),
        rate_max=f"{most:.3g}/s",
        p50=line([(beat, beat.p50_ms) for beat in beats]),
        p95=line([(beat, beat.p95_ms) for beat in beats]),
        latency_max=f"{slowest:.3g} ms",
    )
