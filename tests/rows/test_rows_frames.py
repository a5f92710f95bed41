"""Rows as tables of polars and pandas."""

import sys
from typing import Any

import pandas as pd
import polars as pl
import pytest

from cgrx._model.events import Trade, TradeSide
from cgrx.operators import agg
from cgrx.operators._rows.row import Row
from cgrx.operators._rows.to_frame import to_frame

TRADE = Trade("BTC", "Binance", "BTCUSDT", TradeSide.BUY, 100.0, 50.0, 1)


class Wide(Row):
    """A column of each kind."""

    exchange: str
    n = agg.count()
    vwap = agg.vwap()
    since = agg.first("time_ms")
    side = agg.last("side")
    names = agg.exchanges()
    shares = agg.share()
    big = agg.largest(1)


def row(final: bool, gap_ms: int | None, *events: Trade) -> Wide:
    made = Wide.accumulator()
    for event in events:
        made.add(event)
    return Wide.from_values((0, 60_000, "Binance", *made.values(), gap_ms, 0, 0, final, final and gap_ms == 0))


ROWS = [row(False, 0, TRADE), row(True, 0, TRADE), row(True, None)]
EVENT = {
    "base_asset": "BTC",
    "exchange": "Binance",
    "symbol": "BTCUSDT",
    "side": "buy",
    "price": 100.0,
    "volume_usd": 50.0,
    "time_ms": 1,
}


def test_polars_takes_the_final_rows() -> None:
    """One column a field, with its type; sides by name, events and shares nested."""
    frame = to_frame(ROWS)
    assert frame.columns == list(Wide.fields)
    assert frame.height == 2
    types = [pl.Int64, pl.Int64, pl.String, pl.Int64, pl.Float64, pl.Int64]
    assert frame.dtypes[:6] == types
    assert frame.dtypes[-5:] == [pl.Int64, pl.Int64, pl.Int64, pl.Boolean, pl.Boolean]
    first, second = frame.to_dicts()
    assert first == {
        "start_ms": 0,
        "end_ms": 60_000,
        "exchange": "Binance",
        "n": 1,
        "vwap": 100.0,
        "since": 1,
        "side": "buy",
        "names": ["Binance"],
        "shares": [{"name": "Binance", "value": 1.0}],
        "big": [EVENT],
        "gap_ms": 0,
        "dropped": 0,
        "late": 0,
        "final": True,
        "complete": True,
    }
    assert (second["vwap"], second["side"], second["shares"], second["gap_ms"]) == (None, None, [], None)


def test_types_do_not_depend_on_what_is_missing() -> None:
    """So that frames of different windows fit together."""
    empty = to_frame([row(True, None)])
    assert empty.dtypes[:7] == to_frame(ROWS).dtypes[:7]


def test_pandas_takes_the_final_rows() -> None:
    frame = to_frame(iter(ROWS), library="pandas")
    assert list(frame.columns) == list(Wide.fields)
    assert frame["n"].tolist() == [1, 0]
    assert [str(frame[name].dtype) for name in ("n", "since", "gap_ms")] == ["Int64"] * 3
    assert [str(frame[name].dtype) for name in ("vwap", "complete")] == ["float64", "bool"]
    assert frame["gap_ms"].isna().tolist() == [False, True]
    assert frame["vwap"].isna().tolist() == [False, True]
    assert frame["big"].tolist() == [[EVENT], []]
    assert frame["side"].tolist()[0] == "buy"


@pytest.mark.parametrize("library", ["polars", "pandas"])
def test_running_rows_on_demand(library: Any) -> None:
    make: Any = to_frame
    final, every = make(ROWS, library=library), make(ROWS, final_only=False, library=library)
    assert (final.shape[0], every.shape[0]) == (2, 3)


def test_no_rows() -> None:
    """Without a row nothing says which columns there are; with running rows alone they are known."""
    assert to_frame([]).shape == (0, 0)
    assert to_frame([], library="pandas").shape == (0, 0)
    assert isinstance(to_frame([], library="pandas"), pd.DataFrame)
    assert to_frame(ROWS[:1]).columns == list(Wide.fields)


class Other(Row):
    """Another class."""

    n = agg.count()


@pytest.mark.parametrize(
    ("rows", "options", "error", "message"),
    [
        (ROWS, {"library": "arrow"}, ValueError, "library='arrow' is none of 'polars' and 'pandas'"),
        ([TRADE], {}, TypeError, r"to_frame\(\) takes rows, not Trade\("),
        ([*ROWS, Other(start_ms=0, end_ms=1, n=1)], {}, TypeError, "rows of one class, not of Wide, Other"),
    ],
)
def test_mistakes_are_named(rows: Any, options: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        to_frame(rows, **options)


@pytest.mark.parametrize("library", ["polars", "pandas"])
def test_without_the_library_it_names_the_extra(library: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(ImportError, match=rf'needs the package {library}: pip install "cgrx\[frames\]"'):
        to_frame(ROWS, library=library)
