"""Windows of days, weeks, months or quarters, as a value: they begin when a zone's clocks show a time of day.

So they are not equally long: a day has 23 or 25 hours where clocks change.
"""

from bisect import bisect_right
from datetime import date
from functools import lru_cache
from typing import Literal, TypeAlias

import attrs

from cgrx.operators._windows.zones import DAY_MS, is_skipped, moment_ms, offset_ms, rules_of

Weekday: TypeAlias = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
WEEKDAYS: tuple[Weekday, ...] = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

FIRST_YEAR, LAST_YEAR = 2015, 2040
"""In these years every window must have the beginning that was asked for."""

_EPOCH = date(1970, 1, 1).toordinal()
_EPOCH_WEEKDAY = date(1970, 1, 1).weekday()

_KEPT = 1000
"""How many windows are remembered: what is open, with room for events that are years off."""

_DAYS = {"day": 1, "week": 7, "month": 31}
_MONTHS = {1: "1mo", 3: "1q", 12: "1y"}


@attrs.frozen
class Calendar:
    """Windows that begin with a day, a week, or a number of months. Days of UTC are `Regular`, as all are equal."""

    unit: Literal["day", "week", "month"]
    months: int = 1
    """A divisor of 12; 1 for days and weeks."""
    zone: str = "UTC"
    start_ms: int = 0
    """The time of day at which windows begin, since midnight by the clock."""
    week_start: int = 0
    """The weekday with which weeks begin, 0 for Monday."""

    overlapping = False
    """Each window is one pane."""
    pane_ms = 0
    """Panes are not equally long."""
    offset_ms = 0

    def ruler(self) -> "CalendarRuler":
        """What says where they are.

        Raises:
            ValueError, ImportError: the rules of the zone are not known here; see `rules_of`.
        """
        return CalendarRuler(self)

    def number(self, day: int) -> int:
        """The number of the window that begins last by a day. Days count from 1970-01-01."""
        if self.unit == "day":
            return day
        if self.unit == "week":
            return (day + _EPOCH_WEEKDAY - self.week_start) // 7
        year, month = _month(day)
        return (12 * year + month) // self.months

    def first_day(self, number: int) -> int:
        """The day on which a window begins."""
        if self.unit == "day":
            return number
        if self.unit == "week":
            return 7 * number - _EPOCH_WEEKDAY + self.week_start
        return _first_day(number * self.months)

    def code(self) -> tuple[str, str, str]:
        """As arguments: see `Regular.code`."""
        size = {"day": "1d", "week": "1w", "month": _MONTHS.get(self.months, f"{self.months}mo")}[self.unit]
        named: list[str] = []
        if self.zone != "UTC":
            named.append(f'zone="{self.zone}"')
        if self.start_ms:
            named.append(f'start="{_shown(self.start_ms)}"')
        if self.week_start:
            named.append(f'week_start="{WEEKDAYS[self.week_start]}"')
        return "tumbling", f'"{size}"', "".join(f", {each}" for each in named)


def _shown(start_ms: int) -> str:
    """A time of day as a clock shows it: `"17:00"`, with seconds only where there are some."""
    minutes, seconds = divmod(start_ms // 1000, 60)
    return f"{minutes // 60:02}:{minutes % 60:02}" + (f":{seconds:02}" if seconds else "")


def _month(day: int) -> tuple[int, int]:
    """The year, and the month from 0 on, of a day since 1970-01-01, of any year."""
    # The calendar repeats itself every 400 years, which have 146,097 days.
    cycles, within = divmod(day + _EPOCH - 1, 146_097)
    found = date.fromordinal(within + 1)
    return 400 * cycles + found.year, found.month - 1


def _first_day(month: int) -> int:
    """The first day of a month, which counts from the year 0 on; the day since 1970-01-01."""
    cycles, within = divmod(month - 12, 4800)
    found = date(within // 12 + 1, within % 12 + 1, 1)
    return 146_097 * cycles + found.toordinal() - _EPOCH


class CalendarRuler:
    """Looks windows up among those that it found before. State: the last 1,000 at the most."""

    def __init__(self, calendar: Calendar) -> None:
        self.longest_ms = (_DAYS[calendar.unit] * calendar.months + 1) * DAY_MS  # clocks change by a day at most
        self._calendar = calendar
        self._rules = rules_of(calendar.zone)
        self._starts: list[int] = []  # in order
        self._ends: dict[int, int] = {}  # by start
        self._beginnings = _beginnings(calendar)

    def pane(self, time_ms: int) -> tuple[int, int]:
        """The window that holds a time."""
        starts, ends = self._starts, self._ends
        at = bisect_right(starts, time_ms)
        if at and time_ms < (end_ms := ends[starts[at - 1]]):
            return starts[at - 1], end_ms
        if len(starts) == _KEPT:
            starts.clear()
            ends.clear()
            at = 0
        start_ms, end_ms = self._find(time_ms)
        starts.insert(at, start_ms)
        ends[start_ms] = end_ms
        return start_ms, end_ms

    def end(self, start_ms: int) -> int:
        """The end of the window that begins then."""
        found = self._ends.get(start_ms)
        return self.pane(start_ms)[1] if found is None else found

    next = end
    """One window begins where the one before it ends."""

    def last(self, pane_start_ms: int) -> int:
        """A pane is a window."""
        return pane_start_ms

    def open_at(self, time_ms: int) -> int:
        """The window that holds the time ends after it."""
        return time_ms if time_ms in self._ends else self.pane(time_ms)[0]

    def _find(self, time_ms: int) -> tuple[int, int]:
        calendar = self._calendar
        # By the clocks of UTC, from which those of the zone differ by a day at most.
        number = calendar.number((time_ms - calendar.start_ms) // DAY_MS)
        while time_ms < (start_ms := self._begin(number)):
            number -= 1
        while time_ms >= (end_ms := self._begin(number + 1)):
            start_ms = end_ms
            number += 1
        return start_ms, end_ms

    def _begin(self, number: int) -> int:
        found = self._beginnings.get(number)
        if found is None:
            calendar = self._calendar
            found = moment_ms(self._rules, calendar.first_day(number) * DAY_MS + calendar.start_ms)
            if len(self._beginnings) >= _KEPT:
                self._beginnings.clear()
            self._beginnings[number] = found
        return found


@lru_cache(maxsize=64)
def _beginnings(_: Calendar) -> dict[int, int]:
    """When the windows of a calendar begin, by their numbers, as far as any of its rulers has found it.

    To find one takes fifty times as long as to look it up, and all subscriptions to a window ask for the same ones.
    Rulers of several threads may share it: what one of them puts in, another one would find too.
    """
    return {}


@lru_cache(maxsize=256)
def first_skipped(calendar: Calendar) -> date | None:
    """The first day from `FIRST_YEAR` to `LAST_YEAR` on which clocks are set forward across the start of a window.

    Midnight is no such start: a day without it begins with its first moment.

    Raises:
        ValueError, ImportError: see `rules_of`.
    """
    rules = rules_of(calendar.zone)
    if not calendar.start_ms:
        return None
    days = range(date(FIRST_YEAR, 1, 1).toordinal() - _EPOCH, date(LAST_YEAR + 1, 1, 1).toordinal() - _EPOCH)
    for first in days[::3]:
        if offset_ms(rules, first * DAY_MS) == offset_ms(rules, (first + 3) * DAY_MS):
            continue  # clocks were not changed, for nobody does so twice within three days
        for day in range(first - 1, first + 5):  # the days of the zone that may touch these three of UTC
            begins = day in days and day == calendar.first_day(calendar.number(day))
            if begins and is_skipped(rules, day * DAY_MS + calendar.start_ms):
                return date.fromordinal(day + _EPOCH)
    return None
