"""Each aggregate: its formula, its unit, what it gives without events, whom it counts, how it is written."""

import math
import operator
import pickle
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from cgrx._model.events import Event, Liquidation, LiquidationSide, Trade, TradeSide
from cgrx.operators import agg
from cgrx.operators._aggregates.accumulators import accumulator

BUY, SELL = TradeSide.BUY, TradeSide.SELL
LONG, SHORT = LiquidationSide.LONG, LiquidationSide.SHORT

T1 = Trade("BTC", "Binance", "BTCUSDT", BUY, 100.0, 1000.0, 10)
T2 = Trade("BTC", "OKX", "BTC-USDT-SWAP", SELL, 110.0, 220.0, 20)
T3 = Trade("BTC", "Binance", "BTCUSDT", BUY, 90.0, 180.0, 30)
L1 = Liquidation("BTC", "Bybit", "BTCUSDT", LONG, 95.0, 950.0, 15)
L2 = Liquidation("ETH", "Bybit", "ETHUSDT", SHORT, 10.0, 50.0, 40)
TRADES = (T1, T2, T3)
ALL = (T1, L1, T2, T3, L2)


def _any(function: Any) -> Any:
    """The same function, unknown to the type checkers: it gets what they would refuse."""
    return function


def value(aggregate: agg.Aggregate[Any], events: Sequence[Event]) -> Any:
    made = accumulator((aggregate,))()
    for event in events:
        made.add(event)
    (result,) = made.values()
    return result


@pytest.mark.parametrize(
    ("aggregate", "events", "expected"),
    [
        (agg.count(), ALL, 5),
        (agg.count(of=Trade), ALL, 3),
        (agg.count(side="long"), ALL, 1),
        (agg.volume(), ALL, 2400.0),
        (agg.volume(of=Liquidation), ALL, 1000.0),
        (agg.volume(side="buy"), ALL, 1180.0),
        (_any(agg.volume)(side="SHORT"), ALL, 50.0),
        (agg.volume(side=SELL, of=Trade), ALL, 220.0),
        (agg.volume(side=LONG), ALL, 950.0),
        (agg.buy_volume(), ALL, 1230.0),
        (agg.buy_volume(of=Liquidation), ALL, 50.0),
        (agg.sell_volume(), ALL, 1170.0),
        (agg.sell_volume(of=Trade), ALL, 220.0),
        (agg.delta(), ALL, 60.0),
        (agg.delta(of=Liquidation), ALL, -900.0),
        (agg.imbalance(), ALL, 60 / 2400),
        (agg.imbalance(of=Liquidation), ALL, -0.9),
        (agg.imbalance(), (T2,), -1.0),
        (agg.mean(), TRADES, 100.0),
        (agg.mean("volume_usd", side="buy"), ALL, 590.0),
        (agg.vwap(), TRADES, 1400 / 14),
        (agg.vwap(side="sell"), ALL, 110.0),
        (agg.stddev(), TRADES, math.sqrt(200 / 3)),
        (agg.stddev("volume_usd", of=Liquidation), ALL, 450.0),
        (agg.stddev(), (T1,), 0.0),
        (agg.open(), ALL, 100.0),
        (agg.open(of=Liquidation), ALL, 95.0),
        (agg.high(), ALL, 110.0),
        (agg.high(side="buy"), ALL, 100.0),
        (agg.low(), ALL, 10.0),
        (agg.low(of=Trade), ALL, 90.0),
        (agg.close(), ALL, 10.0),
        (agg.close(of=Trade), ALL, 90.0),
        (agg.first("price"), ALL, 100.0),
        (agg.first("time_ms", side="sell"), ALL, 20),
        (agg.first("exchange", of=Liquidation), ALL, "Bybit"),
        (agg.last("time_ms"), ALL, 40),
        (agg.last("base_asset"), ALL, "ETH"),
        (agg.last("side", of=Trade), ALL, BUY),
        (agg.last("volume_usd"), TRADES, 180.0),
        (agg.min(), ALL, 10.0),
        (agg.min("volume_usd", of=Trade), ALL, 180.0),
        (agg.max("time_ms"), TRADES, 30),
        (agg.max("volume_usd", side="sell"), ALL, 220.0),
        (agg.largest(2), ALL, (T1, L1)),
        (agg.largest(9, of=Trade), ALL, (T1, T2, T3)),
        (agg.exchanges(), ALL, ("Binance", "Bybit", "OKX")),
        (agg.exchanges(side="sell"), ALL, ("OKX",)),
        (agg.share(), TRADES, {"Binance": 1180 / 1400, "OKX": 220 / 1400}),
        (agg.share("base_asset", of=Liquidation), ALL, {"BTC": 0.95, "ETH": 0.05}),
        (agg.dispersion(), TRADES, (110 - 98.33333333333333) / 100),
        (agg.dispersion(side="buy"), TRADES, 0.0),
        (agg.quantile(0.5), (T1,), 100.0),
        (agg.quantile(0.5, exact=0), (T1,), pytest.approx(100, rel=0.01)),
        (agg.median(), TRADES, 100.0),
        (agg.median("volume_usd", side="buy"), ALL, 590.0),
        (agg.count_distinct("exchange"), ALL, 3),
        (agg.count_distinct("symbol", side="buy"), ALL, 1),
        (agg.count_distinct("time_ms", of=Liquidation), ALL, 2),
        (agg.ewm(half_life="10ms"), TRADES, (100 + 2 * 110 + 4 * 90) / 7),
        (agg.ewm("volume_usd", half_life="20ms", side="buy"), ALL, (1000 + 2 * 180) / 3),
        (agg.ewm(half_life="1h"), (T2,), 110.0),
        (agg.custom(list[float], lambda s, e: [*s, e.price], operator.add, max, side="buy"), ALL, 100.0),
    ],
    ids=str,
)
def test_value(aggregate: agg.Aggregate[Any], events: Sequence[Event], expected: object) -> None:
    """Worked out by hand."""
    found = value(aggregate, events)
    assert found == (pytest.approx(expected, rel=1e-15) if isinstance(expected, float) else expected)


@pytest.mark.parametrize(
    ("aggregate", "expected"),
    [
        *((each, 0) for each in (agg.count(), agg.volume(), agg.buy_volume(), agg.sell_volume(), agg.delta())),
        *((each, ()) for each in (agg.largest(3), agg.exchanges())),
        *((each, None) for each in (agg.imbalance(), agg.mean(), agg.vwap(), agg.stddev(), agg.open(), agg.high())),
        *((each, None) for each in (agg.low(), agg.close(), agg.min("time_ms"), agg.max(), agg.first("price"))),
        *((each, None) for each in (agg.last("symbol"), agg.first("time_ms"), agg.dispersion(), agg.quantile(0.9))),
        *(
            (each, None)
            for each in (agg.quantile(0.9, exact=0), agg.median(), agg.median(exact=0), agg.ewm(half_life=1))
        ),
        *((each, 0) for each in (agg.count_distinct("price"), agg.count_distinct("symbol", exact=1))),
        (agg.share(), {}),
        (agg.custom(int, lambda n, _: n + 1, operator.add, str), "0"),
    ],
    ids=str,
)
@pytest.mark.parametrize("merged", [False, True])
def test_without_events(aggregate: agg.Aggregate[Any], expected: object, merged: bool) -> None:
    """0 for counts and amounts, None where there is nothing to divide by or to pick from; also of two empty parts."""
    made = accumulator((aggregate,))()
    if merged:
        made.merge(accumulator((aggregate,))())
    assert made.values() == (expected,)


def test_ties_go_by_all_fields() -> None:
    """Of events of one time the first has the lowest price, the last the highest, whatever came first."""
    low = Trade("BTC", "Binance", "BTCUSDT", BUY, 1.0, 5.0, 10)
    high = Trade("BTC", "Aster", "BTCUSDT", SELL, 2.0, 5.0, 10)
    twin = Trade("BTC", "Aster", "BTCUSDT", BUY, 1.0, 5.0, 10)
    for events in ([low, high, twin], [twin, high, low], [high, low, twin]):
        assert value(agg.open(), events) == 1.0
        assert value(agg.close(), events) == 2.0
        assert value(agg.first("exchange"), events) == "Aster"
        assert value(agg.last("exchange"), events) == "Aster"
        assert value(agg.last("side"), events) == SELL
        assert value(agg.largest(2), events) == (twin, low)


def test_an_event_that_does_not_fit_changes_nothing() -> None:
    """The fields are read before anything is added."""
    made = accumulator((agg.count(), agg.vwap()))()
    with pytest.raises(AttributeError, match="price"):
        made.add("no event")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # what is tested
    assert made.values() == (0, None)


@pytest.mark.parametrize(
    ("aggregate", "code"),
    [
        (agg.count(), "agg.count()"),
        (agg.volume(side=LONG), 'agg.volume(side="long")'),
        (agg.volume(side="sell", of=Trade), 'agg.volume(side="sell", of=Trade)'),
        (agg.mean("price"), 'agg.mean("price")'),
        (agg.largest(5), "agg.largest(5)"),
        (agg.quantile(0.5, error=0.02), 'agg.quantile(0.5, "price", error=0.02)'),
        (agg.median(exact=math.inf, of=Trade), 'agg.median("price", exact=math.inf, of=Trade)'),
        (agg.count_distinct("symbol", exact=50), 'agg.count_distinct("symbol", exact=50)'),
        (agg.ewm(half_life=90), 'agg.ewm("price", half_life="90s")'),
        (_any(agg.custom)(int, max, operator.add, str), "agg.custom(int, max, add, str)"),
    ],
)
def test_prints_as_code(aggregate: agg.Aggregate[Any], code: str) -> None:
    assert repr(aggregate) == code


@pytest.mark.parametrize(
    "make",
    [
        lambda: agg.vwap(side="buy"),
        lambda: agg.largest(3),
        lambda: agg.quantile(0.5),
        agg.median,
        lambda: agg.count_distinct("price"),
        lambda: agg.ewm(half_life="1m"),
    ],
)
def test_is_a_value(make: Callable[[], agg.Aggregate[Any]]) -> None:
    """Equal if written alike, hashable, and the same after pickling."""
    assert make() == make()
    assert hash(make()) == hash(make())
    assert make() != agg.count()
    assert pickle.loads(pickle.dumps(make())) == make()


def test_says_which_events_it_counts() -> None:
    """So that a stage can refuse a stream that holds none of them."""
    assert agg.volume(side="long").event_types == frozenset[Any]({Liquidation})
    assert agg.mean(of=Trade).event_types == frozenset[Any]({Trade})
    assert agg.delta().event_types is None


def test_names_the_functions_of_the_user() -> None:
    """They are what cannot be compiled."""
    assert _any(agg.custom)(int, max, operator.add, str).functions == (int, max, operator.add, str)
    assert agg.quantile(0.5).functions == ()
    assert agg.vwap().functions == ()


def test_outside_a_row_it_is_no_field() -> None:
    class Plain:
        n = agg.count()

    assert Plain.n == agg.count()
    with pytest.raises(TypeError, match=r"agg\.count\(\) stands in the class Plain, which is no cgrx\.operators\.Row"):
        _ = Plain().n


def test_shares_are_a_frozen_mapping() -> None:
    shares = value(agg.share(), TRADES)
    assert list(shares) == ["Binance", "OKX"]
    assert len(shares) == 2
    assert shares["OKX"] == 220 / 1400
    assert repr(shares) == repr(dict(shares))
    again = pickle.loads(pickle.dumps(shares))
    assert again == shares
    assert hash(again) == hash(shares)
    with pytest.raises(KeyError, match="Kraken"):
        shares["Kraken"]
    with pytest.raises(TypeError):
        shares["OKX"] = 1.0


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: _any(agg.count)(side="up"), ValueError, r"agg\.count\(side='up'\) is none of \"long\", \"short\""),
        (lambda: _any(agg.count)(side=1), ValueError, r"agg\.count\(side=1\) is none of"),
        (
            lambda: agg.volume(side="long", of=Trade),
            ValueError,
            r'volume\(side="long", of=Trade\): that is a side of Liquidation .* those of Trade are "sell" and "buy"',
        ),
        (
            lambda: agg.vwap(side=BUY, of=Liquidation),
            ValueError,
            r'side="buy", of=Liquidation\).* those of Liquidation are "long" and "short"',
        ),
        (lambda: _any(agg.count)(of=int), TypeError, r"agg\.count\(of=<class 'int'>\) takes a type of event"),
        (lambda: _any(agg.mean)("time_ms"), ValueError, r"agg\.mean\(field='time_ms'\) takes 'price', 'volume_usd'"),
        (lambda: _any(agg.stddev)("side"), ValueError, r"agg\.stddev\(field='side'\)"),
        (lambda: _any(agg.min)("symbol"), ValueError, r"agg\.min\(field='symbol'\) takes .*'time_ms'"),
        (lambda: _any(agg.max)("symbol"), ValueError, r"agg\.max\(field='symbol'\)"),
        (
            lambda: _any(agg.first)("bid", of=Trade),
            ValueError,
            r"agg\.first\(field='bid'\) takes 'base_asset', 'exchange'",
        ),
        (
            lambda: _any(agg.last)("-bid"),
            ValueError,
            r"agg\.last\(field='-bid'\) takes .* in a window over rows the name of a field of theirs",
        ),
        (lambda: _any(agg.share)("price"), ValueError, r"agg\.share\(by='price'\) takes 'exchange', 'symbol'"),
        (lambda: agg.largest(0), ValueError, r"agg\.largest\(0\) takes a number of events, 1 or more"),
        (lambda: _any(agg.largest)(1.5), TypeError, r"agg\.largest\(1\.5\)"),
        (lambda: agg.largest(True), TypeError, r"agg\.largest\(True\)"),
        (lambda: agg.quantile(1.5), ValueError, r"agg\.quantile\(q=1\.5\) takes a number from 0 to 1"),
        (lambda: agg.quantile(math.nan), ValueError, r"agg\.quantile\(q=nan\)"),
        (lambda: _any(agg.quantile)("0.5"), TypeError, r"agg\.quantile\(q='0\.5'\) takes a number"),
        (lambda: agg.quantile(0.5, error=0), ValueError, r"agg\.quantile\(error=0\) takes a relative error"),
        (lambda: agg.quantile(0.5, error=True), TypeError, r"agg\.quantile\(error=True\)"),
        (lambda: _any(agg.quantile)(0.5, "side"), ValueError, r"agg\.quantile\(field='side'\)"),
        (
            lambda: agg.median(exact=-1),
            ValueError,
            r"agg\.median\(exact=-1\) takes a number of values, 0 or more, or math",
        ),
        (lambda: agg.quantile(0.5, exact=1.5), TypeError, r"agg\.quantile\(exact=1\.5\) takes a number of values"),
        (lambda: agg.median(exact=True), TypeError, r"agg\.median\(exact=True\)"),
        (lambda: _any(agg.median)("side"), ValueError, r"agg\.median\(field='side'\) takes 'price', 'volume_usd'"),
        (lambda: _any(agg.count_distinct)("side"), ValueError, r"agg\.count_distinct\(field='side'\) takes 'exchange'"),
        (
            lambda: agg.count_distinct("price", exact=0),
            ValueError,
            r"\(exact=0\) takes .*, 1 to 67,108,864, or math\.inf",
        ),
        (lambda: agg.count_distinct("price", exact=1 << 27), ValueError, r"count_distinct\(exact=134217728\) takes"),
        (lambda: agg.ewm(half_life=0), ValueError, r"agg\.ewm: half_life=0 is too short: give at least a millisecond"),
        (lambda: agg.ewm(half_life=math.inf), ValueError, r"agg\.ewm: half_life=inf must be finite"),
        (lambda: _any(agg.ewm)(half_life=None), TypeError, r"agg\.ewm: half_life=None is not a duration"),
        (lambda: _any(agg.ewm)("side", half_life=1), ValueError, r"agg\.ewm\(field='side'\)"),
        (lambda: _any(agg.custom)(0, max, max, max), TypeError, r"agg\.custom\(start=0\) takes a function"),
        (lambda: _any(agg.custom)(int, max, max, _Unhashable()), TypeError, r"result=.*must be hashable"),
    ],
)
def test_mistakes_are_named(make: Callable[[], object], error: type[Exception], message: str) -> None:
    """The argument, its value, and what is accepted; when the aggregate is made, not when events come."""
    with pytest.raises(error, match=message):
        make()


class _Unhashable(Counter[str]):
    def __call__(self, state: object) -> object:
        return state
