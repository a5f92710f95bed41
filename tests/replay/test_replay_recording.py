"""A replay of a recording on disk: read through the filters of its subscribers, and the same as without."""

import gzip
import math
from bisect import bisect_left
from collections.abc import Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import msgspec
import pytest
import reactivex
import trio
from hypothesis import given, settings

import cgrx
from cgrx import Alive, Batch, Dropped, FuturesTrades, Gap
from cgrx import operators as ops
from cgrx._recording.entry import Recorded
from cgrx._recording.schema import to_rows
from cgrx._recording.writer import RecordingWriter, write_recording
from cgrx.testing import Generator, liquidation, trade
from tests import recordings
from tests.feed.feeding import START_MS, Record, raises, record
from tests.recordings import Recording, channel_of, decoded
from tests.replay.replaying import L, Log, alive, at, events, gap
from tests.replay.test_replay_equals_live import digest, live, pipelines
from tests.support import run_mock

BTC = FuturesTrades("Binance", "BTCUSDT", 0)
OKX = FuturesTrades("OKX", "BTC-USDT-SWAP", 0)


class Rows(Log):
    """A log in memory that gives its entries as columns, so many to a record batch."""

    def __init__(self, said: list[Recorded], entries_each: int) -> None:
        super().__init__(said)
        self._entries_each = entries_each

    def batches(self, **options: Any) -> Iterator[Any]:
        rows = to_rows(self.entries(**options))
        seqs = rows.column("seq").to_pylist()
        for start in range(0, seqs[-1] + 1, self._entries_each):
            first, behind = bisect_left(seqs, start), bisect_left(seqs, start + self._entries_each)
            yield rows.slice(first, behind - first)


async def replayed(log: Any, speed: float = math.inf) -> dict[str, Record]:
    async with cgrx.replay(log, speed=speed) as feed:
        seen = {name: record(stream) for name, stream in pipelines(feed).items()}
        await feed.run()
    return seen


def test_what_was_written_is_replayed_to_the_byte(tmp_path: Path) -> None:
    """Rows, marks and losses, through files at any speed, and through columns in any pieces."""

    async def main() -> None:
        log, seen = await live(3)
        said = [entry for entry in log.said if not isinstance(entry.said, cgrx.Ended)]
        with RecordingWriter(tmp_path / "recording") as writer:
            for number, entry in enumerate(said):
                writer.append(entry)
                if number == len(said) // 2:
                    writer.finish()
        recording = cgrx.Recording(tmp_path / "recording")
        assert len(recording.parts) > 1
        for source in (tmp_path / "recording", str(tmp_path / "recording"), recording):
            again = await replayed(source)
            assert again["signals"].signals == seen["signals"].signals
            assert digest(again) == digest(seen)
        assert digest(await replayed(recording, speed=3)) == digest(seen)
        for pieces in (40, 100_000):
            assert digest(await replayed(Rows(said, pieces))) == digest(seen)

    run_mock(main)


# Filters


FILTERS: tuple[ops.Stage[Any, Any], ...] = (
    ops.min_volume(1_000),
    ops.max_volume(5_000),
    ops.exchange("OKX", "binance"),
    ops.symbol("btcusdt"),
    ops.base_asset("BTC"),
)
pipeline: Any = ops.pipeline  # of more stages than its type tells apart
SIDES = {cgrx.Liquidation: ops.side("long"), cgrx.Trade: ops.side("buy")}


def unfiltered(_: object) -> bool:
    """Keeps everything, and says nothing about it: what is behind it cannot be asked of columns."""
    return True


def said_of(seed: int) -> list[Recorded]:
    """A recording of a few hundred events of three channels, with marks."""
    said = [gap(0, channel) for channel in (L, BTC, OKX)]
    now_ms = START_MS
    source = Generator(seed=seed, rate=100, start_ms=START_MS)
    held: list[Any] = []
    for number, event in zip(range(200), source, strict=False):
        held.append(event)
        if number % 4 == seed % 4:
            now_ms = max(now_ms, event.time_ms)
            for channel in (L, BTC, OKX):
                of = [each for each in held if isinstance(each, channel.event_type)]
                if isinstance(channel, FuturesTrades):
                    where = {"exchange": channel.exchange, "symbol": channel.symbol}
                    of = [msgspec.structs.replace(each, **where) for each in of]
                if of:
                    said.append(Recorded(channel, Batch(channel, now_ms, tuple(of))))
            held = []
        if number % 50 == 49:
            said += [Recorded(channel, Alive("feed", now_ms)) for channel in (L, BTC, OKX)]
            said.append(Recorded(OKX, Dropped(OKX, 1, "malformed")))
    return said


@pytest.mark.parametrize("stage", [*FILTERS, ops.side("long")], ids=repr)
def test_each_filter_alone(stage: ops.Stage[Any, Any]) -> None:
    """In the columns and event by event."""
    said = said_of(3)

    async def main() -> None:
        kept: list[list[Any]] = []
        for log in (Rows(said, 50), Log(said)):
            async with cgrx.replay(log) as feed:
                seen = record(feed.liquidations().pipe(stage))
                await feed.run()
            kept.append(seen.signals)
        assert kept[0] == kept[1]
        assert 0 < len(seen.events) < 200

    run_mock(main)


@settings(max_examples=6, deadline=None)
@given(
    seed=st.integers(0, 50),
    chains=st.lists(
        st.tuples(st.sampled_from((L, BTC, OKX)), st.lists(st.sampled_from((*FILTERS, None)), max_size=3)),
        min_size=1,
        max_size=4,
    ),
    entries_each=st.integers(15, 200),
)
def test_filters_in_the_columns_change_nothing(seed: int, chains: list[Any], entries_each: int) -> None:
    """Whatever the subscribers begin with: the same signals as where every event is made, and the same counters."""
    said = said_of(seed)

    def observed(feed: cgrx.Feed, *first: ops.Stage[Any, Any]) -> list[Record]:
        records: list[Record] = []
        for channel, filters in chains:
            stages = [SIDES[channel.event_type] if each is None else each for each in filters]
            kept = pipeline(*first, *stages, ops.tumbling("1s", ops.Flow, by="symbol"), ops.final())
            records.append(record(feed.channel(channel).through(kept)))
            records.append(record(feed.channel(channel).pipe(*first, *stages)))
        return records

    async def main() -> None:
        results: list[Any] = []
        for log, first in (
            (Rows(said, entries_each), ()),
            (Rows(said, entries_each), (ops.where(unfiltered),)),
            (Log(said), ()),
        ):
            async with cgrx.replay(log) as feed:
                records = observed(feed, *first)
                await feed.run()
                stats = {channel: each.events for channel, each in feed.stats.channels.items()}
                results.append(([each.signals for each in records], stats, feed.progress.events))
        assert results[0] == results[1]
        assert results[0][:2] == results[2][:2]

    run_mock(main)


def test_who_comes_later_gets_what_nobody_wanted_before() -> None:
    """In the middle of what has been read already, and with another filter than the first one's."""
    said = [gap(0), gap(0, BTC)]
    said += [events(n, liquidation(time=n, price=n + 1, volume_usd=n + 1)) for n in range(100)]
    said += [events(100, trade(time=100), channel=BTC)]

    async def main() -> None:
        for entries_each in (1, 10, 1000):
            async with cgrx.replay(Rows(said, entries_each), speed=1) as feed:
                few = record(feed.liquidations().pipe(ops.min_volume(90)))
                with trio.move_on_after(49.5):
                    await feed.run()
                every = record(feed.liquidations())
                with trio.move_on_after(10):
                    await feed.run()
                some = feed.liquidations().pipe(ops.max_volume(75))
                late = Record()
                subscription = some.subscribe_signals(late)
                with trio.move_on_after(5):
                    await feed.run()
                subscription.dispose()
                await feed.run()
                assert [event.price for event in few.events] == list(range(90, 101))
                assert [event.price for event in every.events] == list(range(51, 101))
                assert every.signals[0] == Gap(L, 0, at(49.5), "subscribed")
                assert [event.price for event in late.events] == list(range(61, 66))

    run_mock(main)


def test_an_action_that_subscribes_in_what_was_skipped_misses_nothing() -> None:
    """Nobody wants the first hours, so the file is passed in one step; a timer in them subscribes all the same."""
    said = [gap(0), *(events(n, liquidation(time=n, price=n + 1)) for n in range(0, 1000, 10))]

    async def main() -> None:
        for entries_each in (1, 30, 1000):
            async with cgrx.replay(Rows(said, entries_each)) as feed:
                seen = Record()
                liquidations = feed.liquidations()
                timer: Any = reactivex.timer(505.0, scheduler=feed.scheduler)
                timer.subscribe(on_completed=partial(liquidations.subscribe_signals, seen))
                await feed.run()
                assert seen.signals[0] == Gap(L, 0, at(505), "subscribed")
                assert [event.price - 1 for event in seen.events] == list(range(510, 1000, 10))
                assert feed.progress.events == 100

    run_mock(main)


def test_recordings_one_after_the_other_join_at_what_was_read() -> None:
    """Also where the last events of the first were wanted by nobody."""
    first = [gap(0), events(1, liquidation(time=1, volume_usd=5_000)), events(8, liquidation(time=8, volume_usd=1))]
    second = [gap(20), events(21, liquidation(time=21, volume_usd=5_000)), alive(22)]

    async def main() -> None:
        for stages in ((), (ops.min_volume(1_000),)):
            async with cgrx.replay([Rows(first, 10), Rows(second, 10)]) as feed:
                seen = record(feed.liquidations().pipe(*stages))
                await feed.run()
            assert seen.gaps == [(-math.inf, 0), (8, 20)]

    run_mock(main)


def test_a_channel_that_begins_anew_was_last_heard_by_what_nobody_wanted() -> None:
    """The gap is the same where the events before it are filtered in the columns."""
    said = [gap(0), gap(0, BTC), events(1, liquidation(time=1, volume_usd=5_000)), alive(2)]
    said += [events(8, liquidation(time=8, volume_usd=1)), gap(20, BTC), gap(20), gap(21), gap(30, start=25)]

    async def main() -> None:
        for log in (Log(said), Rows(said, 3), Rows(said, 100)):
            for stages in ((), (ops.min_volume(1_000),)):
                async with cgrx.replay(log) as feed:
                    seen = record(feed.liquidations().pipe(*stages))
                    await feed.run()
                assert seen.gaps == [(-math.inf, 0), (8, 20), (20, 21), (25, 30)]

    run_mock(main)


def test_a_part_of_a_recording(tmp_path: Path) -> None:
    """From a moment in the middle to another, of one channel."""
    said = [gap(0), gap(0, BTC), *(events(n, liquidation(time=n, price=n + 1)) for n in range(10))]
    write_recording(tmp_path, [*said, events(5, trade(time=5), channel=BTC)])

    async def main() -> None:
        async with cgrx.replay(tmp_path, start=at(3), end=at(6), channels=[L]) as feed:
            seen = record(feed.liquidations())
            await feed.run()
            assert feed.channels == (L,)
            assert feed.progress == cgrx.ReplayProgress(at(3), at(6), at(5), 3)
        assert seen.gaps == [(-math.inf, 3)]
        assert [event.price - 1 for event in seen.events] == [3, 4, 5]

    run_mock(main)


def test_what_is_no_recording_is_refused(tmp_path: Path) -> None:
    async def main() -> None:
        with raises(cgrx.RecordingError, match="there is no recording"):
            cgrx.replay(tmp_path / "none")
        nothing: Any = 5
        with raises(TypeError, match="recordings=5 takes the folder"):
            cgrx.replay(nothing)

    run_mock(main)


@recordings.REQUIRED
@pytest.mark.parametrize("recording", recordings.RECORDINGS, ids=lambda recording: recording.file)
@recordings.AS_FAR_AS
def test_real_files_imported_and_replayed(recording: Recording, count: int, tmp_path: Path) -> None:
    """Equal to the file decoded directly, event by event."""
    kind: Any = "liquidations" if recording is recordings.LIQUIDATIONS else "trades"
    file = tmp_path / "file.jsonl"
    with gzip.open(recordings.FOLDER / recording.file) as lines:
        file.write_bytes(b"".join(islice(lines, count)))
    count = min(count, recording.events)
    imported = cgrx.import_jsonl(file, tmp_path / "recording", events=kind, received="recv")
    assert (imported.rows, imported.events, imported.rejected) == (count, count, 0)
    expected = decoded(recording, count)

    async def main() -> None:
        async with cgrx.replay(tmp_path / "recording") as feed:
            seen = {channel: record(feed.channel(channel)) for channel in feed.channels}
            assert set(seen) == set(imported.channels)
            await feed.run()
        for channel, observer in seen.items():
            assert observer.events == [event for event in expected if channel_of(event) == channel]
        assert sum(len(observer.events) for observer in seen.values()) == count

    run_mock(main)
