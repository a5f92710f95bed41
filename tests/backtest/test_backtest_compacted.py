"""What the footers of files tell is not read: rows of a compacted recording are what a replay of it gives."""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import cgrx
from cgrx import operators as ops
from cgrx._backtest.expressions import EDGE, edges
from cgrx._backtest.prepared import compiled
from cgrx._backtest.table import Table
from cgrx._backtest.windows import grid, session
from cgrx._model.channels import Channel, FuturesTrades
from cgrx._model.signals import Alive, Batch, Dropped, Gap
from cgrx._recording.entry import Recorded
from cgrx._recording.known import Known, common
from cgrx._recording.recording import Recording
from cgrx._recording.selection import Selection
from cgrx._recording.writer import RecordingWriter, write_recording
from cgrx.operators import agg
from tests.backtest.columns import assert_same, small_parts
from tests.windows.windowing import trade

CHANNELS = (FuturesTrades("A", "X", 0), FuturesTrades("A", "Y", 0), FuturesTrades("B", "X", 0))
LATE = FuturesTrades("B", "Z", 0)
"""A channel that speaks in the last seconds alone."""


def said(seconds: range, *, mixed: bool) -> Iterator[Recorded]:
    """What a feed says on each channel, by turns; `mixed` on events of other exchanges and symbols too."""
    for second in seconds:
        speaking = (*CHANNELS, LATE) if second >= 20 else CHANNELS
        for number, channel in enumerate(speaking):
            at_ms = 1000 * second + 100 * number
            if second % 20 == 0:
                yield Recorded(channel, Gap(channel, 0, at_ms, "subscribed"))
            times = (at_ms - 30, at_ms, at_ms - 30, at_ms - 10)
            prices = (2.5 + second % 3, 1.5, 1.25 + number, 7.0)
            made = [
                trade(time_ms, channel.exchange, channel.symbol, price, 10.0 * (second % 4) + price)
                for time_ms, price in zip(times, prices, strict=True)
            ]
            if mixed:
                made[1] = elsewhere(made[1], exchange="C", symbol="W")
            yield Recorded(channel, Batch(channel, at_ms + 5, tuple(made)))
            if second == 25:
                yield Recorded(channel, Dropped(channel, 2, "malformed"))
        for channel in speaking:
            yield Recorded(channel, Alive("feed", 1000 * second + 500))


def elsewhere(event: cgrx.Trade, *, exchange: str, symbol: str) -> cgrx.Trade:
    return trade(event.time_ms, exchange, symbol, event.price, event.volume_usd)


def compacted(folder: Path, *, mixed: bool = False) -> Recording:
    """Two stretches."""
    for seconds in (range(1, 10), range(10, 22)):
        _write(folder, seconds, mixed=mixed)
        cgrx.compact(folder)
    return Recording(folder)


def recorded(folder: Path, *, mixed: bool = False) -> Recording:
    """Two stretches, a finished part and one that is not."""
    compacted(folder, mixed=mixed)
    _write(folder, range(22, 26), mixed=mixed)
    writer = RecordingWriter(folder)
    writer.append(*said(range(26, 30), mixed=mixed))
    writer.flush()
    writer.abandon()
    return Recording(folder)


def _write(folder: Path, seconds: range, *, mixed: bool) -> None:
    with RecordingWriter(folder) as writer:
        writer.append(*said(seconds, mixed=mixed))


def merged(feed: cgrx.Feed, channels: Sequence[Channel], stages: Sequence[Any], *, opaque: bool) -> Any:
    streams = [feed.channel(channel) for channel in channels]
    if opaque:  # so that it runs event by event
        streams = [stream.where(lambda _: True) for stream in streams]
    return (cgrx.merge(*streams) if len(streams) > 1 else streams[0]).through(ops.pipeline(*stages))


BARS = ops.tumbling("1s", ops.Bar, by=("exchange", "symbol"))
STAGES = {
    "bars": [BARS],
    "bars of some": [ops.exchange("B"), ops.min_volume(12), BARS],
    "by exchange": [ops.tumbling("5s", by="exchange")],
    "overlapping": [ops.sliding("6s", "2s", ops.Bar, by=("exchange", "symbol"))],
    "names": [ops.tumbling("3s", by="symbol", all=agg.exchanges(), share=agg.share("symbol"))],
    "sessions": [ops.session("800ms", ops.Bar, by=("exchange", "symbol"))],
    "of all": [ops.tumbling("3s")],
}


@pytest.fixture(
    scope="module", params=[compacted, recorded, partial(recorded, mixed=True)], ids=["compacted", "open", "mixed"]
)
def recording(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Recording:
    made: Recording = request.param(tmp_path_factory.mktemp("compacted"))
    return made


@pytest.mark.parametrize("stages", STAGES)
@pytest.mark.parametrize(
    ("channels", "start_ms"),
    [((*CHANNELS, LATE), None), (CHANNELS[1:], 3_050), ((*CHANNELS, LATE), 21_000), (CHANNELS[:1], None)],
    ids=["all", "some from the second on", "all from the last on", "one"],
)
def test_as_a_replay(recording: Recording, stages: str, start_ms: int | None, channels: Sequence[Channel]) -> None:
    build = partial(merged, channels=channels, stages=STAGES[stages])
    found = cgrx.backtest(partial(build, opaque=False), recording, start=start_ms)
    expected = cgrx.backtest(partial(build, opaque=True), recording, start=start_ms)
    assert (found.explain().reason, expected.explain().reason is None) == (None, False)
    assert_same(found.rows, expected.rows)


@pytest.mark.parametrize("stages", ["bars", "by exchange", "sessions"])
def test_a_merge_of_what_is_left_of_another_and_one_more(recording: Recording, stages: str) -> None:
    def build(feed: cgrx.Feed, *, opaque: bool) -> Any:
        some = merged(feed, CHANNELS[:2], [ops.min_volume(12)], opaque=opaque)
        return cgrx.merge(some, feed.channel(CHANNELS[2])).through(ops.pipeline(*STAGES[stages]))

    found = cgrx.backtest(partial(build, opaque=False), recording)
    expected = cgrx.backtest(partial(build, opaque=True), recording)
    assert (found.explain().reason, expected.explain().reason is None) == (None, False)
    assert_same(found.rows, expected.rows)


def test_a_channel_that_has_nothing_in_this_time(recording: Recording) -> None:
    build = partial(merged, channels=(LATE,), stages=STAGES["bars"])
    found = cgrx.backtest(partial(build, opaque=False), recording, end=5_000)
    assert (found.rows, found.explain().reason) == ((), None)


def test_scans_of_none_of_the_channels(tmp_path: Path) -> None:
    _write(tmp_path, range(1, 10), mixed=False)
    cgrx.compact(tmp_path)
    scans = Recording(tmp_path)._scans(Selection())  # pyright: ignore[reportPrivateUsage]  # what a backtest reads
    assert [scan.channel for scan in scans] == [channel.name for channel in CHANNELS]
    table = Table(scans, False, frozenset(CHANNELS))
    assert table.joint([LATE]) is None
    (one,) = (scan.known.texts for scan in scans if scan.channel == CHANNELS[1].name)
    assert one == {"base_asset": "BTC", "exchange": "A", "symbol": "Y"}


def test_what_is_known_of_several() -> None:
    one, other = Known({"exchange": "A", "symbol": "X"}), Known({"exchange": "A", "symbol": "Y", "base_asset": "B"})
    assert common([one, other]) == Known({"exchange": "A"})
    assert common([one, Known()]) == Known()


@given(st.lists(st.tuples(st.integers(0, 3), st.floats(0, exclude_min=True, allow_infinity=False)), min_size=1))
def test_numbers_are_in_the_order_of_time_and_price(drawn: list[tuple[int, float]]) -> None:
    events = pl.DataFrame(drawn, {"time_ms": pl.Int64, "price": pl.Float64}, orient="row")
    assert events.with_columns(edges()).sort(EDGE).select("time_ms", "price").rows() == sorted(drawn)


def test_sessions_of_more_keys_than_a_number_holds() -> None:
    """Ten days of three thousand instruments, whose names could be combined in 27 billion ways."""
    names = [f"{number:04}" for number in range(3_000)]
    once = [
        trade(86_400_000 + 288_000 * number + second, name, f"S{name}", 1.0 + number)
        for number, name in enumerate(names)
        for second in (0, 900, 2_500)
    ]
    columns = ("time_ms", "exchange", "symbol", "base_asset", "volume_usd", "side")
    events = pl.DataFrame([[getattr(each, name) for name in columns] for each in once], columns, orient="row")
    events = events.with_columns(pl.concat_str(pl.lit("B"), "exchange").alias("base_asset"))
    window: Any = ops.session("1s", by=("exchange", "symbol", "base_asset"))
    compiler = compiled(window.rows.type, frozenset({cgrx.Trade}))
    rows = session(events.sample(fraction=1.0, shuffle=True, seed=3), compiler, columns[1:4], 1_000).collect()
    starts = [86_400_000 + 288_000 * number + second for number in range(3_000) for second in (0, 2_500)]
    assert rows["start_ms"].to_list() == starts
    assert rows["exchange"].to_list() == [name for name in names for _ in range(2)]


MANY = pl.Enum([*"XYZ", *(f"Z{number:05}" for number in range(70_000))])
"""Beside three exchanges and times of the year 6429 these need more than the 63 bits of a number."""


@given(
    st.lists(st.tuples(st.integers(0, 5_000), st.sampled_from("AB"), st.sampled_from("XYZ"), st.integers(2, 36))),
    st.sampled_from([0, 2**47]),
)
def test_windows_grouped_by_one_number_are_those_grouped_by_names(
    drawn: list[tuple[int, str, str, int]], from_ms: int
) -> None:
    """Names in enums, of which there may be more than in the events, are grouped by one number, if one holds them.

    Where the events of each exchange stand side by side, or in the order of time, they are grouped in parts. Prices are
    quarters, so that sums are the same in any order: polars adds up in several threads.
    """
    columns = {"time_ms": pl.Int64, "exchange": pl.String, "symbol": pl.String, "price": pl.Float64}
    window: Any = ops.tumbling("1s", ops.Bar, by=("exchange", "symbol"), offset="300ms")
    events = pl.DataFrame(drawn, columns, orient="row").with_columns(pl.col("time_ms") + from_ms, pl.col("price") / 4)
    events = events.with_columns(volume_usd=pl.col("price") * 3, side=pl.lit(2))
    enums = events.with_columns(pl.col("exchange").cast(pl.Enum("ABC")), pl.col("symbol").cast(MANY))
    compiler = compiled(window.rows.type, frozenset({cgrx.Trade}))

    def found(events: pl.DataFrame) -> pl.DataFrame:
        rows = grid(events, (pl.all(), edges()), compiler, ("exchange", "symbol"), window.spacing).collect()
        return rows.with_columns(pl.col(pl.Enum).cast(pl.String))

    by_names = found(events)
    assert found(enums).equals(by_names)
    with small_parts():
        assert found(enums.sort("exchange", descending=True)).equals(by_names)
        assert found(enums.sort("time_ms")).equals(by_names)


def test_twice_the_same_to_the_last_digit(tmp_path: Path) -> None:
    """Enough events that several threads add them up."""
    channel = CHANNELS[0]
    trades = [trade(number, "A", "X", 1.5, 0.1 + number % 7 / 3) for number in range(200_000)]
    parts = (tuple(trades[start : start + 1_000]) for start in range(0, len(trades), 1_000))
    batches = (Batch(channel, part[-1].time_ms, part) for part in parts)
    write_recording(tmp_path, (Recorded(channel, each) for each in batches))

    def found() -> list[Any]:
        return cgrx.backtest(lambda feed: feed.channel(channel).pipe(ops.tumbling("1m")), tmp_path).to_polars().rows()

    first = found()
    assert first
    assert all(found() == first for _ in range(5))
