"""Finished parts that somebody forged: whatever reads them says which file is wrong, and where."""

import math
import os
from pathlib import Path

import pytest

from cgrx import Recording
from cgrx._recording.arrow import pa
from cgrx._recording.framing import encode
from cgrx._recording.manifest import NAME
from cgrx._recording.schema import SCHEMA
from tests.choosing import one_in
from tests.recording import forging
from tests.recording.forging import (
    ALIVE,
    FINISHED,
    GAP,
    LIQUIDATION,
    NESTED,
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
from tests.recording.forging import folder as folder
from tests.recording.forging import whole as whole
from tests.recording.reading import QUERIES, READERS, refused, refused_by_command, said_by


def test_what_nobody_forged_is_read(whole: Path) -> None:
    for reader in (*READERS, *QUERIES):
        reader(whole)
    assert len(list(Recording(whole).entries())) == 2 * len(forging.SAID)


# Finished parts whose columns are others, which is known before a row is read.

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


@pytest.mark.parametrize(("change", "reason"), one_in(3, ROWS.values()), ids=ROWS)
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
