"""Times as people write them, to the integer milliseconds that the code counts in: durations, and moments."""

import math
import re
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

NEVER = -(2**63)
"""Milliseconds before all times."""

FOREVER = 2**63
"""Milliseconds after all times."""

Duration: TypeAlias = str | timedelta | float
"""`"250ms"`, `"5s"`, `"1m"`, `"4h"`, `"1d"`, a `timedelta`, or a number of seconds."""

_UNIT_MS = {"ms": 1.0, "s": 1e3, "m": 6e4, "h": 3.6e6, "d": 8.64e7}
_SPELLED_MS = (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1))
_DURATION_TEXT = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)")
_DURATIONS = 'a text such as "250ms", "5s", "1m", "4h" or "1d", a timedelta, or a number of seconds'


def to_seconds(value: Duration, name: str) -> float:
    """The duration in seconds; `math.inf` passes where the caller allows it.

    Raises:
        ValueError: negative, NaN or unreadable, naming the argument `name`, the value and the accepted forms.
        TypeError: of another type.
    """
    if isinstance(value, str):
        match = _DURATION_TEXT.fullmatch(value.strip())
        if match is None:
            raise ValueError(f"{name}={value!r} is not a duration: give {_DURATIONS}")
        return float(match[1]) * _UNIT_MS[match[2]] / 1e3
    if isinstance(value, timedelta):
        seconds = value.total_seconds()
    elif isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{name}={value!r} is not a duration: give {_DURATIONS}")
    else:
        try:
            seconds = float(value)
        except OverflowError:  # an int too large for any clock
            seconds = math.inf if value > 0 else -math.inf
    if math.isnan(seconds) or seconds < 0:
        raise ValueError(f"{name}={value!r} must not be negative or NaN: give {_DURATIONS}")
    return seconds


def to_ms(value: Duration, name: str = "duration") -> int:
    """A duration in whole milliseconds, rounded: `to_ms("1.5s")` is 1500. What every duration of cgrx is read with.

    Args:
        value: a text such as `"250ms"`, `"5s"`, `"1m"`, `"4h"` or `"1d"`, a `timedelta`, or a number of seconds.
        name: what an error calls the value, such as the option of your own that it was given for.

    Raises:
        ValueError: negative, infinite, NaN or unreadable, naming the value and the accepted forms.
        TypeError: of another type.

    Examples:
        >>> cgrx.to_ms("250ms"), cgrx.to_ms("1m"), cgrx.to_ms(1.5)
        (250, 60000, 1500)
    """
    seconds = to_seconds(value, name)
    if math.isinf(seconds):
        raise ValueError(f"{name}={value!r} must be finite: give {_DURATIONS}")
    return round(seconds * 1e3)


def positive_ms(value: Duration, name: str) -> int:
    """A duration of a millisecond at least."""
    found = to_ms(value, name)
    if found < 1:
        raise ValueError(f'{name}={value!r} is too short: give at least a millisecond, such as "250ms", "5s" or "1m"')
    return found


def spelled(milliseconds: int) -> str:
    """A duration as code, in the largest unit that needs no fraction."""
    if not milliseconds:
        return '"0s"'
    unit, size = next((unit, size) for unit, size in _SPELLED_MS if milliseconds % size == 0)
    return f'"{milliseconds // size}{unit}"'


Moment: TypeAlias = datetime | int | str
"""An aware `datetime`, milliseconds since the epoch, or a text in ISO 8601 (UTC where it names no zone)."""

_MOMENTS = (
    'an aware datetime, milliseconds since the epoch, or a text such as "2024-08-09", "2024-08-09T00:05" or'
    ' "2024-08-09T00:05:30.250+02:00" (UTC where it names no zone)'
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_epoch_ms(value: Moment, name: str) -> int:
    """A moment in milliseconds since the epoch, fractions of one cut off.

    Raises:
        ValueError: unreadable, naive or before 1970, naming the argument `name`, the value and the accepted forms.
        TypeError: of another type.
    """
    if isinstance(value, str):
        try:
            found = datetime.fromisoformat(value.strip())
        except ValueError:
            raise ValueError(f"{name}={value!r} is no moment: give {_MOMENTS}") from None
        moment_ms = _ms(found if found.tzinfo else found.replace(tzinfo=UTC))
    elif isinstance(value, datetime):
        if value.utcoffset() is None:
            raise ValueError(f"{name}={value!r} is naive: give {_MOMENTS}")
        moment_ms = _ms(value)
    elif isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name}={value!r} is no moment: give {_MOMENTS}")
    else:
        moment_ms = value
    if moment_ms < 0:
        raise ValueError(f"{name}={value!r} is before 1970: give {_MOMENTS}")
    return moment_ms


def _ms(moment: datetime) -> int:
    since = moment - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1000 + since.microseconds // 1000
