"""Moments as people write them, to the integer milliseconds that the code counts in."""

from datetime import UTC, datetime
from typing import TypeAlias

Moment: TypeAlias = datetime | int | str
"""An aware `datetime`, milliseconds since the epoch, or a text in ISO 8601 (UTC where it names no zone)."""

_ACCEPTED = (
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
            raise ValueError(f"{name}={value!r} is no moment: give {_ACCEPTED}") from None
        moment_ms = _ms(found if found.tzinfo else found.replace(tzinfo=UTC))
    elif isinstance(value, datetime):
        if value.utcoffset() is None:
            raise ValueError(f"{name}={value!r} is naive: give {_ACCEPTED}")
        moment_ms = _ms(value)
    elif isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name}={value!r} is no moment: give {_ACCEPTED}")
    else:
        moment_ms = value
    if moment_ms < 0:
        raise ValueError(f"{name}={value!r} is before 1970: give {_ACCEPTED}")
    return moment_ms


def _ms(moment: datetime) -> int:
    since = moment - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1000 + since.microseconds // 1000
