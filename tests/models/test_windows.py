from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from models.windows import Window, window_around

BERLIN = ZoneInfo("Europe/Berlin")


def ends(text, moment, zone=BERLIN):
    """When the window ends around a moment on the clocks of a zone; "" outside of it."""
    at = datetime.fromisoformat(moment).replace(tzinfo=zone)
    end = Window.parse(text).ends_after(at)
    return end and end.isoformat(" ", "minutes")


OFFICE = "Mon-Fri 09:00-17:00 Europe/Berlin"


@pytest.mark.parametrize(
    ("moment", "end"),
    [
        ("2026-11-24 08:59:59", None),  # a Tuesday
        ("2026-11-24 09:00", "2026-11-24 17:00+01:00"),
        ("2026-11-24 16:59:59", "2026-11-24 17:00+01:00"),
        ("2026-11-24 17:00", None),
        ("2026-11-28 12:00", None),  # a Saturday
        ("2026-07-01 12:00", "2026-07-01 17:00+02:00"),
    ],
)
def test_office_hours_are_those_of_their_zone(moment, end):
    assert ends(OFFICE, moment) == end


def test_wherever_the_moment_was_read():
    at = datetime(2026, 11, 24, 8, 30, tzinfo=UTC)
    end = Window.parse(OFFICE).ends_after(at)
    assert end == datetime(2026, 11, 24, 16, 0, tzinfo=UTC)
    assert f"{end:%a %H:%M %Z}" == "Tue 17:00 CET"


@pytest.mark.parametrize(
    ("moment", "end"),
    [
        ("2026-11-27 21:59", None),
        ("2026-11-27 23:00", "2026-11-28 02:00+01:00"),  # begun on Friday
        ("2026-11-28 01:59", "2026-11-28 02:00+01:00"),
        ("2026-11-28 02:00", None),
        ("2026-11-28 23:00", None),  # Saturday does not begin one
    ],
)
def test_a_window_across_midnight_belongs_to_the_day_on_which_it_begins(moment, end):
    assert ends("Fri 22:00-02:00 Europe/Berlin", moment) == end


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("Sat,Sun UTC", "2026-11-28 23:59", "2026-11-30 00:00"),
        ("Fri-Mon 00:00-24:00 UTC", "2026-11-30 12:00", "2026-12-01 00:00"),  # across the week's end
        ("10:00-11:00 UTC", "2026-11-25 10:30", "2026-11-25 11:30"),
        ("mon,wed-thu UTC", "2026-11-25 10:30", "2026-11-24 10:30"),
    ],
)
def test_days_or_times_may_be_missing(text, inside, outside):
    assert ends(text, inside, UTC)
    assert not ends(text, outside, UTC)


def utc(text, hour, minute, day):
    end = Window.parse(text).ends_after(datetime(2026, *day, hour, minute, tzinfo=UTC))
    return end and end.astimezone(UTC).strftime("%H:%M")


def test_where_clocks_are_put_back_a_window_lasts_until_they_show_its_end_for_the_last_time():
    """02:00-02:30 comes twice in Berlin on 25 October: at 00:00 and at 01:00 UTC."""
    last_summer_hour = "01:30-02:30 Europe/Berlin"
    asked = [(23, 29, (10, 24)), (23, 30, (10, 24)), (0, 45, (10, 25)), (1, 29, (10, 25)), (1, 30, (10, 25))]
    assert [utc(last_summer_hour, *at) for at in asked] == [None, "01:30", "01:30", "01:30", None]


def test_where_clocks_are_put_forward_a_window_in_the_gap_is_not_lost():
    """02:00-03:00 does not exist in Berlin on 29 March; 01:00 UTC is 03:00 there."""
    gone = "02:15-02:45 Europe/Berlin"
    assert utc(gone, 1, 0, (3, 29)) == "01:45"
    assert utc(gone, 0, 14, (3, 29)) is None
    assert utc(gone, 1, 45, (3, 29)) is None


def test_without_a_zone_it_is_this_machines_own(monkeypatch):
    import time

    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        end = Window.parse("09:00-10:00").ends_after(datetime(2026, 11, 24, 0, 30, tzinfo=UTC))
        assert end is not None
        assert end.isoformat(" ", "minutes") == "2026-11-24 10:00+09:00"
        assert Window.parse("09:00-10:00").ends_after(datetime(2026, 11, 24, 9, 30, tzinfo=UTC)) is None
    finally:
        monkeypatch.undo()
        time.tzset()


def test_of_several_windows_the_one_that_lasts_longest_is_told():
    some = [Window.parse("10:00-11:00 UTC"), Window.parse("10:00-12:00 UTC"), Window.parse("Sat UTC")]
    window, end = window_around(some, datetime(2026, 11, 24, 10, 30, tzinfo=UTC))
    assert (str(window), end.hour) == ("10:00-12:00 UTC", 12)
    assert window_around(some, datetime(2026, 11, 24, 13, 30, tzinfo=UTC)) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "days, times and a time zone"),
        ("Europe/Berlin", "days, times and a time zone"),
        ("Mon 9:00-17:00", "days, times and a time zone"),
        ("Mon 09:00", "days, times and a time zone"),
        ("Mon-Fri 09:00-17:00 Europe/Berlin now", "days, times and a time zone"),
        ("Mon-Fry 09:00-17:00", "days such as Mon or Mon-Fri"),
        ("09:00-25:00", "times from 00:00 to 24:00"),
        ("09:61-10:00", "times from 00:00 to 24:00"),
        ("09:00-09:00", "ends at another time than it begins"),
        ("24:00-09:00", "ends at another time than it begins"),
        ("09:00-17:00 Europe/Atlantis", "a time zone that this machine knows"),
        ("09:00-17:00 Europe", "a time zone that this machine knows"),
    ],
)
def test_what_is_no_window_is_told_what_was_expected(text, expected):
    with pytest.raises(ValueError, match=expected):
        Window.parse(text)
