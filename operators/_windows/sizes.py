"""Reads the arguments that say where windows of a grid begin and end: `size`, `every`, `offset`, `zone` and so on."""

import re
from datetime import time

from cgrx._model.times import Duration, to_ms
from cgrx.operators._stages.arguments import positive_ms
from cgrx.operators._windows.calendar import (
    FIRST_YEAR,
    LAST_YEAR,
    WEEKDAYS,
    Calendar,
    Weekday,
    first_skipped,
)
from cgrx.operators._windows.spacing import Regular
from cgrx.operators._windows.zones import DAY_MS

_CALENDAR = re.compile(r"(\d+)\s*(d|w|mo|q|y)")
_MONTHS = {"mo": 1, "q": 3, "y": 12}
_SIZES = '"1d", "1w", "1mo", "1q" or "1y"'
_START = re.compile(r"\d\d:\d\d(:\d\d)?")


def overlapping(size: Duration, every: Duration, offset: Duration) -> Regular:
    """The arguments of `sliding`.

    Raises:
        ValueError, TypeError: naming the argument, the value and the accepted forms.
    """
    found = _of_calendar(size)
    if found is not None and found[1] != "d":
        raise ValueError(
            f"size={size!r} is a size of the calendar, and windows that overlap have a fixed length: give one, such as"
            ' "7d", or take ops.tumbling'
        )
    size_ms = positive_ms(size, "size")
    every_ms = positive_ms(every, "every")
    if every_ms > size_ms:
        raise ValueError(f"every={every!r} is more than size={size!r}: events between two windows would be in none")
    return Regular(size_ms, every_ms, _offset_ms(offset, every_ms, f"every={every!r}"))


def successive(
    size: Duration, offset: Duration, zone: str | None, start: str | None, week_start: Weekday | None
) -> Regular | Calendar:
    """The arguments of `tumbling`.

    Raises:
        ValueError, TypeError: as above.
        ImportError: there are no rules of zones.
    """
    by_calendar = {"zone": zone, "start": start, "week_start": week_start}
    asked = next((f"{name}={value!r}" for name, value in by_calendar.items() if value is not None), None)
    found = _of_calendar(size)
    if found is None or (found == (1, "d") and asked is None):
        if asked is not None:
            raise ValueError(
                f"{asked} is for the sizes of a calendar, {_SIZES}, and size={size!r} is a fixed length: give one of"
                " those, or offset= to say where windows of a fixed length begin"
            )
        try:
            size_ms = positive_ms(size, "size")
        except ValueError as error:
            raise ValueError(f"{error}; or a size of the calendar: {_SIZES}") from None
        return Regular(size_ms, size_ms, _offset_ms(offset, size_ms, f"size={size!r}"))
    if to_ms(offset, "offset"):
        raise ValueError(
            f"offset={offset!r} moves windows of a fixed length, and those of size={size!r} begin by the calendar:"
            ' give start=, such as start="17:00"'
        )
    return _calendar(size, *found, zone, start, week_start)


def _of_calendar(size: Duration) -> tuple[int, str] | None:
    """How many of which unit; None for a fixed length, as are several days."""
    match = _CALENDAR.fullmatch(size.strip()) if isinstance(size, str) else None
    found = None if match is None else (int(match[1]), match[2])
    return None if found is None or (found[1] == "d" and found[0] != 1) else found


def _offset_ms(offset: Duration, every_ms: int, step: str) -> int:
    offset_ms = to_ms(offset, "offset")
    if offset_ms >= every_ms:
        raise ValueError(f'offset={offset!r} is not less than {step}: give less, such as "4h" for windows of "8h"')
    return offset_ms


def _calendar(
    size: Duration, count: int, unit: str, zone: str | None, start: str | None, week_start: Weekday | None
) -> Regular | Calendar:
    if zone is not None and not isinstance(zone, str):
        raise TypeError(f'zone={zone!r} takes the name of a time zone, such as "Europe/Berlin"')
    if week_start is not None and unit != "w":
        raise ValueError(
            f'week_start={week_start!r} is for size="1w": windows of size={size!r} do not begin by the week'
        )
    zone = "UTC" if zone is None else zone
    start_ms = 0 if start is None else _start_ms(start)
    match unit:
        case "d":
            found = Calendar("day", zone=zone, start_ms=start_ms)
        case "w":
            if count != 1:
                raise ValueError(
                    f'size={size!r} does not say with which week to begin: give "1w", or a fixed length and an offset,'
                    ' such as size="14d", offset="4d"'
                )
            found = Calendar("week", zone=zone, start_ms=start_ms, week_start=_weekday(week_start))
        case _:
            months = count * _MONTHS[unit]
            if not months or 12 % months:
                raise ValueError(f'size={size!r} does not divide a year: give "1mo", "2mo", "1q", "4mo", "6mo" or "1y"')
            found = Calendar("month", months, zone=zone, start_ms=start_ms)
    skipped = first_skipped(found)
    if skipped is not None:
        raise ValueError(
            f"start={start!r} does not exist on {skipped} in {zone}: clocks are set forward across it. Give a time that"
            f" they show on every day from {FIRST_YEAR} to {LAST_YEAR} on which a window begins"
        )
    return Regular(DAY_MS, DAY_MS, start_ms) if unit == "d" and zone == "UTC" else found


def _start_ms(start: object) -> int:
    if not isinstance(start, str):
        raise TypeError(f'start={start!r} takes a time of day as text, such as "17:00"')
    try:
        if not _START.fullmatch(start):
            raise ValueError
        found = time.fromisoformat(start)
    except ValueError:
        raise ValueError(
            f'start={start!r} is no time of day: give "HH:MM" or "HH:MM:SS" from "00:00" to "23:59:59", such as "17:00"'
        ) from None
    return (found.hour * 3600 + found.minute * 60 + found.second) * 1000


def _weekday(week_start: object) -> int:
    if week_start is None:
        return 0
    if week_start not in WEEKDAYS:
        raise ValueError(f"week_start={week_start!r} is no day of the week: give {', '.join(map(repr, WEEKDAYS))}")
    return WEEKDAYS.index(week_start)
