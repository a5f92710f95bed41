"""Windows by the calendar of a zone: where they begin, how long they are, and that all else is as with others."""

import pickle
import zoneinfo
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, cast

import pytest

from cgrx import operators as ops
from cgrx._model.signals import Batch, Dropped, Gap, Signal
from cgrx._streams.stream import Stage
from tests.windows.test_wrong_clocks import START, two_exchanges
from tests.windows.test_wrong_clocks import market as market_of
from tests.windows.windowing import BEGUN, CHANNEL, Tally, alive, on_time, rows, trade

HOUR = 3_600_000
NEW_YORK: dict[str, Any] = {"zone": "America/New_York", "start": "17:00"}


def ms(text: str) -> int:
    """A moment of UTC, or of the offset that it names."""
    found = datetime.fromisoformat(text)
    return round((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp() * 1000)


def windows(stage: Stage[Any, Any], first: str, last: str) -> list[tuple[str, float]]:
    """The windows of events four times an hour, each as its start in UTC and its hours."""
    times = range(ms(first), ms(last), HOUR // 4)
    found = rows(stage, BEGUN, *(on_time(time_ms) for time_ms in times), ends=True)
    assert sum(row.n for row in found) == len(times)
    assert all(before.end_ms == after.start_ms for before, after in pairwise(found))
    return [
        (
            datetime.fromtimestamp(row.start_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M"),
            (row.end_ms - row.start_ms) / HOUR,
        )
        for row in found
    ]


@pytest.mark.parametrize(
    ("stage", "first", "last", "expected"),
    [
        (  # clocks are set forward at 02:00
            ops.tumbling("1d", Tally, **NEW_YORK),
            "2024-03-08T22:00",
            "2024-03-11T21:00",
            [("2024-03-08T22:00", 24), ("2024-03-09T22:00", 23), ("2024-03-10T21:00", 24)],
        ),
        (  # and set back
            ops.tumbling("1d", Tally, **NEW_YORK),
            "2024-11-01T21:00",
            "2024-11-04T22:00",
            [("2024-11-01T21:00", 24), ("2024-11-02T21:00", 25), ("2024-11-03T22:00", 24)],
        ),
        (
            ops.tumbling("1d", Tally, zone="Europe/Berlin"),
            "2024-03-30T00:00",
            "2024-04-01T00:00",
            [("2024-03-29T23:00", 24), ("2024-03-30T23:00", 23), ("2024-03-31T22:00", 24)],
        ),
        (  # by half an hour
            ops.tumbling("1d", Tally, zone="Australia/Lord_Howe"),
            "2024-10-05T00:00",
            "2024-10-06T20:00",
            [("2024-10-04T13:30", 24), ("2024-10-05T13:30", 23.5), ("2024-10-06T13:00", 24)],
        ),
        (  # at midnight, so that the day begins at 01:00
            ops.tumbling("1d", Tally, zone="America/Sao_Paulo"),
            "2018-11-03T12:00",
            "2018-11-05T12:00",
            [("2018-11-03T03:00", 24), ("2018-11-04T03:00", 23), ("2018-11-05T02:00", 24)],
        ),
        (  # at 01:00 back to midnight, which comes twice: the first is meant
            ops.tumbling("1d", Tally, zone="America/Havana"),
            "2024-11-02T12:00",
            "2024-11-04T12:00",
            [("2024-11-02T04:00", 24), ("2024-11-03T04:00", 25), ("2024-11-04T05:00", 24)],
        ),
        (  # the other half of a time that comes twice
            ops.tumbling("1d", Tally, zone="America/New_York", start="01:30"),
            "2024-11-02T12:00",
            "2024-11-04T12:00",
            [("2024-11-02T05:30", 24), ("2024-11-03T05:30", 25), ("2024-11-04T06:30", 24)],
        ),
        (  # a day that was skipped
            ops.tumbling("1d", Tally, zone="Pacific/Apia", start="12:00"),
            "2011-12-29T00:00",
            "2011-12-31T00:00",
            [("2011-12-28T22:00", 24), ("2011-12-29T22:00", 12), ("2011-12-30T10:00", 12), ("2011-12-30T22:00", 24)],
        ),
        (
            ops.tumbling("1w", Tally),
            "2024-08-10T00:00",
            "2024-08-13T00:00",
            [("2024-08-05T00:00", 168), ("2024-08-12T00:00", 168)],
        ),
        (
            ops.tumbling("1w", Tally, week_start="sunday", **NEW_YORK),
            "2024-03-09T00:00",
            "2024-03-12T00:00",
            [("2024-03-03T22:00", 167), ("2024-03-10T21:00", 168)],
        ),
        (
            ops.tumbling("1mo", Tally),
            "2024-02-28T00:00",
            "2024-03-02T00:00",
            [("2024-02-01T00:00", 29 * 24), ("2024-03-01T00:00", 31 * 24)],
        ),
        (
            ops.tumbling("1q", Tally, zone="Europe/Berlin"),
            "2024-03-30T00:00",
            "2024-04-02T00:00",
            [("2023-12-31T23:00", 91 * 24 - 1), ("2024-03-31T22:00", 91 * 24)],
        ),
        (
            ops.tumbling("6mo", Tally),
            "2024-06-30T00:00",
            "2024-07-02T00:00",
            [("2024-01-01T00:00", 182 * 24), ("2024-07-01T00:00", 184 * 24)],
        ),
        (
            ops.tumbling("1y", Tally),
            "2024-12-31T00:00",
            "2025-01-02T00:00",
            [("2024-01-01T00:00", 366 * 24), ("2025-01-01T00:00", 365 * 24)],
        ),
        (  # funding periods of a fixed length
            ops.tumbling("8h", Tally, offset="4h"),
            "2024-01-01T04:00",
            "2024-01-01T20:00",
            [("2024-01-01T04:00", 8), ("2024-01-01T12:00", 8)],
        ),
        (  # the days of the epoch's week
            ops.tumbling("7d", Tally),
            "2024-08-10T00:00",
            "2024-08-16T00:00",
            [("2024-08-08T00:00", 168), ("2024-08-15T00:00", 168)],
        ),
    ],
    ids=repr,
)
def test_where_windows_begin(stage: Any, first: str, last: str, expected: list[tuple[str, float]]) -> None:
    assert windows(stage, first, last) == expected


def test_clocks_that_are_set_back_from_behind_the_start_to_before_it() -> None:
    """They show 01:10 when the day has begun, at 01:30. Whichever event is the first to ask."""
    stage = ops.tumbling("1d", Tally, zone="America/New_York", start="01:30")
    (row,) = rows(stage, BEGUN, on_time(ms("2024-11-03T01:10-05:00")), ends=True)
    assert row.start_ms == ms("2024-11-03T01:30-04:00")


def test_sliding_windows_begin_at_an_offset() -> None:
    stage = ops.sliding("8h", "4h", Tally, offset="1h", lateness=0)
    found = rows(stage, BEGUN, on_time(ms("2024-01-01T06:00")), on_time(ms("2024-01-02")))
    assert [row.start_ms for row in found] == [ms("2023-12-31T21:00") + each * 4 * HOUR for each in (1, 2)]


FORWARD = ms("2024-03-10T21:00")
"""The end of a day of 23 hours in New York."""


def market(*hours: float, proof: bool = True) -> Iterator[Signal[Any]]:
    """Events so many hours after the beginning of that day, each with a proof of life."""
    begin = FORWARD - 23 * HOUR
    yield Gap(CHANNEL, 0, begin - HOUR, "subscribed")
    for hour in hours:
        yield on_time(begin + round(hour * HOUR))
        if proof:
            yield alive(begin + round(hour * HOUR) + 1)


def test_a_row_says_what_it_missed_of_the_hours_that_it_has() -> None:
    """A gap over the end of the day, widened by the lateness, is charged to both days as far as it is theirs."""
    gap = Gap(CHANNEL, FORWARD - HOUR, FORWARD + HOUR, "disconnected")
    signals = [*market(1, 10, 21), gap, *list(market(25, 50))[1:]]
    first, second = rows(ops.tumbling("1d", Tally, lateness="1m", **NEW_YORK), *signals)
    assert (first.n, first.gap_ms, first.complete) == (3, HOUR + 60_000, False)
    assert (second.n, second.gap_ms, second.complete) == (1, HOUR + 60_000, False)


def test_days_are_complete_late_and_empty_as_other_windows() -> None:
    late: list[Any] = []
    stage = ops.tumbling("1d", Tally, on_late=late.append, emit_empty=True, **NEW_YORK)
    signals = [*market(1, 22.9, 24), on_time(FORWARD - 1), alive(FORWARD + 60 * HOUR)]
    found = rows(stage, *signals)
    assert [(row.start_ms - FORWARD, row.end_ms - FORWARD, row.n, row.late, row.complete) for row in found] == [
        (-23 * HOUR, 0, 2, 0, True),
        (0, 24 * HOUR, 1, 1, True),
        (24 * HOUR, 48 * HOUR, 0, 1, True),
    ]
    assert late == [trade(FORWARD - 1)]


def test_empty_days_in_a_row_are_bounded() -> None:
    years = [Batch(None, each, (trade(each),)) for each in (FORWARD, FORWARD + 40 * 365 * 24 * HOUR)]
    found = rows(ops.tumbling("1d", Tally, emit_empty=True, **NEW_YORK), *years)
    assert [row.n for row in found] == [1, *[0] * 10_000]


def test_running_rows_are_about_the_day() -> None:
    stage = ops.tumbling("1d", Tally, updates="1h", **NEW_YORK)
    found = rows(stage, *market(1, 2, 3, 24))
    assert [(row.start_ms - FORWARD, row.end_ms - FORWARD, row.n, row.final) for row in found] == [
        (-23 * HOUR, 0, 1, False),
        (-23 * HOUR, 0, 2, False),
        (-23 * HOUR, 0, 3, True),
    ]


def test_gaps_of_a_window_are_kept_however_many_come_after() -> None:
    """Those that no window needs are forgotten, and the longest windows need the oldest."""
    month = ops.tumbling("1mo", Tally, lateness="1s", zone="Europe/Berlin")
    begin = ms("2024-01-31T23:00")
    signals: list[Signal[Any]] = [Gap(CHANNEL, 0, begin - HOUR, "subscribed"), on_time(begin + 1), alive(begin + 1)]
    for day in range(1, 29):
        for hour in range(4):
            gone = begin + (24 * day + 6 * hour) * HOUR
            signals += [Gap(CHANNEL, gone, gone + HOUR, "disconnected"), on_time(gone + HOUR), alive(gone + HOUR + 1)]
    signals += [alive(begin + 29 * 24 * HOUR + 60_000)]
    (row,) = rows(month, *signals)
    assert row.end_ms - row.start_ms == 29 * 24 * HOUR
    assert row.gap_ms == 4 * 28 * (HOUR + 2_000)


def test_events_of_any_year_have_a_window() -> None:
    """Beyond the years of `datetime` too, where clocks go on as in the last one; and what is kept is bounded."""
    for stage in (ops.tumbling("1d", Tally, **NEW_YORK), ops.tumbling("1q", Tally, **NEW_YORK)):
        running: Any = stage.start()
        times = [-(2**62), ms("0001-01-01"), ms("9999-12-31"), 2**62]
        for time_ms in times:
            start_ms, end_ms = running._ruler.pane(time_ms)
            assert start_ms <= time_ms < end_ms
            assert running._ruler.pane(end_ms)[0] == end_ms
            assert running._ruler.pane(start_ms - 1)[1] == start_ms
        for number in range(5_000):
            running._ruler.pane(number * 2_400 * HOUR)
        state = cast("dict[str, Any]", vars(running._ruler))
        held = [len(value) for value in state.values() if type(value) in (list, dict)]
        assert max(held) <= 2_000


def test_subscriptions_share_what_was_found_of_a_calendar(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rules of the zone are slow, and each subscription to a window asks for the same days."""
    stage: Any = ops.tumbling("1d", Tally, zone="Asia/Tokyo")
    time_ms = ms("2024-05-17")
    found = stage.start()._ruler.pane(time_ms)
    monkeypatch.delattr("cgrx.operators._windows.calendar.moment_ms")
    assert stage.start()._ruler.pane(time_ms) == found


@pytest.mark.parametrize(
    ("size", "zone", "start"),
    [
        ("1w", "America/New_York", "02:30"),  # clocks are set forward on Sundays
        ("1mo", "America/New_York", "02:30"),  # and never on the first of a month
        ("1d", "Asia/Kolkata", "02:30"),
        ("1d", "America/Sao_Paulo", "00:00"),  # midnight is the first moment of a day
        ("1d", "Pacific/Apia", "12:00"),  # which was skipped before the years that are checked
    ],
)
def test_a_start_that_exists_wherever_a_window_begins(size: str, zone: str, start: str) -> None:
    assert rows(ops.tumbling(size, zone=zone, start=start), BEGUN, on_time(FORWARD), ends=True)


def test_a_stage_that_comes_to_a_machine_without_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    """It says what to install; so does a window that is built there. UTC needs no rules."""
    stage = pickle.loads(pickle.dumps(ops.tumbling("1d", Tally, **NEW_YORK)))
    monkeypatch.setattr("cgrx.operators._windows.zones.ZoneInfo", _no_rules)
    monkeypatch.setattr("cgrx.operators._windows.zones.available_timezones", set[str])
    needed = r'zone=\'America/New_York\' needs the rules of time zones.*pip install "cgrx\[zones\]"'
    with pytest.raises(ImportError, match=needed):
        stage.start()
    with pytest.raises(ImportError, match=needed):
        ops.tumbling("1mo", zone="America/New_York")
    assert len(rows(ops.tumbling("1w", Tally), BEGUN, on_time(0), on_time(800 * HOUR))) == 1


def _no_rules(zone: str) -> Any:
    raise KeyError(zone)


def test_the_rules_of_the_extra_suffice() -> None:
    """Where the system has none, they come from the package tzdata."""
    stage = ops.tumbling("1d", Tally, **NEW_YORK)
    zoneinfo.reset_tzpath(to=())
    zoneinfo.ZoneInfo.clear_cache()
    try:
        found = rows(stage, BEGUN, on_time(FORWARD), on_time(FORWARD + 25 * HOUR))
    finally:
        zoneinfo.reset_tzpath()
        zoneinfo.ZoneInfo.clear_cache()
    assert [row.start_ms for row in found] == [FORWARD]


# `START` is 2027-01-15 08:00 UTC, a Friday.
CLOCKS: dict[str, list[Signal[Any]]] = {
    **{f"off by {off}": list(market_of(range(45), off)) for off in (-7_200_000, -5_000, -3_000, 3_000, 5_000)},
    "from the future": list(market_of(range(45), ahead={12: 59 * 60_000})),
    "days old": list(market_of(range(45), ahead={12: -48 * HOUR})),
    "gone": [
        *market_of(range(11), 3_000),
        Gap(CHANNEL, START + 13_500, START + 24_500, "disconnected"),
        *market_of(range(22, 45), 3_000, begin=False),
    ],
    "lost": [*market_of(range(15)), Dropped(CHANNEL, 1, "malformed"), *market_of(range(15, 45), begin=False)],
    "one ahead": list(two_exchanges(range(60), 8_000, range(20, 25))),
    "one behind": list(two_exchanges(range(60), -8_000, range(20, 25))),
}


@pytest.mark.parametrize("emit_empty", [False, True])
@pytest.mark.parametrize("clock", CLOCKS)
def test_wrong_clocks(clock: str, emit_empty: bool) -> None:
    """A week that ends in their midst closes as one of a fixed length, with the same signal and the same row."""
    terms: dict[str, Any] = {"by": "exchange", "emit_empty": emit_empty, "updates": "4s"}
    week = ops.tumbling("1w", Tally, week_start="friday", start="08:00:20", **terms).start()
    fixed = ops.tumbling("7d", Tally, offset="115220s", **terms).start()
    found = [list(week.on_signal(signal)) for signal in CLOCKS[clock]]
    assert found == [list(fixed.on_signal(signal)) for signal in CLOCKS[clock]]
    assert {row.start_ms for batch in found for out in batch if isinstance(out, Batch) for row in out.events} > {
        START + 20_000
    }
