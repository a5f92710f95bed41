"""`compact`: every reader gives what it gave before, beside a recorder, whatever is killed."""

import math
import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import trio
from filelock import FileLock
from hypothesis import given, settings
from hypothesis import strategies as st

import cgrx
from cgrx import Batch, Connected, Gap, Recording, RecordingError, compact
from cgrx import operators as ops
from cgrx._recording import by_channel, manifest, rewriting, stretch
from cgrx._recording.entry import Recorded
from cgrx._recording.manifest import COMPACT_LOCK, LOCK, NAME
from cgrx._recording.schema import SCHEMA
from cgrx._recording.writer import RecordingWriter, write_recording
from tests.recording.entries import CHANNELS, ENTRIES, LIQUIDATIONS, TRADES, comparable
from tests.simulator.simulating import liquidation, trade

START_MS = 1_700_000_400_000
OKX = CHANNELS[2]


def said(second: int) -> list[Recorded]:
    """What a feed says in a second: on three channels, and a status."""
    at_ms = START_MS + second * 1000
    number = at_ms // 1000
    return [
        Recorded(LIQUIDATIONS, Batch(LIQUIDATIONS, at_ms, (liquidation(number), liquidation(number + 1)))),
        Recorded(TRADES, Batch(TRADES, at_ms + 1, (trade(number, 12_000.5),))),
        Recorded(None, Connected(at_ms + 2)),
        Recorded(OKX, Gap(OKX, 0, at_ms, "subscribed")),
        Recorded(TRADES, cgrx.Alive("feed", at_ms + 2)),
        Recorded(LIQUIDATIONS, cgrx.Alive("feed", at_ms + 2)),
    ]


def recorded(folder: Path, seconds: Iterable[int], *, is_open: bool = False) -> Path:
    """A recording of these seconds, one part each; with `is_open` the last one is not finished."""
    writer = RecordingWriter(folder)
    for second in seconds:
        writer.finish()
        writer.append(*said(second))
    if is_open:
        writer.flush()
        writer.abandon()
    else:
        writer.close()
    return folder


def windows(feed: cgrx.Feed) -> Any:
    trades = feed.futures_trades("Binance", "BTCUSDT", min_volume=10_000)
    return cgrx.merge(feed.liquidations(), trades).pipe(ops.tumbling("2s", ops.Flow, by="exchange"))


def cascades(feed: cgrx.Feed) -> Any:
    return feed.liquidations().pipe(ops.cascades("3s", min_volume=1))


def of_parameter(feed: cgrx.Feed, *, volume: float) -> Any:
    return feed.liquidations().pipe(ops.cascades("3s", min_volume=volume))


def replayed(folder: Path) -> list[Any]:
    heard: list[Any] = []

    async def main() -> None:
        async with cgrx.replay(folder, speed=math.inf) as feed:
            for channel in feed.channels:
                feed.channel(channel).pipe(ops.tap(heard.append, on_mark=heard.append)).subscribe()
            feed.status.subscribe(heard.append)
            await feed.run()

    trio.run(main)
    return heard


def all_of(folder: Path) -> list[Any]:
    """What every reader gives, in every selection."""
    recording = Recording(folder)
    found: list[Any] = [
        recording.parts,
        recording.channels,
        (recording.events, recording.start_ms, recording.end_ms),
        comparable(recording.entries()),
    ]
    selections: tuple[dict[str, Any], ...] = (
        {},
        {"channels": [LIQUIDATIONS]},
        {"channels": [TRADES, OKX], "start": START_MS + 1001},
        {"start": START_MS + 1000, "end": START_MS + 3001},
        {"channels": [OKX], "end": START_MS},
    )
    for chosen in selections:
        rows = recording.to_arrow(**chosen).cast(SCHEMA).to_pylist()
        assert recording.to_polars(**chosen).collect().to_dicts() == rows
        found.append(rows)
    return found


def test_every_reader_gives_what_it_gave(tmp_path: Path) -> None:
    """Entries, rows, columns, replay, backtest in columns and by events, sweep."""
    folder = recorded(tmp_path, range(5), is_open=True)

    def read() -> list[Any]:
        return [
            *all_of(folder),
            replayed(folder),
            cgrx.backtest(windows, folder).rows,
            cgrx.backtest(cascades, folder).rows,
            cgrx.sweep(of_parameter, folder, {"volume": [1]}).combinations[0].rows,
        ]

    before = read()
    size = sum(part.bytes for part in Recording(folder).parts[:4])
    compacted = compact(folder)
    assert attrs_of(compacted) == (folder, 4, 28, 3, size)
    assert cgrx.backtest(windows, folder).explain().reason is None
    assert read() == before
    files = sorted(path.name for path in folder.iterdir())
    assert files == ["by-channel-00000000-00000003", COMPACT_LOCK, LOCK, NAME, "part-00000004.open"]
    assert compact(folder).parts == 0
    assert cgrx.verify(folder).problems == ()
    assert read() == before


def attrs_of(compacted: cgrx.Compacted) -> tuple[object, ...]:
    assert compacted.bytes > 0
    return (compacted.folder, compacted.parts, compacted.rows, compacted.channels, compacted.bytes_before)


@settings(max_examples=6, deadline=None)
@given(st.lists(ENTRIES, min_size=1, max_size=4), st.integers(0, 4))
def test_whatever_a_feed_says(tmp_path_factory: pytest.TempPathFactory, parts: list[list[Recorded]], at: int) -> None:
    """Times that go back, texts of any kind, marks in any order; compacted anywhere, more than once."""
    folder = tmp_path_factory.mktemp("any") / "recording"
    with RecordingWriter(folder) as writer:
        for number, entries in enumerate(parts):
            writer.append(*entries)
            writer.finish()
            if number == at:
                compact(folder)
    before = all_of(folder)
    compact(folder)
    assert all_of(folder) == before
    assert cgrx.verify(folder).problems == ()


def test_a_channel_is_read_from_its_file_alone(tmp_path: Path) -> None:
    """The others may be damaged; and each file names one channel in the statistics of its row groups."""
    folder = recorded(tmp_path, range(4))
    compact(folder)
    (there,) = stretch.listed(folder)
    files = stretch.read(folder, there).files
    for file in files:
        path = stretch.folder_of(folder, there) / file.file
        assert pl.read_parquet(path)["channel"].drop_nulls().unique().to_list() == list(file.channels)
        if file.channels == (OKX.name,):
            path.write_bytes(b"x" * file.bytes)
    recording = Recording(folder)
    assert len(list(recording.entries(channels=[TRADES]))) == 12
    assert len(cgrx.backtest(cascades, folder, channels=[LIQUIDATIONS]).rows) == 1
    with pytest.raises(RecordingError, match="checksum does not match"):
        list(recording.entries())
    salvaged = Recording(folder, salvage=True)
    assert len(list(salvaged.entries())) == 20
    assert salvaged.to_polars().collect().height == 24
    assert [problem.file for problem in salvaged.problems] == [str(path) for path in damaged(folder)]


def damaged(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*.parquet") if path.read_bytes()[:1] == b"x"]


def test_a_recorder_goes_on_meanwhile(tmp_path: Path) -> None:
    """Also in the middle of reading: what was opened is read to its end, and not beyond it."""
    with RecordingWriter(tmp_path) as writer:
        for second in range(3):
            writer.append(*said(second))
            writer.finish()
        writer.append(*said(3))
        writer.flush()
        recording = Recording(tmp_path)
        entries = recording.entries()
        read = [next(entries)]
        compact(tmp_path)
        writer.append(*said(4))
        writer.finish()
        writer.append(*said(5))
        writer.finish()
        compact(tmp_path)
        read += entries
        assert comparable(read) == comparable(entry for second in range(4) for entry in said(second))
        assert recording.to_polars().collect()["seq"].to_list() == list(range_of_rows(4))
        writer.append(*said(6))
    assert comparable(Recording(tmp_path).entries()) == comparable(entry for n in range(7) for entry in said(n))
    assert compact(tmp_path).parts == 1


def range_of_rows(seconds: int) -> Iterable[int]:
    """The `seq` of each row: the first batch of a second has two."""
    return (second * 6 + number for second in range(seconds) for number in (0, 0, 1, 2, 3, 4, 5))


def test_often_is_as_good_as_once(tmp_path: Path) -> None:
    """Small stretches are written anew with what follows: the number of files does not grow with the calls."""
    for second in range(12):
        recorded(tmp_path, [second])
        compact(tmp_path)
    assert len(stretch.listed(tmp_path)) <= 3
    assert comparable(Recording(tmp_path).entries()) == comparable(entry for n in range(12) for entry in said(n))


def test_many_channels_and_little_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Row groups are written when memory is full, and channels in turns where they are too many at once."""
    folder = recorded(tmp_path, range(6))
    before = all_of(folder)
    monkeypatch.setattr(rewriting, "_MOST_FILES", 2)
    monkeypatch.setattr(by_channel, "_MOST_ROWS", 5)
    monkeypatch.setattr(by_channel, "GROUP_ROWS", 4)
    told: list[tuple[int, int]] = []
    compact(folder, progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (42, 42)
    assert all_of(folder) == before


def test_a_batch_is_never_divided(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not where it is larger than what is read at once either."""
    monkeypatch.setattr("cgrx._recording.reader.AT_ONCE_ROWS", 8)
    large = [Recorded(LIQUIDATIONS, Batch(LIQUIDATIONS, START_MS, tuple(map(liquidation, range(30)))))]
    entries = [*large, *said(1), *large, *large, *said(2), *said(3)]
    write_recording(tmp_path, entries)
    compact(tmp_path)
    assert comparable(Recording(tmp_path).entries()) == comparable(entries)


def test_days_become_one_recording(tmp_path: Path) -> None:
    """It replays as they do one after the other; a day more is added; what is there is not written again."""
    days = [recorded(tmp_path / name, range(start, start + 3)) for name, start in (("a", 0), ("b", 10), ("c", 20))]
    to = tmp_path / "joint"
    compact(days[1])
    assert compact([days[1], days[0]], to=to).parts == 6
    assert compact(days[:2], to=to).parts == 0
    recorded(tmp_path / "empty", [])
    assert compact([*days, tmp_path / "empty"], to=str(to)).parts == 3
    assert cgrx.verify(to).problems == ()
    joint = Recording(to)
    assert comparable(joint.entries()) == comparable(e for day in days for e in Recording(day).entries())
    assert [part.number for part in joint.parts] == list(range(9))
    for build in (windows, cascades):
        assert cgrx.backtest(build, to).rows == cgrx.backtest(build, days).rows
        assert cgrx.backtest(build, to, start=START_MS + 11_000).rows == (
            cgrx.backtest(build, days, start=START_MS + 11_000).rows
        )
    with RecordingWriter(to) as writer:
        writer.append(*said(30))
    with pytest.raises(RecordingError, match="holds something else"):
        compact(days, to=to)
    with pytest.raises(RecordingError, match="holds something else"):
        compact(days[:2], to=to)


REFUSED: list[tuple[Any, Any, type[Exception], str]] = [
    ((["a", "b"],), {}, ValueError, "are several"),
    (([],), {}, ValueError, "holds nothing"),
    ((5,), {}, TypeError, "takes the folder"),
    (([5],), {}, TypeError, "holds 5"),
    (("a",), {"by": "day"}, ValueError, "by='day' takes"),
    (("a",), {"progress": 5}, TypeError, "progress=5 is no function"),
    ((["a", "b"],), {"to": "a"}, ValueError, "is one of the recordings"),
    ((["a", "a2"],), {"to": "new"}, ValueError, "joined one after the other"),
    ((["b", "open"],), {"to": "new"}, ValueError, "not finished"),
    ((["a"],), {"to": "other"}, RecordingError, "not empty, and holds no recording"),
    (("none",), {}, RecordingError, "there is no recording here"),
]


@pytest.mark.parametrize(("arguments", "options", "error", "match"), REFUSED)
def test_what_cannot_be_compacted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: Any, options: Any, error: type[Exception], match: str
) -> None:
    """One error names it, and nothing is changed."""
    monkeypatch.chdir(tmp_path)
    recorded(Path("a"), range(3, 5))
    recorded(Path("a2"), [3])
    recorded(Path("b"), range(10, 12))
    recorded(Path("open"), range(2), is_open=True)
    Path("other").mkdir()
    Path("other/file").touch()
    with pytest.raises(error, match=match):
        compact(*arguments, **options)
    assert sorted(path.name for path in Path("a").iterdir()) == [
        LOCK,
        NAME,
        "part-00000000.parquet",
        "part-00000001.parquet",
    ]


def test_what_was_opened_before_is_found_again(tmp_path: Path) -> None:
    """A query is made of the files that are there by then."""
    recording = Recording(recorded(tmp_path, range(2)))
    compact(tmp_path)
    assert recording.to_polars().collect().height == 14


def test_days_are_joined_to_a_copy(tmp_path: Path) -> None:
    """Of which a part is by channel and a part is not; a day of which nothing is finished adds nothing."""
    one = recorded(tmp_path / "a", range(2))
    compact(one)
    recorded(one, [2])
    to = Path(shutil.copytree(one, tmp_path / "to"))
    days = [one, recorded(tmp_path / "b", [5]), recorded(tmp_path / "c", [7], is_open=True)]
    assert compact(days, to=to).parts == 1
    assert comparable(Recording(to).entries()) == comparable(entry for n in (0, 1, 2, 5) for entry in said(n))
    assert cgrx.verify(to).problems == ()
    with pytest.raises(RecordingError, match="holds something else"):
        compact(days[1:], to=to)
    for path in to.glob("by-channel*/manifest.json"):
        path.write_text("{}")
    with pytest.raises(RecordingError, match="not the manifest"):
        compact(days, to=to)


def test_a_joining_that_was_killed_is_done_again(tmp_path: Path) -> None:
    """Its stretch was there and its manifest was not: nobody reads it, and it is written anew."""
    days = [recorded(tmp_path / name, [start]) for name, start in (("a", 0), ("b", 10))]
    to = tmp_path / "to"
    compact(days[:1], to=to)
    known = manifest.read(to)
    compact(days, to=to)
    manifest.write(to, known)
    for numbers in stretch.listed(to):
        stretch.folder_of(to, numbers).rename(tmp_path / "kept")
    compact(days[:1], to=tmp_path / "to2")
    shutil.copytree(tmp_path / "to2" / "by-channel-00000000-00000000", to / "by-channel-00000000-00000000")
    shutil.copytree(tmp_path / "kept", to / "by-channel-00000000-00000001")
    assert comparable(Recording(to).entries()) == comparable(said(0))
    assert compact(days, to=to).parts == 1
    assert comparable(Recording(to).entries()) == comparable([*said(0), *said(10)])


def test_two_at_once(tmp_path: Path) -> None:
    """The second one is refused."""
    recorded(tmp_path, range(2))
    with FileLock(tmp_path / COMPACT_LOCK), pytest.raises(RecordingError, match="another process is compacting it"):
        compact(tmp_path)
    assert compact(tmp_path).parts == 2


def test_what_fails_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk, a caller that ends it, a damaged part."""
    folder = recorded(tmp_path, range(3))
    before = all_of(folder)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left"):
            compact(folder)

    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        compact(folder, progress=stop)
    assert all_of(folder) == before
    assert not list(folder.glob("by-channel*"))
    part = folder / "part-00000001.parquet"
    part.write_bytes(part.read_bytes()[:-1] + b"x")
    with pytest.raises(RecordingError, match="checksum"):
        compact(folder)
    assert not list(folder.glob("by-channel*"))
