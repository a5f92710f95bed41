"""Durations as people write them, to the integer milliseconds that the code counts in."""

import math
import re
from datetime import timedelta
from typing import TypeAlias

Duration: TypeAlias = str | timedelta | float
"""`"250ms"`, `"5s"`, `"1m"`, `"4h"`, `"1d"`, a `timedelta`, or a number of seconds."""

_UNIT_MS = {"ms": 1.0, "s": 1e3, "m": 6e4, "h": 3.6e6, "d": 8.64e7}
_TEXT = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)")
_ACCEPTED = 'a text such as "250ms", "5s", "1m", "4h" or "1d", a timedelta, or a number of seconds'


def to_seconds(value: Duration, name: str) -> float:
    """The duration in seconds; `math.inf` passes where the caller allows it.

    Raises:
        ValueError: negative, NaN or unreadable, naming the argument `name`, the value and the accepted forms.
        TypeError: of another type.
    """
    if isinstance(value, str):
        match = _TEXT.fullmatch(value.strip())
        if match is None:
            raise ValueError(f"{name}={value!r} is not a duration: give {_ACCEPTED}")
        return float(match[1]) * _UNIT_MS[match[2]] / 1e3
    if isinstance(value, timedelta):
        seconds = value.total_seconds()
    elif isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{name}={value!r} is not a duration: give {_ACCEPTED}")
    else:
        try:
            seconds = float(value)
        except OverflowError:  # an int too large for any clock
            seconds = math.inf if value > 0 else -math.inf
    if math.isnan(seconds) or seconds < 0:
        raise ValueError(f"{name}={value!r} must not be negative or NaN: give {_ACCEPTED}")
    return seconds


def to_ms(value: Duration, name: str) -> int:
    """The duration in whole milliseconds (rounded), which must be finite. Raises as `to_seconds` does."""
    seconds = to_seconds(value, name)
    if math.isinf(seconds):
        raise ValueError(f"{name}={value!r} must be finite: give {_ACCEPTED}")
    return round(seconds * 1e3)
