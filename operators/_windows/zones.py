"""The clocks of a zone: how far they are from UTC at a moment, and at which moment they show a time.

The rules come from `zoneinfo`: those of the system, or of the package tzdata (the extra `zones`). They are data: the
same rules give the same answers, whatever the time and the machine. A zone is known by its name, so that a stage stays
a value; the rules are read where it is built, and where it starts.
"""

from bisect import bisect_left
from datetime import UTC, datetime, timedelta, tzinfo
from difflib import get_close_matches
from zoneinfo import ZoneInfo, available_timezones

DAY_MS = 86_400_000

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EARLIEST_S = -62_135_596_800 + 2 * 86_400
_LATEST_S = 253_402_300_800 - 2 * 86_400
"""Where `datetime` begins and ends, and two days within. Beyond, clocks are taken to go on as there."""


def rules_of(zone: str) -> tzinfo:
    """The rules of a zone; UTC needs none.

    Raises:
        ValueError: there is no such zone.
        ImportError: there are no rules of zones at all.
    """
    if zone == "UTC":
        return UTC
    try:
        return ZoneInfo(zone)
    except (LookupError, ValueError, OSError):  # no such file, a name that no file has, a folder
        known = available_timezones()
    if not known:
        raise ImportError(
            f'zone={zone!r} needs the rules of time zones, which this system lacks: pip install "cgrx[zones]"'
        )
    by_folded = {name.casefold(): name for name in known}
    near = [by_folded[name] for name in get_close_matches(zone.casefold(), by_folded, cutoff=0.7)]
    if not near:  # of a city without its continent
        near = sorted(name for name in known if zone and name.casefold().endswith(f"/{_spelled(zone)}"))[:3]
    hint = f": did you mean {' or '.join(near)}?" if near else ""
    raise ValueError(
        f'zone={zone!r} is no time zone{hint or ":"} give a name of the IANA database, such as "America/New_York",'
        ' "Europe/Berlin" or "UTC"'
    )


def _spelled(zone: str) -> str:
    return zone.casefold().replace(" ", "_")


def _at(time_ms: int) -> datetime:
    # To the second, which is as exact as rules are.
    return _EPOCH + timedelta(0, min(max(time_ms // 1000, _EARLIEST_S), _LATEST_S))


def _ahead_ms(shown: datetime) -> int:
    offset = shown.utcoffset()
    assert offset is not None  # an aware datetime has one
    return (offset.days * 86_400 + offset.seconds) * 1000


def offset_ms(rules: tzinfo, time_ms: int) -> int:
    """How far the zone's clocks are ahead of UTC at a moment."""
    return _ahead_ms(_at(time_ms).astimezone(rules))


def is_skipped(rules: tzinfo, shown_ms: int) -> bool:
    """Whether the zone's clocks are set forward across a time, so that they never show it.

    Args:
        rules: of the zone.
        shown_ms: date and time of day, as milliseconds since 1970-01-01 00:00 by the same clocks.
    """
    before, after = _offsets(rules, shown_ms)
    return before < after


def moment_ms(rules: tzinfo, shown_ms: int) -> int:
    """The first moment at which the zone's clocks show a time, or a later one where they are set forward across it."""
    before, after = _offsets(rules, shown_ms)
    if before >= after:  # the same, or the clocks are set back and show it twice
        return shown_ms - before
    # The clocks are set forward in between.
    moments = range(shown_ms - after, shown_ms - before)
    return moments[0] + bisect_left(moments, after, key=lambda each: offset_ms(rules, each))


def _offsets(rules: tzinfo, shown_ms: int) -> tuple[int, int]:
    """How far the clocks that show a time are ahead of UTC, by the rules of before and after a change near it."""
    shown = _at(shown_ms).replace(tzinfo=rules)
    return _ahead_ms(shown), _ahead_ms(shown.replace(fold=1))
