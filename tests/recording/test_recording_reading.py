"""What a recording gives: entries, record batches and tables, whole or in part, of files that others read too."""

import os
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import attrs
import msgspec
import pandas as pd
import polars as pl
import pytest

from cgrx import (
    Alive,
    Batch,
    Channel,
    Connected,
    Ended,
    Gap,
    LiquidationOrders,
    Recording,
    RecordingError,
    Trade,
    TradeSide,
)
from cgrx._recording import manifest
from cgrx._recording.arrow import pq
from cgrx._recording.entry import Recorded
from cgrx._recording.finished_part import GROUP_ROWS
from cgrx._recording.schema import SCHEMA, from_rows, in_memory, to_rows
from cgrx._recording.status_text import from_text
from cgrx._recording.writer import RecordingWriter, write_recording
from tests.recording.entries import LIQUIDATIONS, TRADES
from tests.recordings import REQUIRED
from tests.recordings import TRADES as REAL_TRADES
from tests.simulator.simulating import liquidation, trade

HOUR_MS = 3_600_000
START_MS = 1_700_000_000_000 // HOUR_MS * HOUR_MS


def said(second: int) -> list[Recorded]:
    """What a feed says in one second."""
    at_ms = START_MS + second * 1000
    return [
        Recorded(LIQUIDATIONS, Batch(LIQUIDATIONS, at_ms, (liquidation(second), liquidation(second + 1)))),
        Recorded(TRADES, Batch(TRADES, at_ms + 1, (trade(second, 12_000.5),))),
        Recorded(None, Connected(at_ms + 2)),
        Recorded(TRADES, Alive("feed", at_ms)),
    ]


ALL = [entry for second in range(6) for entry in said(second)]


@pytest.fixture
def recording(tmp_path: Path) -> Recording:
    """Two finished parts of two seconds each, and one that is not."""
    writer = RecordingWriter(tmp_path)
    for second in range(6):
        writer.append(*said(second))
        if second in (1, 3):
            writer.finish()
    writer.flush()
    writer.abandon()
    return Recording(tmp_path)


def test_it_says_what_it_holds(recording: Recording) -> None:
    assert recording.channels == (TRADES, LiquidationOrders())
    assert recording.events == 18
    assert (recording.start_ms, recording.end_ms) == (START_MS, START_MS + 5002)
    assert [part.rows for part in recording.parts] == [10, 10, 10]
    assert repr(recording) == f"Recording({str(recording.folder)!r})"


@pytest.mark.parametrize(
    ("channels", "start_s", "end_s"),
    [
        (None, None, None),
        ([TRADES], None, None),
        (["liquidationOrders"], 1, 5),
        ([], 2, None),
        (None, None, 4),
        (None, 9, None),
        ([TRADES, LIQUIDATIONS], 0, 9),
    ],
)
def test_entries_of_channels_and_times(
    recording: Recording, channels: list[Channel | str] | None, start_s: int | None, end_s: int | None
) -> None:
    """What was said of the status belongs to every channel; times are those of receipt, the end left out."""
    start_ms = None if start_s is None else START_MS + start_s * 1000
    end_ms = None if end_s is None else START_MS + end_s * 1000
    names = None if channels is None else {each if isinstance(each, str) else each.name for each in channels}
    expected = [
        entry
        for second in range(start_s or 0, min(6, 6 if end_s is None else end_s))
        for entry in said(second)
        if names is None or entry.channel is None or entry.channel.name in names
    ]
    assert list(recording.entries(channels=channels, start=start_ms, end=end_ms)) == expected


def test_every_reader_takes_the_same_part(recording: Recording) -> None:
    """Channels by wire name, times as milliseconds, aware datetimes or text; of a part that is not finished too."""
    start, end = datetime.fromtimestamp(START_MS / 1000 + 1, UTC), START_MS + 5_000
    expected = [entry for second in range(1, 5) for entry in said(second) if entry.channel != LIQUIDATIONS]
    for first in (start, start.isoformat()):
        part: dict[str, Any] = {"channels": [TRADES.name], "start": first, "end": end}
        assert list(recording.entries(**part)) == expected
        rows = to_rows(expected).drop_columns("seq").to_pylist()
        assert [row for batch in recording.batches(**part) for row in plain(batch)] == rows
        assert plain(recording.to_arrow(**part)) == rows
        assert recording.to_polars(**part).drop("seq").collect().to_dicts() == rows
    assert recording.to_polars(channels=[], end=START_MS).collect().height == 0


def plain(table: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = table.cast(SCHEMA).drop_columns(["seq"]).to_pylist()
    return rows


@pytest.mark.parametrize("read", ["entries", "batches", "to_arrow", "to_polars"])
@pytest.mark.parametrize(
    ("part", "error", "match"),
    [
        ({"start": "soon"}, ValueError, "start='soon' is no moment"),
        ({"end": datetime(2024, 1, 1)}, ValueError, "is naive"),  # noqa: DTZ001 - that is the point
        ({"start": 2, "end": 1}, ValueError, "end=1 is before start=2"),
        ({"channels": "liquidationOrders"}, TypeError, "put it into a list"),
        ({"channels": ["nothing"]}, ValueError, "nothing"),
    ],
)
def test_a_part_that_nobody_can_mean(
    recording: Recording, read: str, part: dict[str, Any], error: type[Exception], match: str
) -> None:
    """It raises at the call, not while reading."""
    with pytest.raises(error, match=match):
        getattr(recording, read)(**part)


def test_nothing_was_received_meanwhile(recording: Recording) -> None:
    assert list(recording.batches(start=START_MS + 2003, end=START_MS + 2999)) == []


def test_tables_hold_the_same_rows(recording: Recording) -> None:
    """In Arrow, in polars, and where polars and pandas read the finished files by themselves."""
    rows = recording.to_arrow().cast(SCHEMA).to_pylist()
    assert rows == to_rows(ALL).to_pylist()
    assert recording.to_polars().collect().to_dicts() == rows
    finished = [recording.folder / part.file for part in recording.parts[:2]]
    assert pl.read_parquet(finished).to_dicts() == rows[:20]
    table = pd.concat(map(pd.read_parquet, finished))
    assert table["volume_usd"].sum() == sum(row["volume_usd"] or 0 for row in rows[:20])
    assert list(table["channel"].dropna().unique()) == ["liquidationOrders", TRADES.name]


def test_an_empty_recording_is_one(tmp_path: Path) -> None:
    RecordingWriter(tmp_path).close()
    recording = Recording(tmp_path)
    assert list(recording.entries()) == []
    assert recording.to_arrow().num_rows == 0
    assert recording.to_polars().collect().shape == (0, len(SCHEMA))


def test_a_batch_is_never_divided(tmp_path: Path) -> None:
    """Row groups end where a batch ends, however large it is."""
    large = Recorded(LIQUIDATIONS, Batch(LIQUIDATIONS, START_MS, tuple(map(liquidation, range(1000)))))
    entries = [large] * (GROUP_ROWS // 1000 + 2)
    later = Recorded(LIQUIDATIONS, Batch(LIQUIDATIONS, START_MS + 9, (liquidation(),)))
    write_recording(tmp_path, [*entries, later])
    recording = Recording(tmp_path)
    assert [batch.num_rows for batch in recording.batches()] == [66_000, 1001]
    assert list(recording.entries()) == [*entries, later]
    assert list(recording.entries(start=START_MS + 9)) == [later]
    (tmp_path / manifest.NAME).unlink()
    assert Recording(tmp_path, salvage=True).events == 67_001


def test_parts_are_finished_by_size(tmp_path: Path) -> None:
    with RecordingWriter(tmp_path, part_bytes=4000) as writer:
        for entry in ALL:
            writer.append(entry)
            writer.flush()
    recording = Recording(tmp_path)
    assert len(recording.parts) > 2
    assert list(recording.entries()) == ALL
    seqs = [(part.first_seq, part.last_seq) for part in recording.parts]
    assert [first for first, _ in seqs] == [0, *(last + 1 for _, last in seqs[:-1])]


def test_parts_are_finished_by_the_hour_of_receipt(tmp_path: Path) -> None:
    """Of UTC, and of the time of receipt: that of the events does not matter."""
    with RecordingWriter(tmp_path) as writer:
        for minutes in (0, 59, 60, 119, 180):
            writer.append(Recorded(TRADES, Batch(TRADES, START_MS + minutes * 60_000, (trade(minutes),))))
    assert [part.events for part in Recording(tmp_path).parts] == [2, 2, 1]


def test_while_it_is_written_it_is_read_as_far_as_it_was(recording: Recording) -> None:
    """Also when the part that was being written is finished before it is read."""
    entries = iter(recording.entries())
    assert next(entries) == ALL[0]
    with RecordingWriter(recording.folder) as writer:
        writer.append(*said(7))
    assert list(entries) == ALL[1:]
    assert recording.to_polars().collect().height == 30
    assert list(Recording(recording.folder).entries()) == [*ALL, *said(7)]


def test_a_part_that_is_finished_while_the_recording_is_opened(
    recording: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The manifest that was read before is of no use any more: it is read again, but not for ever."""
    folder = recording.folder
    before, read = manifest.read(folder), manifest.read
    RecordingWriter(folder).close()
    known = iter([before])
    turn: list[manifest.Manifest] = []

    def first_old(_: Path) -> manifest.Manifest:
        return next(known, None) or read(folder)

    def restless(_: Path) -> manifest.Manifest:
        turn.append(attrs.evolve(before, parts=before.parts[: len(turn) % 2], open=len(turn) % 2))
        return turn[-1]

    monkeypatch.setattr(manifest, "read", first_old)
    assert list(Recording(folder).entries()) == ALL
    monkeypatch.setattr(manifest, "read", restless)
    with pytest.raises(RecordingError, match="change faster than they can be looked at"):
        Recording(folder)


@pytest.mark.parametrize("step", [0, 1, 2])
def test_a_part_whose_finishing_was_cut_short(recording: Recording, step: int) -> None:
    """Killed before the rename, before the manifest, or before the unfinished file went: the next writer goes on."""
    folder = recording.folder
    unfinished = folder / recording.parts[-1].file
    content, old = unfinished.read_bytes(), (folder / manifest.NAME).read_bytes()
    RecordingWriter(folder).close()
    finished = folder / "part-00000002.parquet"
    unfinished.write_bytes(content)
    if step < 2:
        (folder / manifest.NAME).write_bytes(old)
    if step < 1:
        finished.rename(finished.with_suffix(".tmp"))
    assert list(Recording(folder).entries()) == ALL
    with RecordingWriter(folder) as writer:
        writer.append(*said(6))
    assert list(Recording(folder).entries()) == [*ALL, *said(6)]
    assert sorted(path.suffix for path in folder.iterdir()) == ["", ".json", *[".parquet"] * 4]


def test_a_part_that_was_only_begun_is_nothing(tmp_path: Path) -> None:
    writer = RecordingWriter(tmp_path)
    writer.append(ALL[0])
    writer.flush()
    writer.abandon()
    (unfinished,) = tmp_path.glob("*.open")
    unfinished.write_bytes(unfinished.read_bytes()[:-1])
    assert list(Recording(tmp_path).entries()) == []
    RecordingWriter(tmp_path).close()
    assert Recording(tmp_path).parts == ()


@pytest.mark.parametrize("part", ["manifest", "part"])
def test_what_cannot_be_written_leaves_nothing_behind(
    recording: Recording, part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No draft takes room on a full disk."""
    calls = {"manifest": 2, "part": 1}[part]

    def fsync(_: int) -> None:
        nonlocal calls
        calls -= 1
        if not calls:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(OSError, match="No space left"):
        RecordingWriter(recording.folder)
    assert not list(recording.folder.glob("*.tmp"))
    assert list(Recording(recording.folder).entries()) == ALL
    with RecordingWriter(recording.folder) as writer:
        assert len(writer.parts) == 3


@pytest.mark.parametrize(
    ("channel", "wrong"),
    [
        (TRADES, Batch(LIQUIDATIONS, 1, (liquidation(),))),
        (None, Batch(LIQUIDATIONS, 1, (liquidation(),))),
        (None, Alive("feed", 1)),
        (TRADES, Gap(None, 0, 1, "subscribed")),
        (TRADES, Gap(LIQUIDATIONS, 0, 1, "subscribed")),
        (TRADES, Connected(1)),
        (None, Ended(1, None)),
    ],
)
def test_what_a_feed_does_not_say_there_is_refused(tmp_path: Path, channel: Channel | None, wrong: Any) -> None:
    with RecordingWriter(tmp_path) as writer, pytest.raises(ValueError, match=r"was not said|is not kept"):
        writer.append(Recorded(channel, wrong))


def test_an_empty_batch_is_not_kept(tmp_path: Path) -> None:
    write_recording(tmp_path, [ALL[0], Recorded(TRADES, Batch(TRADES, START_MS, ())), ALL[1]])
    assert list(Recording(tmp_path).entries()) == ALL[:2]


def test_rows_of_no_kind_that_is_known_are_refused() -> None:
    rows = to_rows(ALL[3:4])
    strange = rows.set_column(1, "kind", ["rumour"])
    with pytest.raises(ValueError, match="kind='rumour'"):
        list(from_rows(in_memory(strange)))
    assert list(from_rows(in_memory(rows.slice(0, 0)))) == []


@pytest.mark.parametrize(
    "text",
    ["", "{}", "7", "[]", '{"status": "Ended", "at_ms": 1}', '{"status": "Connected"}', "[" * 100_000 + "]" * 100_000],
    ids=range(7),
)
def test_text_that_is_no_status_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no recorded status"):
        from_text(text)


@pytest.mark.parametrize("content", [{"parts": [{"number": 0}]}, {"parts": 1}, {"open": "no"}])
def test_a_manifest_of_another_shape_is_refused(tmp_path: Path, content: dict[str, Any]) -> None:
    """Its checksum may be right."""
    from cgrx._recording.manifest import _checksum

    whole: dict[str, Any] = {"format": "cgrx recording", "version": 1, "parts": [], "open": None, **content}
    text = msgspec.json.encode({**whole, "crc32": _checksum(whole)})
    (tmp_path / manifest.NAME).write_bytes(text)
    with pytest.raises(RecordingError, match="this is not the manifest of a recording"):
        Recording(tmp_path)


def test_files_of_other_columns_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a later cgrx with the same manifest, or of none."""
    import pyarrow as pa

    writer = RecordingWriter(tmp_path)
    monkeypatch.setattr("cgrx._recording.open_part.SCHEMA", pa.schema([("seq", pa.int64())]))
    writer.append(ALL[0])
    writer.flush()
    writer.abandon()
    monkeypatch.undo()
    with pytest.raises(RecordingError, match="it has no column 'kind'"):
        Recording(tmp_path)


def test_a_manifest_whose_checksum_does_not_match_is_refused(recording: Recording) -> None:
    path = recording.folder / manifest.NAME
    path.write_bytes(re.sub(rb'"rows": \d+', b'"rows": 999', path.read_bytes()))
    with pytest.raises(RecordingError, match="the manifest is damaged: its checksum does not match"):
        Recording(recording.folder)


def test_a_damaged_page_is_noticed_without_a_manifest(recording: Recording) -> None:
    """By its own checksum: the other parts are given."""
    (recording.folder / manifest.NAME).unlink()
    file = recording.folder / "part-00000000.parquet"
    content = bytearray(file.read_bytes())
    content[content.index(b"liquidationOrders") + 3] ^= 1
    file.write_bytes(content)
    rest = Recording(recording.folder, salvage=True)
    assert [problem.file for problem in rest.problems][:2] == [str(recording.folder / manifest.NAME), str(file)]


def test_a_finished_part_without_rows_is_nothing(recording: Recording) -> None:
    """Nobody writes one."""
    (recording.folder / manifest.NAME).unlink()
    pq.ParquetWriter(recording.folder / "part-00000001.parquet", SCHEMA, store_schema=False).close()
    rest = Recording(recording.folder, salvage=True)
    assert rest.problems[-1].reason == "it holds nothing"
    assert list(rest.entries()) == ALL[:8]


@REQUIRED
def test_a_real_trade_takes_less_than_twenty_bytes(tmp_path: Path) -> None:
    """And all 44,219 come back."""
    trades = [
        Trade(e["baseAsset"], e["exName"], e["symbol"], TradeSide(e["side"]), e["price"], e["volUsd"], e["time"])
        for e in REAL_TRADES.lines()
    ]
    received = [int(e["recv"]) for e in REAL_TRADES.lines()]
    write_recording(
        tmp_path,
        (Recorded(TRADES, Batch(TRADES, at, (each,))) for at, each in zip(received, trades, strict=True)),
    )
    recording = Recording(tmp_path)
    found = [event for entry in recording.entries() if isinstance(entry.said, Batch) for event in entry.said.events]
    assert found == trades
    assert sum(part.bytes for part in recording.parts) < 20 * len(trades)
