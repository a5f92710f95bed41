"""`backtest` on a part of recordings, and on several: in columns the rows of a replay of the same."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import attrs
import msgspec
import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st

import cgrx
from cgrx import operators as ops
from cgrx._model.channels import Channel
from cgrx._model.signals import Alive, Batch, Dropped, Gap, Signal
from cgrx._recording.entry import Recorded
from cgrx._recording.recording import Recording
from cgrx._recording.writer import write_recording
from tests.backtest.columns import LIQUIDATIONS, TRADES, Build, Said, assert_same, said
from tests.replay.replaying import Log
from tests.support import examples
from tests.windows.windowing import trade

SHAPES: dict[str, Build] = {
    "liquidations": lambda feed: feed.liquidations(),
    "trades": lambda feed: feed.futures_trades("A", "X", min_volume=0).pipe(ops.min_volume(0.75)),
    "both": lambda feed: cgrx.merge(feed.liquidations(), feed.futures_trades("A", "X", min_volume=0)),
    "in order": lambda feed: cgrx.merge_exchanges(feed.liquidations(), max_delay="20ms"),
    "deduplicated": lambda feed: feed.liquidations().pipe(ops.dedupe("20ms")),
}
WINDOW = ops.tumbling("20ms", by="exchange", lateness="10ms", idle="15ms")
CHANNELS: list[tuple[Channel, ...]] = [(LIQUIDATIONS,), (TRADES,), (LIQUIDATIONS, TRADES), (LIQUIDATIONS, TRADES)]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def later(signal: Signal[Any], by_ms: int) -> Signal[Any]:
    """The same that much later."""
    match signal:
        case Batch():
            moved = (msgspec.structs.replace(event, time_ms=event.time_ms + by_ms) for event in signal.events)
            return Batch(signal.channel, signal.received_ms + by_ms, tuple(moved))
        case Alive():
            return attrs.evolve(signal, at_ms=signal.at_ms + by_ms)
        case Gap():
            return attrs.evolve(
                signal, start_ms=signal.start_ms and signal.start_ms + by_ms, end_ms=signal.end_ms + by_ms
            )
        case _:
            return signal


@st.composite
def recordings(draw: st.DrawFn) -> list[list[Recorded]]:
    """Of one feed or several, one after the other or side by side; some losses are charged to both channels."""
    found: list[list[Recorded]] = []
    for _ in range(draw(st.integers(1, 3))):
        channels = draw(st.sampled_from(CHANNELS))
        by_ms = draw(st.integers(0, 400))
        entries: Said = draw(said(channels=channels))
        recorded = [Recorded(channel, later(signal, by_ms)) for channel, signal in entries]
        loss = [Recorded(channel, Dropped(None, 1, "malformed")) for channel in channels]
        for _ in range(draw(st.integers(0, 2))):
            at = draw(st.integers(0, len(recorded)))
            recorded[at:at] = loss
        found.append(recorded)
    return found


def replayed(build: Build, several: Sequence[Recording], **part: Any) -> list[Any]:
    async def main() -> list[Any]:
        rows: list[Any] = []
        async with cgrx.replay(several, **part) as feed:
            build(feed).subscribe(rows.append)
            await feed.run()
        return rows

    return trio.run(main)


def outcome(run: Any) -> Any:
    """What comes out, or the error."""
    try:
        return run()
    except ValueError as error:
        return str(error)


def assert_as_replayed(entries: Any, shape: str, start: int | None, end: int | None, channels: Any) -> None:
    """Columns give what a replay of the same gives, errors included."""

    def build(feed: Any) -> Any:
        return SHAPES[shape](feed).pipe(WINDOW)

    with TemporaryDirectory() as folder:
        several: list[Recording] = []
        for number, each in enumerate(entries):
            write_recording(Path(folder, str(number)), each)
            several.append(Recording(Path(folder, str(number))))
        part: dict[str, Any] = {"start": start, "end": end, "channels": channels}
        expected = outcome(lambda: replayed(build, several, **part))
        found = outcome(lambda: cgrx.backtest(build, several, **part))
        if isinstance(expected, str):
            assert found == expected
        else:
            assert_same(found.rows, expected)


arguments = given(
    entries=recordings(),
    shape=st.sampled_from(sorted(SHAPES)),
    start=st.none() | st.integers(0, 500),
    end=st.none() | st.integers(0, 700),
    channels=st.sampled_from([None, None, [LIQUIDATIONS], [TRADES.name, "liquidationOrders"]]),
)


@settings(max_examples=examples(25), deadline=None)
@arguments
def test_a_part_of_several(entries: Any, shape: str, start: int | None, end: int | None, channels: Any) -> None:
    """In columns the rows of a replay, for any part of any recordings."""
    assert_as_replayed(entries, shape, start, end, channels)


@pytest.mark.soak
@settings(max_examples=1000, deadline=None)
@arguments
def test_a_part_of_several_at_length(
    entries: Any, shape: str, start: int | None, end: int | None, channels: Any
) -> None:
    """The same for a thousand."""
    assert_as_replayed(entries, shape, start, end, channels)


# By hand


OTHER = cgrx.FuturesTrades("B", "Y", 0)


def batch(received_ms: int, *usd: float, channel: Channel = TRADES) -> Recorded:
    return Recorded(channel, Batch(channel, received_ms, tuple(trade(received_ms, usd=each) for each in usd)))


def final(rows: Sequence[Any]) -> list[tuple[int, int, int]]:
    """The start, count and gap of the rows that are final."""
    return [(row["start_ms"], row["count"], row["gap_ms"]) for row in rows if row["final"]]


def gap(end_ms: int, start_ms: int = 0) -> Recorded:
    return Recorded(TRADES, Gap(TRADES, start_ms, end_ms, "subscribed"))


def write(folder: Path, *entries: Recorded) -> Recording:
    write_recording(folder, entries)
    return Recording(folder)


def flow(feed: Any) -> Any:
    return feed.futures_trades("A", "X", min_volume=0).pipe(ops.tumbling("1s", by="exchange", lateness="0s"))


@pytest.fixture
def days(tmp_path: Path) -> list[Recording]:
    """Two, one after the other: nothing was recorded between 2500 and 4000."""
    return [
        write(tmp_path / "one", gap(0), batch(500, 1), batch(1500, 2), batch(2500, 4)),
        write(tmp_path / "two", gap(4000), batch(4500, 8), batch(5500, 16), batch(7000, 32)),
    ]


def test_several_are_one_in_columns(days: list[Recording]) -> None:
    """What lies between them is a gap, whatever their order; by their folders too."""
    several: Any
    for several in (days, days[::-1], [day.folder for day in days], [str(days[0].folder), days[1]]):
        found = cgrx.backtest(flow, several)
        assert found.explain().reason is None
        assert_same(found.rows, replayed(flow, days))
        assert final(found.rows) == [(0, 1, 0), (1000, 1, 0), (2000, 1, 500), (4000, 1, 0), (5000, 1, 0)]


def as_datetime(time_ms: int) -> datetime:
    return EPOCH + timedelta(milliseconds=time_ms)


def as_text(time_ms: int) -> str:
    return as_datetime(time_ms).isoformat()


@pytest.mark.parametrize("give", [int, as_datetime, as_text])
def test_a_part_begins_with_a_gap(days: list[Recording], give: Any) -> None:
    """Times in each of the forms of a moment."""
    found = cgrx.backtest(flow, days, start=give(1250), end=give(5500), channels=[TRADES.name])
    assert found.explain().reason is None
    assert final(found.rows) == [(1000, 1, 250), (2000, 1, 500)]
    assert len(found.rows) == 3


def test_event_by_event_the_same_part_runs(days: list[Recording]) -> None:
    def opaque(feed: Any) -> Any:
        return feed.futures_trades("A", "X", min_volume=0).where(bool).pipe(ops.tumbling("1s", by="exchange"))

    found = cgrx.backtest(opaque, days, start=1250, end=5500)
    assert found.explain().reason is not None
    assert_same(found.rows, replayed(opaque, days, start=1250, end=5500))
    assert sum(row["count"] for row in found.rows) == 3


def test_a_gap_from_0_begins_when_the_channel_was_last_heard(tmp_path: Path) -> None:
    """By an event too, in columns as in a replay."""
    recording = write(tmp_path, gap(0), batch(500, 1), batch(1700, 2), gap(2000), batch(2500, 4), batch(4000, 8))
    found = cgrx.backtest(flow, recording)
    assert found.explain().reason is None
    assert_same(found.rows, replayed(flow, [recording]))
    assert final(found.rows) == [(0, 1, 0), (1000, 1, 300), (2000, 1, 0)]


def test_a_clock_that_was_set_back_is_followed_event_by_event(tmp_path: Path, days: list[Recording]) -> None:
    """Among several recordings: then the order of one is not that of its times."""
    other = write(tmp_path / "other", batch(3000, 1, channel=OTHER), batch(2000, 2, channel=OTHER))
    assert cgrx.backtest(flow, days).explain().reason is None
    assert "was set back" in str(cgrx.backtest(flow, [*days, other]).explain().reason)


def test_a_log_without_columns_runs_event_by_event(days: list[Recording]) -> None:
    log = Log([gap(0), batch(500, 1)])
    found = cgrx.backtest(flow, [log])
    assert "without columns" in str(found.explain().reason)
    assert len(found.rows) == 1


def test_arguments_that_cannot_be_used(days: list[Recording]) -> None:
    with pytest.raises(ValueError, match="end=1 is before start=2"):
        cgrx.backtest(flow, days, start=2, end=1)
    with pytest.raises(ValueError, match="recordings="):
        cgrx.backtest(flow, [])
    with pytest.raises(ValueError, match="liquidationOrders is not recorded; the channels are futures_trades@A_X@0"):
        cgrx.backtest(flow, days, channels=[LIQUIDATIONS])
    with pytest.raises(ValueError, match="not recorded, or left out by `channels`"):
        cgrx.backtest(flow, days, channels=[])
    with pytest.raises(ValueError, match="would come twice"):
        cgrx.backtest(flow, [days[0], days[0]])
    with pytest.raises(TypeError, match="put it into a list"):
        cgrx.backtest(flow, days, channels=TRADES.name)


def test_without_polars_it_names_the_extra(days: list[Recording], monkeypatch: pytest.MonkeyPatch) -> None:
    def find(package: str) -> str | None:
        return None if package == "polars" else package

    monkeypatch.setattr("cgrx._extras.find_spec", find)
    with pytest.raises(ImportError, match=r'backtest\(\) needs the package polars: pip install "cgrx\[frames\]"'):
        cgrx.backtest(flow, days)
    with pytest.raises(ImportError, match="to_polars"):
        days[0].to_polars()
