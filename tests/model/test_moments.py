"""Moments as arguments: what is read, and what is refused with its name."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from cgrx._model.times import Moment, to_epoch_ms

NOON_MS = 1_723_204_800_000


@pytest.mark.parametrize(
    ("moment", "expected_ms"),
    [
        (NOON_MS, NOON_MS),
        (0, 0),
        ("2024-08-09T12:00", NOON_MS),
        (" 2024-08-09 ", NOON_MS - 12 * 3_600_000),
        ("2024-08-09T14:00:00.250+02:00", NOON_MS + 250),
        (datetime(2024, 8, 9, 12, 0, 0, 1_999, tzinfo=UTC), NOON_MS + 1),
        (datetime(2024, 8, 9, 10, tzinfo=timezone(timedelta(hours=-2))), NOON_MS),
    ],
)
def test_a_moment_in_milliseconds(moment: Moment, expected_ms: int) -> None:
    """A text without a zone is in UTC; fractions of a millisecond are cut off."""
    assert to_epoch_ms(moment, "start") == expected_ms


@pytest.mark.parametrize(
    ("moment", "error", "words"),
    [
        ("soon", ValueError, "start='soon' is no moment: give an aware datetime, milliseconds since the epoch"),
        (datetime(2024, 8, 9), ValueError, r"start=datetime.datetime\(2024, 8, 9, 0, 0\) is naive"),  # noqa: DTZ001 - is refused
        (-1, ValueError, "start=-1 is before 1970"),
        ("1969-12-31", ValueError, "start='1969-12-31' is before 1970"),
        (True, TypeError, "start=True is no moment"),
        (1.5, TypeError, "start=1.5 is no moment"),
    ],
)
def test_what_is_no_moment(moment: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        to_epoch_ms(moment, "start")
