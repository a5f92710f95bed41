"""Rows: declared and made for keywords; frozen values that compare, hash, print and pickle."""

import copy
import pickle
from typing import Any

import attrs
import pytest

from cgrx._model.events import Trade, TradeSide
from cgrx.operators import agg
from cgrx.operators._rows.derive import row_type
from cgrx.operators._rows.ready import Bar, Flow
from cgrx.operators._rows.row import Row


class Mine(Row):
    """As a user writes it."""

    exchange: str
    n = agg.count()
    usd = agg.volume()

    @property
    def usd_each(self) -> float:
        return self.usd / self.n


class More(Mine):
    """One more key and value."""

    symbol: str
    vwap = agg.vwap()


class MyBar(Bar):
    """A bar that brings its key."""

    exchange: str
    symbol: str


ROW = Mine(start_ms=0, end_ms=60_000, exchange="Binance", n=2, usd=10.0)


def test_a_class_says_what_it_holds() -> None:
    assert Mine.key_fields == ("exchange",)
    assert Mine.aggregates == (("n", agg.count()), ("usd", agg.volume()))
    assert Mine.fields == (
        *("start_ms", "end_ms", "exchange", "n", "usd"),
        *("gap_ms", "dropped", "late", "final", "complete"),
    )
    assert Mine.n == agg.count()
    assert "exchange" in vars(Mine)
    made = Mine.accumulator()
    made.add(Trade("BTC", "Binance", "BTCUSDT", TradeSide.BUY, 100.0, 50.0, 1))
    assert made.values() == (1, 50.0)


def test_a_subclass_has_more_fields() -> None:
    """Behind those that it inherits, of each kind."""
    assert More.key_fields == ("exchange", "symbol")
    assert More.fields[:7] == ("start_ms", "end_ms", "exchange", "symbol", "n", "usd", "vwap")
    row = More(start_ms=0, end_ms=1, exchange="OKX", symbol="BTC-USDT", n=1, usd=2.0, vwap=3.0)
    assert (row.exchange, row.symbol, row.n, row.vwap, row.usd_each) == ("OKX", "BTC-USDT", 1, 3.0, 2.0)


def test_ready_rows_have_the_key_fields_that_their_window_names() -> None:
    """And no others: type checkers are told of all of them, as they cannot know the window."""
    assert Flow.key_fields == Bar.key_fields == ()
    flow = row_type(Flow, "exchange", {})(**EMPTY_FLOW, exchange="OKX")
    assert (flow.exchange, hasattr(flow, "symbol")) == ("OKX", False)
    with pytest.raises(AttributeError, match="symbol"):
        _ = flow.symbol


def test_fields_are_read_by_name() -> None:
    assert (ROW.start_ms, ROW.end_ms, ROW.exchange, ROW.n, ROW.usd) == (0, 60_000, "Binance", 2, 10.0)
    assert (ROW.gap_ms, ROW.dropped, ROW.late, ROW.final, ROW.complete) == (0, 0, 0, True, True)
    assert ROW["usd"] == 10.0
    assert ROW.usd_each == 5.0
    assert list(ROW.asdict().items())[:3] == [("start_ms", 0), ("end_ms", 60_000), ("exchange", "Binance")]
    with pytest.raises(KeyError, match="'bid' is no field of this row; those are start_ms, end_ms, exchange, n"):
        ROW["bid"]


@pytest.mark.parametrize(
    ("quality", "complete"),
    [
        ({"late": 0}, True),
        ({"late": 3}, True),
        ({"gap_ms": 1}, False),
        ({"gap_ms": None}, False),
        ({"dropped": 1}, False),
        ({"final": False}, False),
        ({"final": False, "complete": False}, False),
    ],
)
def test_complete_follows_from_the_rest(quality: dict[str, object], complete: bool) -> None:
    """Late events were never part of the row."""
    assert Flow(**EMPTY_FLOW, **quality).complete is complete


EMPTY_FLOW: dict[str, object] = {
    "start_ms": 0,
    "end_ms": 1,
    "count": 0,
    "volume": 0.0,
    "buy_volume": 0.0,
    "sell_volume": 0.0,
    "delta": 0.0,
}


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"bid": 1}, TypeError, r"Flow\(\.\.\.\) takes its fields by name: start_ms.*; there is no bid"),
        ({"complete": True, "gap_ms": 5}, ValueError, "complete=True: it is True if final"),
    ],
)
def test_the_constructor_checks(change: dict[str, object], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        Flow(**EMPTY_FLOW, **change)
    with pytest.raises(TypeError, match="missing start_ms, end_ms, count"):
        Flow()


def test_frozen_and_without_other_attributes() -> None:
    for name in ("n", "exchange", "late", "values", "other"):
        with pytest.raises(attrs.exceptions.FrozenInstanceError):
            setattr(ROW, name, 1)
        with pytest.raises(attrs.exceptions.FrozenInstanceError):
            delattr(ROW, name)
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        object.__setattr__(ROW, "n", 1)
    assert vars(ROW) == ROW.asdict()


def test_equal_by_type_and_values() -> None:
    same = Mine.from_values((0, 60_000, "Binance", 2, 10.0, 0, 0, 0, True, True))
    assert same == ROW
    assert hash(same) == hash(ROW)
    assert same != Mine(start_ms=0, end_ms=60_000, exchange="Binance", n=3, usd=10.0)

    class Other(Row):
        exchange: str
        n = agg.count()
        usd = agg.volume()

    assert Other.from_values(ROW.values) != ROW
    assert ROW.__eq__(ROW.values) is NotImplemented


def test_prints_as_code_that_makes_it() -> None:
    text = "Mine(exchange='Binance', start_ms=0, end_ms=60000, n=2, usd=10.0, gap_ms=0, dropped=0, late=0,"
    assert repr(ROW) == f"{text} final=True, complete=True)"
    assert eval(repr(ROW)) == ROW


DYNAMIC = row_type(None, "exchange", {"n": agg.count(), "big": agg.largest(1), "share": agg.share("symbol")})
KEYED_BAR = row_type(Bar, ("exchange", "symbol"), {})


@pytest.mark.parametrize("kind", [Mine, More, MyBar, Flow, Bar, DYNAMIC, KEYED_BAR], ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_rows_and_their_classes_pickle(kind: type[Row], protocol: int) -> None:
    """A class by its name, one that has none by how it was made; equal rows are of one class again."""
    made = kind.accumulator()
    made.add(Trade("BTC", "Binance", "BTCUSDT", TradeSide.BUY, 100.0, 50.0, 1))
    row = kind.from_values((0, 1, *("Binance",) * len(kind.key_fields), *made.values(), None, 0, 0, True, False))
    again, kind_again = pickle.loads(pickle.dumps((row, kind), protocol))
    assert kind_again is kind
    assert again == row
    assert hash(again) == hash(row)
    assert copy.deepcopy(row) == row


def test_a_class_of_no_module_pickles_no_more_than_others() -> None:
    class Local(Row):
        n = agg.count()

    with pytest.raises((AttributeError, pickle.PicklingError), match="Local"):
        pickle.dumps(Local)


def test_keywords_make_a_class_once() -> None:
    again = row_type(None, ("exchange",), {"n": agg.count(), "big": agg.largest(1), "share": agg.share("symbol")})
    assert again is DYNAMIC
    assert again is not row_type(None, "symbol", {"n": agg.count()})
    row: Any = row_type(None, "exchange", {"n": agg.count()})(start_ms=0, end_ms=1, exchange="OKX", n=4)
    assert (row.exchange, row.n, row["n"]) == ("OKX", 4, 4)
    assert repr(row).startswith("Row(exchange='OKX', start_ms=0, end_ms=1, n=4, gap_ms=0")


def test_a_declared_class_takes_the_key_of_its_window() -> None:
    assert issubclass(KEYED_BAR, Bar)
    assert KEYED_BAR.__name__ == "Bar"
    assert KEYED_BAR.key_fields == ("exchange", "symbol")
    assert KEYED_BAR.aggregates == Bar.aggregates
    assert row_type(Bar, ["exchange", "symbol"], {}) is KEYED_BAR


def test_the_row_type_of_a_window() -> None:
    assert row_type(None, (), {}) is Flow
    assert row_type(None, "exchange", {}).aggregates == Flow.aggregates
    assert row_type(Mine, (), {}) is Mine
    assert row_type(Mine, "exchange", {}) is Mine
    assert row_type(More, ("symbol", "exchange"), {}) is More
    assert row_type(MyBar, (), {}) is MyBar
    extended = row_type(Flow, "side", {"vwap": agg.vwap()})
    assert extended.fields[2:5] == ("side", "count", "volume")
    assert extended.aggregates[-1] == ("vwap", agg.vwap())


@pytest.mark.parametrize(
    ("row", "by", "aggregates", "error", "message"),
    [
        (None, "bid", {}, ValueError, r"Flow: 'bid' is no field to tell rows apart by; those are 'base_asset', 'exch"),
        (None, "price", {}, ValueError, "'price' is no field to tell rows apart by"),
        (None, ("symbol", "symbol"), {}, ValueError, "'symbol' is twice among the key fields"),
        (None, 3, {}, TypeError, "by=3 takes the name of a field, or several in a tuple"),
        (None, (1,), {}, TypeError, r"by=\(1,\) takes the name of a field"),
        (None, "exchange", {"n": 3}, TypeError, r"Row: n=3 is no aggregate; give one such as agg\.count\(\)"),
        (None, "exchange", {"n": agg.count}, TypeError, "Row: n=<function count at .* is no aggregate"),
        (None, "exchange", {"exchange": agg.count()}, ValueError, "Row: 'exchange' is a field of every such row"),
        (None, (), {"late": agg.count()}, ValueError, "'late' is a field of every such row already"),
        (None, (), {"asdict": agg.count()}, ValueError, "'asdict' is a field of every such row already"),
        (Flow, (), {"delta": agg.count()}, ValueError, "Flow: 'delta' is a field of every such row already"),
        (None, (), {"_n": agg.count()}, ValueError, "'_n' cannot name a field"),
        (None, (), {"a b": agg.count()}, ValueError, "'a b' cannot name a field"),
        (Mine, "symbol", {}, ValueError, r"by='symbol': Mine has the key fields \('exchange',\); leave `by` out"),
        (More, ("symbol", "symbol"), {}, ValueError, "More has the key fields"),
        (Bar, (), {}, ValueError, r"Bar by \(\): its open, .* must hold 'exchange' and 'symbol'"),
        (Bar, "base_asset", {}, ValueError, r"Bar by \('base_asset',\).*for several instruments together declare"),
        (Bar, "symbol", {}, ValueError, r"Bar by \('symbol',\)"),
        (3, (), {}, TypeError, r"row=3 is no class of rows; give ops\.Flow, ops\.Bar or a class that extends ops\.Row"),
        (int, (), {}, TypeError, "row=<class 'int'> is no class of rows"),
    ],
)
def test_mistakes_are_named(row: Any, by: Any, aggregates: Any, error: type[Exception], message: str) -> None:
    """When the window is made: the argument, its value, and what is accepted."""
    with pytest.raises(error, match=message):
        row_type(row, by, aggregates)


def test_mistakes_in_a_class_are_named_when_it_is_made() -> None:
    with pytest.raises(ValueError, match=r"Typo: 'exchnge' is no field .*: exchnge = agg\.count\(\)"):

        class Typo(Row):  # pyright: ignore[reportUnusedClass]  # making it is the test
            exchnge: str

    with pytest.raises(TypeError, match=r"Forgot: n=<function count at .* is no aggregate"):

        class Forgot(Row):  # pyright: ignore[reportUnusedClass]
            n = agg.count

    with pytest.raises(TypeError, match="Number: n=3 is no aggregate"):

        class Number(Row):  # pyright: ignore[reportUnusedClass]
            n = 3

    with pytest.raises(ValueError, match="Taken: 'gap_ms' is a field of every such row already"):

        class Taken(Row):  # pyright: ignore[reportUnusedClass]
            gap_ms = agg.count()  # pyright: ignore[reportAssignmentType, reportIncompatibleVariableOverride, reportIncompatibleMethodOverride]  # is tested

    with pytest.raises(ValueError, match="Again: 'n' is a field of every such row already"):

        class Again(Mine):  # pyright: ignore[reportUnusedClass]
            n = agg.count(side="long")

    with pytest.raises(ValueError, match="Twice: 'exchange' is twice among the key fields"):

        class Twice(Mine):  # pyright: ignore[reportUnusedClass]
            exchange: str

    with pytest.raises(ValueError, match=r"Consolidated by \('base_asset',\): its open, high, low and close"):

        class Consolidated(Bar):  # pyright: ignore[reportUnusedClass]
            base_asset: str

    with pytest.raises(TypeError, match="Both: a row extends one class of rows, not Flow, Mine"):

        class Both(Flow, Mine):  # pyright: ignore[reportUnusedClass]
            pass


def test_methods_and_private_names_are_no_fields() -> None:
    class WithMore(Row):
        _note: str
        _unit = "usd"
        n = agg.count()

        def doubled(self) -> int:
            return 2 * self.n

    assert WithMore.fields == ("start_ms", "end_ms", "n", "gap_ms", "dropped", "late", "final", "complete")
    assert WithMore(start_ms=0, end_ms=1, n=4).doubled() == 8
