"""Every kind of window with every aggregate equals what polars says of the real recordings.

polars assigns each event to its windows and computes the aggregates; nothing of cgrx is between the file and the
comparison but the pipeline under test. Counts, times, extrema and names exactly; sums and ratios within 1e-9.
"""

from collections.abc import Iterable
from fractions import Fraction
from functools import cache
from typing import Any, TypeAlias

import polars as pl
import pytest

from cgrx import operators as ops
from cgrx._model.events import Event, Liquidation
from cgrx._model.signals import Batch, Signal
from cgrx._streams.stream import Stage
from tests.aggregates.test_aggregates_oracle import AMOUNTS, BY_TYPE, PICKED, events, table
from tests.recordings import REQUIRED
from tests.support import close
from tests.windows.windowing import BEGUN, CHANNEL, alive, rows

pytestmark = [REQUIRED, pytest.mark.thorough]

BY = ("exchange", "symbol")
KEYS = ("exName", "symbol")
ORACLES = {**AMOUNTS, **BY_TYPE, **PICKED}
NAMED: dict[str, Any] = {f"value_{index}": make() for index, (make, _) in enumerate(ORACLES.values())}
EXACT = tuple(name in PICKED for name in ORACLES)

Found: TypeAlias = dict[tuple[Any, ...], tuple[Any, ...]]


@cache
def recorded(kind: str) -> tuple[tuple[Event, ...], pl.DataFrame]:
    """One recording, its events in time order where it was made of several, with their places."""
    liquidations = kind == "liquidations"
    wanted = [index for index, event in enumerate(events()) if isinstance(event, Liquidation) == liquidations]
    if liquidations:
        wanted.sort(key=lambda index: events()[index].time_ms)
    return tuple(events()[index] for index in wanted), table()[wanted].with_row_index("place")


def signals(found: tuple[Event, ...]) -> Iterable[Signal[Event]]:
    """A feed that missed nothing, in batches of 100, and in the end proof enough to close what is open."""
    yield BEGUN
    for start in range(0, len(found), 100):
        part = found[start : start + 100]
        yield Batch(CHANNEL, part[-1].time_ms, part)
    yield alive(found[-1].time_ms + 10_000_000)


def ours(stage: Stage[Any, Any], found: tuple[Event, ...]) -> Found:
    """Rows by window and key; each is final and complete, no window comes twice, nothing is late."""
    given: Found = {}
    for row in rows(stage, *signals(found), ends=True):
        place = (row.start_ms, row.end_ms, row.exchange, row.symbol)
        assert place not in given
        assert row.late == 0
        given[place] = tuple(row[name] for name in NAMED)
    return given


def theirs(frame: pl.DataFrame, *window: str) -> Found:
    """The aggregates of events that share the values of these columns, the first two of which are start and end."""
    values = [expression.alias(f"value_{index}") for index, (_, expression) in enumerate(ORACLES.values())]
    grouped = frame.group_by(*window, *KEYS).agg(*values)
    found: Found = {}
    for line in grouped.iter_rows():
        span, key, given = line[:2], line[len(window) : len(window) + 2], line[len(window) + 2 :]
        found[*span, *key] = tuple(map(_hashable, given))
    return found


def _hashable(value: Any) -> Any:
    return (*value,) if type(value) is list else value


def spans(frame: pl.DataFrame, window: str) -> pl.DataFrame:
    """With the times of the first and the last event of each window."""
    inside = (*KEYS, window)
    return frame.with_columns(
        pl.col("time").min().over(inside).alias("start"), (pl.col("time").max().over(inside) + 1).alias("end")
    )


def bar_numbers(frame: pl.DataFrame, keys: tuple[str, ...], usd: float) -> list[int]:
    """Which of its key's volume bars each event is in: the event that fills a bar belongs to it whole."""
    filled: dict[tuple[str, ...], Fraction] = {}
    bars: dict[tuple[str, ...], int] = {}
    numbers: list[int] = []
    for *names, volume_usd in frame.select(*keys, "volUsd").iter_rows():
        key = tuple(names)
        numbers.append(bars.setdefault(key, 0))
        filled[key] = filled.get(key, Fraction(0)) + Fraction(volume_usd)
        if filled[key] >= usd:
            filled[key] = Fraction(0)
            bars[key] += 1
    return numbers


def assert_equal(found: Found, expected: Found) -> None:
    assert found.keys() == expected.keys()
    for place, values in expected.items():
        for exact, mine, other, name in zip(EXACT, found[place], values, ORACLES, strict=True):
            same = mine == other if exact else close(mine, other, rel=1e-9, abs_=1e-6)
            assert same, f"{name} of {place}: {mine!r}, but polars says {other!r}"


every_recording = pytest.mark.parametrize("kind", ["trades", "liquidations"])


@every_recording
@pytest.mark.parametrize(("size", "every"), [("1s", "1s"), ("1m", "1m"), ("10s", "2s"), ("1m", "7s"), ("5m", "1m")])
def test_grids(kind: str, size: str, every: str) -> None:
    found, frame = recorded(kind)
    unit = {"s": 1000, "m": 60_000}
    size_ms, every_ms = (int(text[:-1]) * unit[text[-1]] for text in (size, every))
    stage = ops.sliding(size, every, by=BY, **NAMED)
    starts = pl.int_ranges((pl.col("time") - size_ms) // every_ms + 1, pl.col("time") // every_ms + 1) * every_ms
    frame = (
        frame.with_columns(starts.alias("start"))
        .explode("start")
        .with_columns((pl.col("start") + size_ms).alias("end"))
    )
    assert_equal(ours(stage, found), theirs(frame, "start", "end"))


@every_recording
@pytest.mark.parametrize(("gap", "gap_ms"), [("100ms", 100), ("1s", 1000), ("3s", 3000)])
def test_sessions(kind: str, gap: str, gap_ms: int) -> None:
    found, frame = recorded(kind)
    frame = frame.sort("time", "place").with_columns(
        (pl.col("time").diff().over(KEYS).fill_null(0) > gap_ms).cum_sum().over(KEYS).alias("session")
    )
    frame = spans(frame, "session")
    assert_equal(ours(ops.session(gap, by=BY, **NAMED), found), theirs(frame, "start", "end", "session"))


@every_recording
@pytest.mark.parametrize("n", [7, 100])
def test_count_bars(kind: str, n: int) -> None:
    """Bars of different events may have the same first and last time, so they are told apart by their place."""
    found, frame = recorded(kind)
    frame = frame.sort("place").with_columns((pl.int_range(pl.len()).over(KEYS) // n).alias("bar"))
    assert_bars(ops.count_bars(n, by=BY, **NAMED), found, frame)


@every_recording
@pytest.mark.parametrize("usd", [20_000.0, 1_000_000.0])
def test_volume_bars(kind: str, usd: float) -> None:
    found, frame = recorded(kind)
    numbers = bar_numbers(frame, KEYS, usd)
    assert_bars(
        ops.volume_bars(usd, by=BY, **NAMED), found, frame.sort("place").with_columns(pl.Series("bar", numbers))
    )


def assert_bars(stage: Stage[Any, Any], found: tuple[Event, ...], frame: pl.DataFrame) -> None:
    numbers: dict[tuple[str, str], int] = {}
    given: Found = {}
    for row in rows(stage, *signals(found), ends=True):
        key = (row.exchange, row.symbol)
        numbers[key] = numbers.get(key, -1) + 1
        values = (row.start_ms, row.end_ms, *(row[name] for name in NAMED))
        given[numbers[key], 0, *key] = values[2:]
    frame = spans(frame, "bar").with_columns(pl.lit(0).alias("zero"))
    assert_equal(given, theirs(frame, "bar", "zero"))
