"""Spans of the week in which nothing may be touched, as ``x-knockon.safety.excluded_windows`` names them.

::

    Mon-Fri 09:00-17:00 Europe/Berlin    office hours, there
    22:00-02:00                          every night, across midnight, in this machine's own time
    Sat,Sun                              whole days

A window is what the clocks of its zone show. Where they are put back or forward inside of it, it is as
long as it can be read to be: from the earliest moment at which they show its begin to the latest at which
they show its end.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

EXPECTED = "days, times and a time zone, such as Mon-Fri 09:00-17:00 Europe/Berlin, or some of these"

_DAYS = r"[A-Za-z]{3}(?:-[A-Za-z]{3})?(?:,[A-Za-z]{3}(?:-[A-Za-z]{3})?)*"
_TIME = r"(\d\d):(\d\d)"
_WINDOW = re.compile(rf"(?:({_DAYS})(?: |$))?(?:{_TIME}-{_TIME}(?: |$))?([A-Za-z]\S*)?")


@dataclass(frozen=True, slots=True)
class Window:
    """One of them.

    Attributes:
        text: as it was written.
        days: those on which it begins, Monday is 0.
        begins_min, ends_min: minutes after midnight; it ends on the next day where it ends earlier.
        zone: None for this machine's own time.
    """

    text: str
    days: frozenset[int]
    begins_min: int
    ends_min: int
    zone: ZoneInfo | None = None

    @classmethod
    def parse(cls, text: str) -> Window:
        """Read the text form.

        Raises:
            ValueError: with what was expected.
        """
        found = _WINDOW.fullmatch(text)
        if found is None or not (found[1] or found[2]):
            raise ValueError(EXPECTED)
        begins, ends = 0, 24 * 60
        if found[2]:
            begins, ends = _minutes(*found.group(2, 3)), _minutes(*found.group(4, 5))
        if begins == ends or begins == 24 * 60:
            raise ValueError("a window that ends at another time than it begins, as 00:00-24:00 does")
        return cls(text, _days(found[1] or "Mon-Sun"), begins, ends, _zone(found[6]) if found[6] else None)

    def ends_after(self, moment: datetime) -> datetime | None:
        """When the window ends that this moment lies in, as clocks there show it; None outside of any."""
        today = moment.astimezone(self.zone).date()
        ends = [
            end
            for day in (today - timedelta(1), today, today + timedelta(1))
            if day.weekday() in self.days and (end := self._end_on(day, moment.timestamp()))
        ]
        return max(ends, default=None)

    def _end_on(self, day: date, at: float) -> datetime | None:
        midnight = datetime(day.year, day.month, day.day)
        crosses = self.ends_min < self.begins_min
        begin = midnight + timedelta(minutes=self.begins_min)
        end = midnight + timedelta(days=crosses, minutes=self.ends_min)
        if not min(self._moments(begin)) <= at < max(self._moments(end)):
            return None
        return datetime.fromtimestamp(max(self._moments(end)), self.zone).astimezone(self.zone)

    def _moments(self, wall: datetime) -> tuple[float, float]:
        """When clocks there show this: mostly one moment, but two where they are put back over it."""
        first, second = (wall.replace(tzinfo=self.zone, fold=fold).timestamp() for fold in (0, 1))
        return first, second

    def __str__(self) -> str:
        return self.text


def window_around(windows: Iterable[Window], moment: datetime) -> tuple[Window, datetime] | None:
    """The window that a moment lies in, of several the one that lasts longest, and when it ends."""
    around = [(window, end) for window in windows if (end := window.ends_after(moment))]
    return max(around, key=lambda one: one[1], default=None)


def _days(text: str) -> frozenset[int]:
    days: set[int] = set()
    for part in text.split(","):
        first, _, last = part.lower().partition("-")
        begin, end = _day(first), _day(last or first)
        days |= {day % 7 for day in range(begin, end + 1 + (7 if end < begin else 0))}
    return frozenset(days)


def _day(name: str) -> int:
    if name not in DAYS:
        raise ValueError(f"days such as Mon or Mon-Fri, of {', '.join(day.title() for day in DAYS)}")
    return DAYS.index(name)


def _minutes(hour: str, minute: str) -> int:
    minutes = int(hour) * 60 + int(minute)
    if int(minute) > 59 or minutes > 24 * 60:
        raise ValueError("times from 00:00 to 24:00")
    return minutes


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown; no name at all; a folder of names
        raise ValueError(
            f"a time zone that this machine knows, such as Europe/Berlin or UTC, and not {name}"
        ) from None
