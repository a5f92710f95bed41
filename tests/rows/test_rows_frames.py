"""Rows and events as tables of polars, pandas and Arrow."""

import sys
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import cgrx
from cgrx import LiquidationSide, TradeSide
from cgrx import operators as ops
from cgrx.operators import agg
from tests.rows.forms import EVENTS, TRADE, Custom, Wide, row

ROWS = [row(False, 0, TRADE), row(True, 0, TRADE), row(True, None)]
LIBRARIES = ("polars", "pandas", "pyarrow")
TRADE_DICT = {
    "kind": "trade",
    "base_asset": "BTC",
    "exchange": "Binance",
    "symbol": "BTCUSDT",
    "side": "buy",
    "price": 100.0,
    "volume_usd": 50.0,
    "time_ms": 1,
}
STRUCT = pl.Struct(
    {
        **dict.fromkeys(("kind", "base_asset", "exchange", "symbol", "side"), pl.String),
        "price": pl.Float64,
        "volume_usd": pl.Float64,
        "time_ms": pl.Int64,
    }
)
SCHEMA = {
    "start_ms": pl.Int64,
    "end_ms": pl.Int64,
    "exchange": pl.String,
    "n": pl.Int64,
    "vwap": pl.Float64,
    "since": pl.Int64,
    "side": pl.String,
    "names": pl.List(pl.String),
    "shares": pl.List(pl.Struct({"name": pl.String, "value": pl.Float64})),
    "big": pl.List(STRUCT),
    "gap_ms": pl.Int64,
    "dropped": pl.Int64,
    "late": pl.Int64,
    "final": pl.Boolean,
    "complete": pl.Boolean,
}


def test_polars_takes_the_final_rows() -> None:
    """One column a field, with its type; sides as words, events and shares nested."""
    frame = cgrx.to_frame(ROWS)
    assert frame.height == 2
    assert dict(frame.schema) == SCHEMA
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
        "big": [TRADE_DICT],
        "gap_ms": 0,
        "dropped": 0,
        "late": 0,
        "final": True,
        "complete": True,
    }
    assert (second["vwap"], second["side"], second["shares"], second["gap_ms"]) == (None, None, [], None)


def test_types_do_not_depend_on_what_is_missing() -> None:
    """So that frames of different windows fit together, those of no row too."""
    for some in ([row(True, None)], ROWS[:1]):
        assert dict(cgrx.to_frame(some).schema) == SCHEMA
        assert cgrx.to_frame(some, library="pyarrow").schema == cgrx.to_frame(ROWS, library="pyarrow").schema
        types = cgrx.to_frame(some, library="pandas").dtypes
        assert types.equals(cgrx.to_frame(ROWS, library="pandas").dtypes)


def test_pandas_takes_the_final_rows() -> None:
    frame = cgrx.to_frame(iter(ROWS), library="pandas")
    assert list(frame.columns) == list(Wide.fields)
    assert frame["n"].tolist() == [1, 0]
    assert [str(frame[name].dtype) for name in ("n", "since", "gap_ms")] == ["Int64"] * 3
    assert [str(frame[name].dtype) for name in ("vwap", "complete")] == ["float64", "bool"]
    assert frame["gap_ms"].isna().tolist() == [False, True]
    assert frame["vwap"].isna().tolist() == [False, True]
    assert frame["big"].tolist() == [[TRADE_DICT], []]
    assert frame["side"].tolist()[0] == "buy"


def test_arrow_and_polars_are_one_table() -> None:
    """Names, types and values are equal."""
    for items in (ROWS, EVENTS):
        assert pl.DataFrame(cgrx.to_frame(items, library="pyarrow")).equals(cgrx.to_frame(items))


@pytest.mark.parametrize("items", [EVENTS, EVENTS[:1], EVENTS[1:]], ids=["both", "trades", "liquidations"])
def test_events_have_the_columns_of_their_dictionaries(items: Any) -> None:
    """Of one kind or both, with the same types."""
    frame = cgrx.to_frame(items)
    assert frame.to_dicts() == [event.asdict() for event in items]
    assert frame.schema == pl.Schema(STRUCT)
    table = cgrx.to_frame(items, library="pyarrow")
    assert isinstance(table, pa.Table)
    assert table.to_pylist() == frame.to_dicts()
    of_pandas = cgrx.to_frame(iter(items), library="pandas")
    assert of_pandas.to_dict("records") == frame.to_dicts()
    assert [str(of_pandas[name].dtype) for name in ("kind", "price", "time_ms")] == ["string", "float64", "Int64"]


def test_what_custom_aggregates_give() -> None:
    """The library finds the type; mappings are lists of records."""
    made = Custom(start_ms=0, end_ms=1, found={TradeSide.BUY: (1, {"a": LiquidationSide.LONG})})
    records = [{"name": "buy", "value": [1, [{"name": "a", "value": "long"}]]}]
    assert cgrx.to_frame([made], library="pandas")["found"].tolist() == [records]
    assert cgrx.to_frame([Custom(start_ms=0, end_ms=1, found=1.5)])["found"].dtype == pl.Float64
    assert cgrx.to_frame([Custom(start_ms=0, end_ms=1, found=1.5)], library="pyarrow")["found"].to_pylist() == [1.5]


@pytest.mark.parametrize("library", LIBRARIES)
def test_running_rows_on_demand(library: Any) -> None:
    make: Any = cgrx.to_frame
    final, every = make(ROWS, library=library), make(ROWS, final_only=False, library=library)
    assert (final.shape[0], every.shape[0]) == (2, 3)


def test_no_items() -> None:
    """Without an item nothing says which columns there are; with running rows alone they are known."""
    nothing: list[ops.Row] = []
    assert cgrx.to_frame(nothing).shape == (0, 0)
    assert cgrx.to_frame(nothing, library="pandas").shape == (0, 0)
    assert isinstance(cgrx.to_frame(nothing, library="pandas"), pd.DataFrame)
    assert cgrx.to_frame(nothing, library="pyarrow").shape == (0, 0)
    assert cgrx.to_frame(ROWS[:1]).columns == list(Wide.fields)


class Other(ops.Row):
    """Another class."""

    n = agg.count()


OTHER = Other(start_ms=0, end_ms=1, n=1)


@pytest.mark.parametrize(
    ("items", "options", "error", "message"),
    [
        (ROWS, {"library": "arrow"}, ValueError, "library='arrow' is none of 'polars', 'pandas' and 'pyarrow'"),
        ([10], {}, TypeError, r"to_frame\(\) takes events or rows, not 10"),
        ([*ROWS, OTHER], {}, TypeError, "events, or rows of one class, not Wide and Other together"),
        ([TRADE, OTHER], {}, TypeError, "events, or rows of one class, not events and Other together"),
    ],
)
def test_mistakes_are_named(items: Any, options: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        cgrx.to_frame(items, **options)


@pytest.mark.parametrize("library", LIBRARIES)
def test_without_the_library_it_names_the_extra(library: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(ImportError, match=rf'needs the package {library}: pip install "cgrx\[frames\]"'):
        cgrx.to_frame(ROWS, library=library)
