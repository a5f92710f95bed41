"""Shards of several channels: merges, shares and joins, however their records are cut; and equal to a replay."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from reactivex import Observable

from cgrx import Alive, Batch, Channel, End, Feed, Gap, Recording, Shard, Signal, parse_channel
from cgrx import operators as ops
from cgrx._backtest.run import replayed
from cgrx._recording.entry import Recorded
from cgrx._recording.writer import write_recording
from cgrx._replay.playlist import Playlist
from cgrx.testing import liquidation
from tests.backtest.columns import LIQUIDATIONS, TRADES, said
from tests.recordings import RECORDINGS, REQUIRED, decoded
from tests.shards.pipelines import SEVERAL, cut, ended, needed, records_of
from tests.support import examples
from tests.windows.windowing import trade

names = st.sampled_from(list(SEVERAL))


@given(name=names, given_said=said(), data=st.data())
@settings(max_examples=examples(240), deadline=None)
def test_no_cut_no_repetition_and_no_restart_shows(
    name: str, given_said: Sequence[tuple[Channel, Signal[Any]]], data: st.DataObject
) -> None:
    """Results, marks and their order are those of one call."""
    build = SEVERAL[name]
    whole = Shard(build)
    records = needed(records_of(ended(given_said)), whole)
    assert repr(cut(data, build, records)) == repr(list(whole.signals(records)))


BY_TURNS = [
    (TRADES, Batch(TRADES, 0, (trade(0, exchange="A"),))),
    (LIQUIDATIONS, Batch(LIQUIDATIONS, 0, (liquidation(exchange="A"),))),
]
"""What is asked for last comes first."""


@given(name=names, given_said=said())
@example(name="ordered_twice", given_said=BY_TURNS)
@settings(max_examples=examples(60), deadline=None)
def test_rows_are_those_of_a_replay(name: str, given_said: Sequence[tuple[Channel, Signal[Any]]]) -> None:
    """To the byte: what a recording holds, record by record, and event by event on a feed."""
    with TemporaryDirectory() as folder:
        write_recording(Path(folder), [Recorded(channel, signal) for channel, signal in given_said])
        shard = Shard(SEVERAL[name])
        held = [
            (entry.channel, cast("Signal[Any]", entry.said))
            for entry in Recording(folder).entries()
            if entry.channel is not None
        ]
        if not {channel.name for channel in shard.channels} <= {channel.name for channel, _ in held}:
            return  # a replay refuses what it does not hold
        # As a replay ends them, in the order in which it was asked for them: an order waits no longer for the first.
        ends = [(channel, End()) for channel in shard.channels]
        found = shard.take(needed(records_of([*held, *ends]), shard))
        assert repr(found) == repr(list(replayed(SEVERAL[name], Playlist.of(folder, None, None, None))))


@REQUIRED
@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda each: each.file)
def test_real_events_give_the_rows_of_a_replay(recording: Any, tmp_path: Path) -> None:
    """The first 2,000 of a file, put away again and again, with a part of the records twice."""
    channel = parse_channel(recording.channel)

    def build(feed: Feed) -> Observable[Any]:
        bars = ops.tumbling("5s", ops.Bar, by=("exchange", "symbol"), updates="1s")
        return feed.channel(channel).pipe(ops.dedupe("10s"), bars, ops.crosses("volume", above=10_000))

    events, now_ms = decoded(recording, 2_000), 0
    signals: list[Signal[Any]] = [Gap(channel, 0, events[0].time_ms, "subscribed")]
    for start in range(0, len(events), 3):
        some = tuple(events[start : start + 3])
        now_ms = max(now_ms, *(event.time_ms + 50 for event in some))
        signals += [Batch(channel, now_ms, some), Alive("o", now_ms)]
    write_recording(tmp_path, [Recorded(channel, signal) for signal in signals])
    records, found = records_of([*((channel, signal) for signal in signals), (channel, End())]), list[Any]()
    shard = Shard(build)
    for start in range(0, len(records), 50):
        found += shard.take(records[max(0, start - 20) : start + 50])
        shard = Shard.restore(build, shard.snapshot())
    assert len(found) > 10
    assert found == list(replayed(build, Playlist.of(tmp_path, None, None, None)))
