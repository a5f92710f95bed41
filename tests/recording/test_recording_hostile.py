"""Recordings that somebody forged: whatever reads them says which file is wrong, and where."""

import math
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trio

import cgrx
from cgrx import Recording, RecordingError
from cgrx import operators as ops
from cgrx._cli.app import run
from cgrx._cli.terminal.exits import Exit
from cgrx._recording.arrow import pa
from cgrx._recording.framing import HEADER_BYTES, encode
from cgrx._recording.manifest import NAME, Manifest, read, write
from cgrx._recording.schema import SCHEMA
from cgrx._recording.writer import RecordingWriter
from tests.recording import forging
from tests.recording.forging import (
    ALIVE,
    FINISHED,
    GAP,
    LIQUIDATION,
    OPEN,
    STATUS,
    TRADE,
    TRADE_2,
    Change,
    changed,
    parquet,
    typed,
    without,
)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording that nobody changes."""
    folder = tmp_path_factory.mktemp("whole")
    forging.begin(folder)
    return folder


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    """A recording to forge."""
    return Path(shutil.copytree(whole, tmp_path / "recording"))


def entries(folder: Path) -> object:
    return list(Recording(folder).entries())


def arrow(folder: Path) -> object:
    return Recording(folder).to_arrow()


def polars(folder: Path) -> object:
    return Recording(folder).to_polars().collect()


def replayed(folder: Path) -> object:
    async def main() -> None:
        async with cgrx.replay(folder, speed=math.inf) as feed:
            await feed.run()

    return trio.run(main)


def liquidations(feed: cgrx.Feed) -> Any:
    return feed.liquidations()


def windows(feed: cgrx.Feed) -> Any:
    return feed.liquidations().pipe(ops.tumbling("1m", ops.Flow, by=("exchange", "symbol", "side")))


def by_events(folder: Path) -> object:
    return cgrx.backtest(liquidations, folder).rows


def by_columns(folder: Path) -> object:
    return cgrx.backtest(windows, folder).rows


READERS = (entries, arrow, replayed, by_events)
"""Read row by row."""
QUERIES = (polars, by_columns)
"""Read columns."""


def refused(folder: Path, file: str, *readers: Callable[[Path], object]) -> RecordingError:
    """What each of these readers, and the command line, say of a forged recording."""
    said: list[RecordingError] = []
    for reader in readers:
        with pytest.raises(RecordingError) as raised:
            reader(folder)
        said.append(raised.value)
    assert {(error.file, error.place, error.reason) for error in said} == {
        (str(folder / file), said[0].place, said[0].reason)
    }
    assert str(said[0]).isprintable()
    return said[0]


def said_by(reader: Callable[[Path], object], folder: Path) -> str | None:
    """What a reader says is wrong with a recording, None where it says nothing."""
    try:
        reader(folder)
    except RecordingError as error:
        return str(error)
    return None


def refused_by_command(folder: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """The last line of `cgrx replay`."""
    capsys.readouterr()
    assert run(["replay", "liquidations", str(folder), "--format", "jsonl"]) == Exit.FAILED
    _, err = capsys.readouterr()
    assert "Traceback" not in err
    return err.splitlines()[-1]


def test_what_nobody_forged_is_read(whole: Path) -> None:
    for reader in (*READERS, *QUERIES):
        reader(whole)
    assert len(list(Recording(whole).entries())) == 2 * len(forging.SAID)


# Finished parts whose columns are others, which is known before a row is read.

NESTED = pa.struct([("a", pa.list_(pa.struct([("b", pa.map_(pa.string(), pa.int8()))])))])

COLUMNS: dict[str, tuple[Change, str]] = {
    "a missing column": (without("price"), "it has no column 'price'"),
    "all columns missing but one": (lambda before: before.select(["seq"]), "it has no column 'kind'"),
    "an extra column": (lambda before: before.append_column("more", before["seq"]), "it has a column 'more'"),
    "a column twice": (lambda before: before.append_column("seq", before["seq"]), "it has 2 columns 'seq'"),
    "columns in another order": (lambda before: before.select(before.column_names[::-1]), "are others than"),
    "another type": (typed("price", pa.int32()), "its column 'price' is of the type int32"),
    "a text that is a number": (typed("kind", pa.int64()), "its column 'kind' is of the type int64"),
    "a time that is one": (typed("time_ms", pa.timestamp("ms")), "its column 'time_ms' is of the type timestamp"),
    "a list": (typed("text", pa.list_(pa.string())), "its column 'text' is of the type list"),
    "nested types": (typed("volume_usd", NESTED), "its column 'volume_usd' is of the type struct"),
    "no seq": (changed(TRADE, "seq", None), "row group 0 has 1 rows without seq, not 0"),
    "no time of receipt": (changed(TRADE, "received_ms", None), "1 rows without received_ms, not 0"),
    "an event without a price": (changed(LIQUIDATION, "price", None), "4 rows without price, not 3"),
    "an event without an exchange": (changed(TRADE, "exchange", None), "4 rows without exchange, not 3"),
    "an event without a time": (changed(TRADE, "time_ms", None), "3 rows without base_asset, not 4"),
    "fewer rows": (lambda before: before.slice(1), "it has 5 rows, not 6"),
    "no rows": (lambda before: before.slice(0, 0), "it has 0 rows, not 6"),
}  # fmt: skip


@pytest.mark.parametrize(("change", "reason"), COLUMNS.values(), ids=COLUMNS)
def test_other_columns(folder: Path, capsys: pytest.CaptureFixture[str], change: Change, reason: str) -> None:
    """Every reader says it, those too that read columns."""
    forging.forge_part(folder, parquet(change(forging.table(folder))))
    error = refused(folder, FINISHED, *READERS, *QUERIES)
    assert reason in error.reason
    assert error.place == "footer"
    assert refused_by_command(folder, capsys) == f"cgrx: {error}"


NOT_PARQUET = {
    "text": b"seq,kind\n1,trade\n",
    "nothing": b"",
    "the magic alone": b"PAR1PAR1",
    "a footer of nothing": b"PAR1" + bytes(100) + (100).to_bytes(4, "little") + b"PAR1",
    "a footer that is longer than the file": b"PAR1" + bytes(8) + b"\xff\xff\xff\x7fPAR1",
    "an open part": encode(0, SCHEMA.serialize().to_pybytes()),
}


def test_a_pipe_without_a_manifest(folder: Path) -> None:
    (folder / NAME).unlink()
    os.mkfifo(folder / "part-00000001.parquet")
    problems = Recording(folder, salvage=True).problems
    assert [problem.reason for problem in problems[1:2]] == ["this is no file"]


@pytest.mark.parametrize("content", NOT_PARQUET.values(), ids=NOT_PARQUET)
def test_no_parquet_at_all(folder: Path, capsys: pytest.CaptureFixture[str], content: bytes) -> None:
    forging.forge_part(folder, content)
    error = refused(folder, FINISHED, *READERS, *QUERIES)
    assert "it cannot be read" in error.reason
    assert refused_by_command(folder, capsys) == f"cgrx: {error}"


def test_types_that_arrow_alone_knows(folder: Path) -> None:
    """They would be read in one way by pyarrow, and in another by polars."""
    forging.forge_part(folder, parquet(forging.table(folder), store_schema=True))
    assert "describes its columns in another way" in refused(folder, FINISHED, *READERS, *QUERIES).reason


def test_row_groups_without_statistics(folder: Path) -> None:
    """Nothing says then that no value is missing."""
    forging.forge_part(folder, parquet(forging.table(folder), write_statistics=False))
    assert "None rows without seq, not 0" in refused(folder, FINISHED, *READERS, *QUERIES).reason


def test_a_row_group_that_no_memory_holds(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cgrx._recording.checks._MOST_GROUP_ROWS", 5)
    assert "row group 0 has 6 rows" in refused(folder, FINISHED, *READERS, *QUERIES).reason


def test_a_part_whose_pages_are_damaged(folder: Path) -> None:
    """The checksum of the file agrees, and that of a page is not there."""
    content = bytearray(parquet(forging.table(folder)))
    content[4:60] = bytes(56)
    forging.forge_part(folder, bytes(content))
    error = refused(folder, FINISHED, *READERS)
    assert error.place == "row group 0"


@pytest.mark.parametrize("kind", ["folder", "pipe"])
@pytest.mark.parametrize("file", [NAME, FINISHED, OPEN])
def test_a_part_that_is_no_file(folder: Path, kind: str, file: str) -> None:
    """Neither hangs nor raises anything else."""
    (folder / file).unlink()
    if kind == "folder":
        (folder / file).mkdir()
    else:
        os.mkfifo(folder / file)
    assert refused(folder, file, *READERS, *QUERIES).reason == "this is no file"


# Rows that are none of a recording's, in columns that are right.

ROWS: dict[str, tuple[Change, str]] = {
    "an unknown kind": (changed(TRADE, "kind", "order"), "kind='order' is none that a recording holds"),
    "a kind of another channel": (changed(LIQUIDATION, "kind", "trade"), "a row of the kind trade is of liquidation"),
    "an event without a channel": (changed(LIQUIDATION, "channel", None), "a row of the kind liquidation has no"),
    "a status with a channel": (changed(STATUS, "channel", "liquidationOrders"), "a row of the kind status has a"),
    "no channel's name": (changed(ALIVE, "channel", "x"), "channel 'x' is not known"),
    "another name of a channel": (changed(ALIVE, "channel", "liquidation_orders"), "is called 'liquidation_orders'"),
    "a channel unknown to the manifest": (
        changed(ALIVE, "channel", "futures_trades@OKX_A@1"), "the manifest does not say that it holds futures_trades"
    ),
    "a side that is none": (changed(TRADE, "side", 3), "side=3 is not within 1 to 2"),
    "a price that is none": (changed(TRADE, "price", math.nan), "price is not above zero"),
    "a price below zero": (changed(TRADE, "price", -1.0), "price is not above zero"),
    "a volume without end": (changed(TRADE, "volume_usd", math.inf), "volume_usd is not above zero, or not finite"),
    "a time that no clock shows": (changed(TRADE, "time_ms", 2**62), "time_ms=4611686018427387904 is not within"),
    "a time before 1970": (changed(GAP, "start_ms", -1), "start_ms=-1 is not within"),
    "a count below zero": (changed(TRADE, "count", -1), "count=-1 is not within"),
    "a time that the manifest does not know": (changed(TRADE, "received_ms", 0), "received_ms=0 is not within"),
    "a number that the manifest does not know": (changed(ALIVE, "seq", 5), "seq=5 is not within 0 to 4"),
    "numbers with a hole": (changed(LIQUIDATION, "seq", 3), "seq does not rise by one"),
    "numbers that go back": (changed(LIQUIDATION, "seq", 0), "seq does not rise by one"),
    "an entry of two times": (
        changed(TRADE_2, "received_ms", forging.START_MS), "an entry has rows that do not belong together"
    ),
    "a mark of two rows": (changed(ALIVE, "seq", 3), "an entry has rows that do not belong together"),
    "a gap with a side": (changed(GAP, "side", 1), "row group 0 has 2 rows without side, not 3"),
    "an event with a count": (changed(TRADE, "count", 1), "an event has count"),
    "a gap without a reason": (changed(GAP, "text", None), "a row of the kind gap has no text"),
    "a proof with a count": (changed(ALIVE, "count", 1), "a row of the kind alive has count"),
    "a status that is none": (changed(STATUS, "text", "[]"), "'[]' is no recorded status"),
    "a nested status": (changed(STATUS, "text", "[" * 100_000), "is no recorded status"),
}  # fmt: skip

ERROR = '"error": {"type": "A", "message": "b"}'
STATUSES = {
    "a text for a time": '{"status": "Connected", "at_ms": "now"}',
    "a truth for a time": '{"status": "Connected", "at_ms": true}',
    "a time before 1970": '{"status": "Connected", "at_ms": -1}',
    "a time that no clock shows": '{"status": "Connected", "at_ms": 1e300}',
    "a number that no float holds": '{"status": "Connecting", "at_ms": 1, "attempt": 1' + "0" * 400 + "}",
    "no number at all": f'{{"status": "Disconnected", "at_ms": 1, {ERROR}, "retry_in_s": NaN}}',
    "an error of numbers": '{"status": "Disconnected", "error": {"type": 1, "message": 2}, "retry_in_s": 1}',
    "a field that is none": '{"status": "Connected", "at_ms": 1, "more": 1}',
    "a field too few": '{"status": "Connected"}',
    "a channel that is a number": '{"status": "Silent", "at_ms": 1, "channel": 1, "hint": null}',
}  # fmt: skip


@pytest.mark.parametrize(("change", "reason"), ROWS.values(), ids=ROWS)
def test_other_rows(folder: Path, capsys: pytest.CaptureFixture[str], change: Change, reason: str) -> None:
    """Every reader says it that reads rows; one that queries columns says it too, or gives what the columns hold."""
    forging.forge_part(folder, parquet(change(forging.table(folder))))
    error = refused(folder, FINISHED, *READERS)
    assert reason in error.reason
    assert error.place in {"row group 0", "footer"}
    assert refused_by_command(folder, capsys) == f"cgrx: {error}"
    for query in QUERIES:
        assert said_by(query, folder) in (None, str(error))


@pytest.mark.parametrize("text", STATUSES.values(), ids=STATUSES)
def test_other_statuses(folder: Path, capsys: pytest.CaptureFixture[str], text: str) -> None:
    forging.forge_part(folder, parquet(changed(STATUS, "text", text)(forging.table(folder))))
    error = refused(folder, FINISHED, *READERS)
    assert "is no recorded status" in error.reason
    assert refused_by_command(folder, capsys) == f"cgrx: {error}"


def test_row_groups_in_another_order(folder: Path) -> None:
    before = forging.table(folder)
    turned = pa.concat_tables([before.slice(4), before.slice(0, 4)])
    forging.forge_part(folder, parquet(turned, data_page_size=1))
    assert "seq does not rise" in refused(folder, FINISHED, *READERS).reason


# The part that is being written.


def rows(folder: Path) -> Any:
    (batch,) = forging.table(folder).combine_chunks().to_batches()
    seqs = pa.array([seq + 5 for seq in batch["seq"].to_pylist()])
    return batch.set_column(0, "seq", seqs)


def payload(message: Any) -> bytes:
    content: bytes = message.serialize().to_pybytes()
    return content


FRAMES: dict[str, tuple[Callable[[Any], tuple[bytes, list[tuple[int, bytes]]]], str]] = {
    "no schema": (lambda _: (b"what?", []), "it cannot be read"),
    "rows for a schema": (lambda good: (payload(good), []), "it cannot be read"),
    "other columns": (lambda good: (payload(good.schema.remove(3)), []), "it has no column 'received_ms'"),
    "nested columns": (
        lambda good: (payload(good.schema.set(3, pa.field("received_ms", NESTED))), []), "is of the type struct"
    ),
    "no rows": (lambda good: (payload(SCHEMA), [(5, b"what?")]), "it cannot be read"),
    "a schema for rows": (lambda good: (payload(SCHEMA), [(5, payload(SCHEMA))]), "it cannot be read"),
    "rows of other columns": (
        lambda good: (payload(SCHEMA), [(5, payload(good.select(["seq", "text"])))]), "it cannot be read"
    ),
    "rows of nothing": (lambda good: (payload(SCHEMA), [(5, payload(good.slice(0, 0)))]), "it has no rows"),
    "rows with another number": (
        lambda good: (payload(SCHEMA), [(5, payload(good.slice(1)))]), "its rows begin with seq=6"
    ),
    "a frame with another number": (lambda good: (payload(SCHEMA), [(6, payload(good))]), "it does not follow"),
    "rows without a number": (
        lambda good: (payload(SCHEMA), [(5, payload(good.set_column(0, "seq", pa.nulls(6, pa.int64()))))]),
        "seq is missing in a row",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("forge", "reason"), FRAMES.values(), ids=FRAMES)
def test_other_frames(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    forge: Callable[[Any], tuple[bytes, list[tuple[int, bytes]]]],
    reason: str,
) -> None:
    """Whoever reads the recording says it, and so does who would write on."""
    schema, batches = forge(rows(folder))
    forging.forge_open(folder, schema, *batches)
    error = refused(folder, OPEN, *READERS, *QUERIES)
    assert reason in error.reason
    assert (error.place or "").startswith("frame at byte ")
    assert refused_by_command(folder, capsys) == f"cgrx: {error}"
    with pytest.raises(RecordingError):
        RecordingWriter(folder)


@pytest.mark.parametrize(
    ("row", "name", "value", "reason"),
    [(GAP, "side", 1, "a row that is no event has side"), (TRADE, "symbol", None, "an event has no symbol")],
)
def test_rows_that_no_footer_tells_of(folder: Path, row: int, name: str, value: object, reason: str) -> None:
    good = rows(folder)
    (batch,) = changed(row, name, value)(pa.Table.from_batches([good])).combine_chunks().to_batches()
    forging.forge_open(folder, payload(SCHEMA), (5, payload(batch)))
    assert refused(folder, OPEN, *READERS, *QUERIES).reason == reason


def test_texts_that_are_none(folder: Path) -> None:
    """Neither their bytes nor their lengths are believed."""
    good = rows(folder)
    for before, after in ((b"hello", b"he\xff\xffo"), (b"Binance", b"Bin\xffnce")):
        assert before in payload(good)
        forging.forge_open(folder, payload(SCHEMA), (5, payload(good).replace(before, after)))
        assert "its values are damaged" in refused(folder, OPEN, *READERS, *QUERIES).reason


def test_a_frame_that_claims_more_than_the_file_takes_no_memory(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is taken for one that was cut off."""
    good = (folder / OPEN).read_bytes()
    frame = encode(10, b"x" * 100_000)[: HEADER_BYTES + 10]
    (folder / OPEN).write_bytes(good + frame)
    assert len(list(Recording(folder).entries())) == 10


# The manifest.

MANIFESTS: dict[str, tuple[dict[str, Any], str, str]] = {
    "a number that is a text": ({"rows": "6"}, NAME, "Expected `int`, got `str`"),
    "a number that is a fraction": ({"first_seq": 0.5}, NAME, "Expected `int`, got `float`"),
    "a missing field": ({"end_ms": ...}, NAME, "missing required field `end_ms`"),
    "channels that are a text": ({"channels": "liquidationOrders"}, NAME, "Expected `array`"),
    "a channel that is a number": ({"channels": [1]}, NAME, "Expected `str`, got `int`"),
    "no channel's name": ({"channels": ["../x"]}, NAME, "channel '../x' is not known"),
    "another name of a channel": ({"channels": ["liquidation_orders"]}, NAME, "is called 'liquidation_orders'"),
    "a number below zero": ({"number": -1}, NAME, "the parts do not follow one another"),
    "a number that is huge": ({"number": 10**300}, NAME, ""),
    "a path for a number": ({"number": "../../x"}, NAME, "Expected `int`, got `str`"),
    "entries below zero": ({"last_seq": -1}, NAME, "-1 is no number of its last entry"),
    "entries without end": ({"last_seq": 2**63}, NAME, ""),
    "rows below zero": ({"rows": -6}, NAME, "-6 rows cannot hold its entries, with 3 events"),
    "more rows than a file": ({"rows": 2**62}, FINISHED, "it has 6 rows, not 4611686018427387904"),
    "more events than rows": ({"events": 7}, NAME, "6 rows cannot hold its entries, with 7 events"),
    "a time below zero": ({"start_ms": -1}, NAME, "is no time"),
    "an end before its start": ({"end_ms": 1}, NAME, "is no time"),
    "a time that no clock shows": ({"end_ms": 2**62}, NAME, "is no time"),
    "bytes below zero": ({"bytes": -1}, NAME, "-1 bytes and the checksum"),
    "more bytes than a file": ({"bytes": 2**62}, FINISHED, "bytes, not 4611686018427387904"),
    "no checksum": ({"crc32": None}, NAME, "and the checksum None are those of no file"),
    "a checksum that is none": ({"crc32": 2**32}, NAME, "and the checksum 4294967296 are those of no file"),
}  # fmt: skip


@pytest.mark.parametrize(("fields", "file", "reason"), MANIFESTS.values(), ids=MANIFESTS)
def test_other_manifests(
    folder: Path, capsys: pytest.CaptureFixture[str], fields: dict[str, Any], file: str, reason: str
) -> None:
    forging.forge_manifest(folder, **fields)
    error = refused(folder, file, *READERS, *QUERIES)
    assert reason in error.reason
    assert refused_by_command(folder, capsys) == f"cgrx: {error}"


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "part-00000000.open"])
def test_a_manifest_leads_to_no_other_file(folder: Path, name: str) -> None:
    """The names of files follow from the numbers of the parts; a name in the manifest is not looked at."""
    forging.forge_manifest(folder, file=name, path=name)
    assert [part.file for part in Recording(folder).parts] == [FINISHED, OPEN]


@pytest.mark.parametrize("number", [-1, 0, 7, 10**18])
def test_an_open_part_of_another_number(folder: Path, number: int) -> None:
    known = read(folder)
    write(folder, Manifest(known.parts, number))
    error = refused(folder, NAME, *READERS, *QUERIES)
    assert (error.place, error.reason.split()[0]) == ("open", str(number))


def test_the_same_part_twice(folder: Path) -> None:
    (part,) = read(folder).parts
    write(folder, Manifest((part, part), 2))
    assert "do not follow one another" in refused(folder, NAME, *READERS, *QUERIES).reason


def test_files_that_this_user_may_not_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests may run as a user who may read all."""
    opened = Path.open
    for file in (NAME, FINISHED, OPEN):

        def refuse(path: Path, mode: str = "r", *arguments: Any, denied: str = file) -> Any:
            if path.name == denied:
                raise PermissionError(13, "Permission denied", str(path))
            file: Any = opened(path, mode, *arguments)
            return file

        with monkeypatch.context() as patch:
            patch.setattr(Path, "open", refuse)
            assert "Permission denied" in refused(folder, file, *READERS, *QUERIES).reason


def test_with_salvage_the_rest_is_there(folder: Path) -> None:
    """The open part, and what is wrong with the other beside it."""
    forging.forge_part(folder, parquet(changed(TRADE, "side", 3)(forging.table(folder))))
    recording = Recording(folder, salvage=True)
    assert list(recording.entries()) == forging.SAID
    assert [problem.place for problem in recording.problems] == ["row group 0"]
