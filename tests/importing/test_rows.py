"""Files of others, row by row: what is an event, what is none and why, and which line it was."""

import gzip
import json
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

import cgrx
from cgrx import Liquidation, Trade
from cgrx._importing.rows import LINE_BYTES, Good, Reader, Reject, UnreadableFileError, csv_rows, json_rows
from cgrx._model.events import LATEST_MS
from cgrx._wire.codec import Frame, decode
from tests import recordings
from tests.recordings import Recording

FIRST = {
    "baseAsset": "BTC", "exName": "binance", "symbol": "BTCUSDT", "side": 1, "price": 60_000.5, "volUsd": 12.5,
    "time": 1_700_000_000_000,
}  # fmt: skip
SECOND = {
    "base_asset": "BTC", "exchange": "BINANCE", "symbol": "BTCUSDT", "side": "1", "price": "60000.5",
    "volume_usd": "12.5", "time": 1_700_000_000_000.0,
}  # fmt: skip
EVENT = Liquidation("BTC", "Binance", "BTCUSDT", cgrx.LiquidationSide.LONG, 60_000.5, 12.5, 1_700_000_000_000)


def reader(event_type: type[Any] = Liquidation, received: str | None = None) -> Reader:
    return Reader(event_type, received)


def lines(path: Path, *rows: object) -> Path:
    path.write_bytes(b"".join(row if isinstance(row, bytes) else json.dumps(row).encode() + b"\n" for row in rows))
    return path


def test_both_generations_of_names_and_numbers_as_texts(tmp_path: Path) -> None:
    """As in a live frame; blank lines are no rows, and the last line needs no end."""
    path = lines(tmp_path / "a.jsonl", FIRST, b"\n", b"  \r\n", SECOND, json.dumps(FIRST).encode())
    rows = list(json_rows(path, reader()))
    assert [(row.line, row.event) for row in rows if isinstance(row, Good)] == [(1, EVENT), (4, EVENT), (5, EVENT)]


def test_gzip_is_known_by_its_beginning_not_its_name(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(gzip.compress(json.dumps(FIRST).encode()))
    assert [type(row) for row in json_rows(path, reader())] == [Good]


@pytest.mark.parametrize(
    ("row", "where", "reason"),
    [
        (b"nonsense\n", "$", "not JSON"),
        (b"[1, 2]\n", "$", "expected an object, got an array"),
        (b'{"a": 1}, {"b": 2}\n', "$", "not JSON: Extra data"),
        (b"[" * 100_000 + b"\n", "$", "nested too deeply"),
        (FIRST | {"price": 0}, "$.price", "above zero"),
        (FIRST | {"side": 3}, "$.side", "expected 1 or 2"),
        (FIRST | {"time": LATEST_MS + 1}, "$.time", "between 1970 and 9999"),
        ({key: value for key, value in FIRST.items() if key != "symbol"}, "$.symbol", "missing"),
        (b"\xff\xfe\n", "$", "not JSON"),
    ],
)
def test_what_is_no_event_is_rejected_with_its_line(tmp_path: Path, row: object, where: str, reason: str) -> None:
    """And the rows around it are read."""
    path = lines(tmp_path / "a.jsonl", FIRST, row, FIRST)
    before, reject, after = json_rows(path, reader())
    assert isinstance(before, Good)
    assert isinstance(after, Good)
    assert isinstance(reject, Reject)
    assert (reject.file, reject.line, reject.path) == (str(path), 2, where)
    assert reason in reject.reason
    assert reject.text


def test_what_is_not_quite_json_is_read_as_on_the_wire(tmp_path: Path) -> None:
    """A byte order mark, NaN in a key that does not matter, bad Unicode in one that does."""
    good = json.dumps(FIRST | {"more": float("nan")}).encode()
    path = lines(tmp_path / "a.jsonl", b"\xef\xbb\xbf" + good + b"\n", good.replace(b"BTCUSDT", b"\xffX") + b"\n")
    row, reject = json_rows(path, reader())
    assert isinstance(row, Good)
    assert isinstance(reject, Reject)
    assert (reject.path, reject.reason) == ("$.symbol", "not valid Unicode")
    assert r"\xffX" in reject.text


def test_a_very_long_line_costs_itself(tmp_path: Path) -> None:
    path = lines(tmp_path / "a.jsonl", FIRST, b" " * (3 * LINE_BYTES) + b"{}\n", FIRST, b"x" * (2 * LINE_BYTES))
    first, long, second, last = json_rows(path, reader())
    assert (first.line, long.line, second.line, last.line) == (1, 2, 3, 4)
    assert isinstance(second, Good)
    for row in (long, last):
        assert isinstance(row, Reject)
        assert row.reason == "longer than 1,048,576 bytes"
        assert len(row.text) <= LINE_BYTES + 1


@pytest.mark.parametrize(
    ("received", "expected"),
    [
        (1_700_000_000_123.9, 1_700_000_000_123),
        ("1700000000123", 1_700_000_000_123),
        (None, None),
        ("", None),
        ("soon", "$.recv: expected a number, got other text"),
        (-5, "$.recv: expected a time between 1970 and 9999"),
        (LATEST_MS + 1, "$.recv: expected a time between 1970 and 9999"),
        (1_600_000_000_000, 1_600_000_000_000),
        ([1], "$.recv: expected a number, got an array"),
    ],
)
def test_the_time_of_receipt(tmp_path: Path, received: object, expected: object) -> None:
    """Milliseconds, fractions cut off; a row may lack it, but not have it wrong."""
    path = lines(tmp_path / "a.jsonl", FIRST | {"recv": received})
    (row,) = json_rows(path, reader(received="recv"))
    if isinstance(row, Good):
        assert row.received_ms == expected
    else:
        assert f"{row.path}: {row.reason}" == expected


def test_a_file_that_is_cut_short_says_where(tmp_path: Path) -> None:
    """The rows before are given; a file that is not there is the system's error."""
    whole = gzip.compress(b"".join(json.dumps(FIRST | {"n": n}).encode() + b"\n" for n in range(4_000)))
    path = tmp_path / "a.gz"
    for data in (whole[: len(whole) // 2], whole[: len(whole) // 2] + b"\0" * 1000):
        path.write_bytes(data)
        rows: list[Any] = []
        with pytest.raises(UnreadableFileError, match=r"a\.gz cannot be read beyond line \d+") as caught:
            rows.extend(json_rows(path, reader()))
        assert 0 < caught.value.line == len(rows) < 4_000
    with pytest.raises(FileNotFoundError):
        list(json_rows(tmp_path / "none", reader()))


# CSV

HEADER = "symbol,px,taker,size,at,ex\n"
COLUMNS = {"price": "px", "side": "taker", "volume_usd": "size", "time_ms": "at", "exchange": "ex"}


def csv_file(path: Path, *rows: str, header: str = HEADER) -> Path:
    path.write_text(header + "".join(rows), encoding="utf-8", newline="")
    return path


def test_columns_are_mapped_and_constants_added(tmp_path: Path) -> None:
    """Sides may be words."""
    path = csv_file(tmp_path / "a.csv", "BTCUSDT,60000.5,SELL,12.5,1700000000000,binance\n")
    (row,) = csv_rows(path, reader(Trade), COLUMNS, {"base_asset": "BTC"})
    assert isinstance(row, Good)
    assert row.event == Trade("BTC", "Binance", "BTCUSDT", cgrx.TradeSide.SELL, 60_000.5, 12.5, 1_700_000_000_000)


@pytest.mark.parametrize("names", [FIRST, SECOND])
def test_columns_with_the_names_of_either_generation_need_no_mapping(tmp_path: Path, names: dict[str, Any]) -> None:
    path = csv_file(tmp_path / "a.csv", ",".join(map(str, names.values())), header="\ufeff" + ",".join(names) + "\r\n")
    (row,) = csv_rows(path, reader(), {}, {})
    assert isinstance(row, Good)
    assert row.event == EVENT


def test_rows_of_csv_that_are_no_events(tmp_path: Path) -> None:
    """Each with the line at which it begins, though quoted values may hold line ends."""
    path = csv_file(
        tmp_path / "a.csv",
        '"BTC\nUSDT",1,buy,1,1,Binance\n',
        "BTCUSDT,1,buy\n",
        "\n",
        "BTCUSDT,free,buy,1,1,Binance\n",
        'BTCUSDT,1,buy,1,1,Bin"ance"\n',
        '"BTC"USDT,1,buy,1,1,Binance\n',
        "BTCUSDT,1,2,1,1,Binance\n",
    )
    rows = list(csv_rows(path, reader(Trade), COLUMNS, {"base_asset": "BTC"}))
    assert [(row.line, type(row)) for row in rows] == [
        (2, Good), (4, Reject), (6, Reject), (7, Good), (8, Reject), (9, Good),
    ]  # fmt: skip
    rejects = [row for row in rows if isinstance(row, Reject)]
    assert [reject.reason for reject in rejects] == [
        "expected 6 values, got 3",
        "expected a number, got other text",
        "',' expected after '\"'",
    ]
    assert rejects[0].text == "BTCUSDT,1,buy"


def test_a_column_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = csv_file(tmp_path / "a.csv")
    with pytest.raises(ValueError, match=r"no column 'cost' for price; its columns are 'symbol', 'px'"):
        list(csv_rows(path, reader(), COLUMNS | {"price": "cost"}, {"base_asset": "BTC"}))
    with pytest.raises(ValueError, match="no column 'base_asset' or 'baseAsset' for base_asset"):
        list(csv_rows(path, reader(), COLUMNS, {}))
    with pytest.raises(ValueError, match=r"no column 'ex' for exchange; its columns are $"):
        list(csv_rows(csv_file(tmp_path / "b.csv", header=""), reader(), COLUMNS, {"base_asset": "BTC"}))


def test_the_time_of_receipt_in_a_column(tmp_path: Path) -> None:
    path = csv_file(tmp_path / "a.csv", "BTCUSDT,1,2,1,1700000000000,Binance\n")
    named = COLUMNS | {"received": "at"}
    (row,) = csv_rows(path, reader(received="received"), named, {"base_asset": "BTC"})
    assert isinstance(row, Good)
    assert row.received_ms == 1_700_000_000_000


@recordings.REQUIRED
@pytest.mark.parametrize("recording", recordings.RECORDINGS, ids=lambda recording: recording.file)
@recordings.AS_FAR_AS
def test_real_files_give_what_the_codec_gives(recording: Recording, count: int) -> None:
    """Row by row the same events as decoded from frames, none rejected."""
    event_type = Liquidation if recording is recordings.LIQUIDATIONS else Trade
    rows = list(islice(json_rows(recordings.FOLDER / recording.file, reader(event_type)), count))
    decoded: list[Any] = []
    for payload in islice(recording.frames(100), count // 100):
        frame = decode(payload)
        assert isinstance(frame, Frame)
        decoded += frame.events
    assert [row.event for row in rows if isinstance(row, Good)] == decoded
    assert len(rows) == min(count, recording.events)


# What cgrx wrote

BOUGHT = Trade("BTC", "Binance", "BTCUSDT", cgrx.TradeSide.BUY, 60_000.5, 12.5, 1_700_000_000_000)


@pytest.mark.parametrize("event", [EVENT, BOUGHT])
def test_what_events_say_of_themselves_is_read_back(tmp_path: Path, event: cgrx.Event) -> None:
    """Dictionaries of events, as lines of JSON and of CSV; those of the other kind are rejected, for sides differ."""
    plain = event.asdict()
    path = lines(tmp_path / "a.jsonl", plain)
    in_csv = csv_file(tmp_path / "a.csv", ",".join(map(str, plain.values())), header=",".join(plain) + "\n")
    other = reader(Trade if isinstance(event, Liquidation) else Liquidation)
    for (row,), (rejected,) in (
        (json_rows(path, reader(type(event))), json_rows(path, other)),
        (csv_rows(in_csv, reader(type(event)), {}, {}), csv_rows(in_csv, other, {}, {})),
    ):
        assert isinstance(row, Good)
        assert row.event == event
        assert isinstance(rejected, Reject)
        assert (rejected.path, rejected.reason) == ("$.kind", f"expected {other.event_type.kind!r}, got {event.kind!r}")


@pytest.mark.parametrize(
    ("fields", "path"), [({"side": "sideways"}, "$.side"), ({"time_ms": -1}, "$.time"), ({"side": None}, "$.side")]
)
def test_what_is_wrong_with_it_is_named(tmp_path: Path, fields: dict[str, object], path: str) -> None:
    (row,) = json_rows(lines(tmp_path / "a.jsonl", EVENT.asdict() | fields), reader())
    assert isinstance(row, Reject)
    assert row.path == path
