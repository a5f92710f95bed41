"""Files become recordings: what is an event is kept, what is none is counted, said, and kept aside."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest

import cgrx
from cgrx import FuturesTrades, LiquidationOrders
from cgrx._importing import files
from cgrx._importing.files import REJECTS_SHOWN

QUOTES: Any = "quotes"
ROW = {
    "baseAsset": "BTC", "exName": "Binance", "symbol": "BTCUSDT", "side": 1, "price": 60_000.5, "volUsd": 12.5,
    "time": 1_700_000_000_000,
}  # fmt: skip


def lines(path: Path, *rows: object) -> Path:
    path.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows))
    return path


def said(folder: Path) -> list[Any]:
    return [entry.said for entry in cgrx.Recording(folder).entries()]


def test_several_files_are_one_recording(tmp_path: Path) -> None:
    """In the order given; the counters add up."""
    one = lines(tmp_path / "one.jsonl", ROW, ROW | {"symbol": "ETHUSDT"})
    two = lines(tmp_path / "two.jsonl", ROW | {"time": 1_700_000_000_005}, "nonsense")
    imported = cgrx.import_jsonl([one, two], tmp_path / "to", events="trades", min_volume=10)
    btc, eth = FuturesTrades("Binance", "BTCUSDT", 10), FuturesTrades("Binance", "ETHUSDT", 10)
    assert (imported.rows, imported.events, imported.rejected, imported.channels) == (4, 3, 1, (btc, eth))
    assert [(batch.channel, len(batch.events)) for batch in said(tmp_path / "to")] == [(btc, 1), (eth, 1), (btc, 1)]
    assert imported.rejects_file == tmp_path / "to.rejects.jsonl"
    (reject,) = imported.rejects
    assert (reject.file, reject.line, reject.text) == (str(two), 2, "nonsense")


def test_rejected_rows_are_kept_aside(tmp_path: Path) -> None:
    """All of them in the file, the first of them in the result; with no bad row there is no file."""
    path = lines(tmp_path / "a.jsonl", *[ROW | {"price": -1}] * (REJECTS_SHOWN + 5), ROW)
    imported = cgrx.import_jsonl(path, tmp_path / "to", events="liquidations", rejects=tmp_path / "bad.jsonl")
    kept = [json.loads(line) for line in (tmp_path / "bad.jsonl").read_text().splitlines()]
    assert len(kept) == imported.rejected == REJECTS_SHOWN + 5
    assert kept[3] == {
        "file": str(path),
        "line": 4,
        "path": "$.price",
        "reason": "expected a number above zero",
        "text": json.dumps(ROW | {"price": -1}),
    }
    assert len(imported.rejects) == REJECTS_SHOWN
    good = cgrx.import_jsonl(lines(tmp_path / "b.jsonl", ROW), tmp_path / "good", events="liquidations")
    assert (good.rejects_file, good.rejects) == (None, ())
    assert not (tmp_path / "good.rejects.jsonl").exists()
    assert good.channels == (LiquidationOrders(),)


def test_csv_with_columns_constants_and_a_time_of_receipt(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("symbol,px,taker,size,at,seen\nBTCUSDT,60000.5,buy,12.5,1700000000000,1700000000007\n")
    imported = cgrx.import_csv(
        path,
        tmp_path / "to",
        events="trades",
        columns={"price": "px", "side": "taker", "volume_usd": "size", "time_ms": "at"},
        constants={"exchange": "okx", "base_asset": "BTC"},
        received="seen",
    )
    channel = FuturesTrades("OKX", "BTCUSDT", 0)
    assert imported.channels == (channel,)
    event = cgrx.Trade("BTC", "OKX", "BTCUSDT", cgrx.TradeSide.BUY, 60_000.5, 12.5, 1_700_000_000_000)
    assert said(tmp_path / "to") == [cgrx.Batch(channel, 1_700_000_000_007, (event,))]


def test_a_file_that_breaks_off_leaves_what_came_before(tmp_path: Path) -> None:
    """In a recording that is whole."""
    path = tmp_path / "a.gz"
    whole = gzip.compress(b"".join(json.dumps(ROW | {"n": n}).encode() + b"\n" for n in range(2_000)))
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(cgrx.UnreadableFileError) as caught:
        cgrx.import_jsonl(path, tmp_path / "to", events="liquidations", gapless=True)
    assert cgrx.Recording(tmp_path / "to").events == caught.value.line > 0


def test_progress_is_told_from_time_to_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_PROGRESS_ROWS", 1000)
    told: list[cgrx.Imported] = []
    path = lines(tmp_path / "a.jsonl", *[ROW] * 2_001, "nonsense")
    imported = cgrx.import_jsonl(path, tmp_path / "to", events="liquidations", gapless=True, progress=told.append)
    assert [each.events for each in told] == [1000, 2000]
    assert imported.rows == 2_002
    assert cgrx.Recording(tmp_path / "to").events == 2_001
    assert isinstance(said(tmp_path / "to")[-1], cgrx.Dropped)


def test_it_makes_a_recording_of_its_own(tmp_path: Path) -> None:
    path = lines(tmp_path / "a.jsonl", ROW)
    cgrx.import_jsonl(path, tmp_path / "to", events="liquidations")
    with pytest.raises(ValueError, match="is not empty: an import makes a recording of its own"):
        cgrx.import_jsonl(path, tmp_path / "to", events="liquidations")


def test_a_missing_extra_is_told_with_its_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cgrx._extras.find_spec", dict[str, object]().get)
    with pytest.raises(ImportError, match=r'an import needs the package pyarrow: pip install "cgrx\[recording\]"'):
        cgrx.import_jsonl(tmp_path / "none.jsonl", tmp_path / "to", events="trades")


def test_an_import_that_fails_leaves_nothing_and_can_be_tried_again(tmp_path: Path) -> None:
    """Also in an empty folder that was there before, and after some rows have been written."""
    path = lines(tmp_path / "a.csv", "symbol,px")
    (tmp_path / "empty").mkdir()
    for to in (tmp_path / "new", tmp_path / "empty"):
        with pytest.raises(ValueError, match="line 1: there is no column"):
            cgrx.import_csv(path, to, events="trades")
        assert to.exists() == (to.name == "empty")
        assert not to.exists() or list(to.iterdir()) == []
    good = lines(tmp_path / "a.jsonl", ROW)
    with pytest.raises(FileNotFoundError):
        cgrx.import_jsonl([good, tmp_path / "missing.jsonl"], tmp_path / "new", events="liquidations")
    assert not (tmp_path / "new").exists()
    assert cgrx.import_jsonl(good, tmp_path / "new", events="liquidations").events == 1


Import: TypeAlias = Callable[[Path, Path], cgrx.Imported]


def cases(*pairs: tuple[Import, str]) -> list[tuple[Import, str]]:
    """Imports, each with a part of what is wrong with it."""
    return list(pairs)


@pytest.mark.parametrize(
    ("call", "match"),
    cases(
        (lambda path, to: cgrx.import_jsonl(path, to, events=QUOTES), "events='quotes' is neither"),
        (lambda _, to: cgrx.import_jsonl([], to, events="trades"), "there is nothing to import"),
        (lambda path, to: cgrx.import_jsonl(path, to, events="trades", min_volume=-1), "min_volume=-1.0 takes"),
        (
            lambda path, to: cgrx.import_csv(path, to, events="trades", columns={"cost": "px"}),
            "columns: 'cost' is no field of an event; those are base_asset, exchange",
        ),
        (
            lambda path, to: cgrx.import_csv(path, to, events="trades", constants={"cost": "1"}),
            "constants: 'cost' is no field",
        ),
    ),
)
def test_what_cannot_be_used_is_named(tmp_path: Path, call: Import, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        call(lines(tmp_path / "a.jsonl", ROW), tmp_path / "to")
