"""The generated accumulator classes: readable, shared, shown in tracebacks, gone when unused."""

import gc
import linecache
import operator
import traceback
from typing import Any, cast

import pytest

from cgrx._model.events import Event, Trade, TradeSide
from cgrx.operators import agg
from cgrx.operators._aggregates import accumulators
from cgrx.operators._aggregates.accumulators import accumulator

TRADE = Trade("BTC", "Binance", "BTCUSDT", TradeSide.BUY, 100.0, 50.0, 1)


def source(*aggregates: agg.Aggregate[Any]) -> str:
    return cast(str, cast(Any, accumulator(aggregates)).__source__)


def test_reads_as_if_written_by_hand() -> None:
    assert source(agg.count(), agg.high(side="sell"), agg.vwap()) == (
        """\
class Accumulator(Generated):
    __slots__ = ('count', 'max_price_trade_side_1', 'sum_volume_usd', 'sum_base', )

    def __init__(self):
        self.count = 0
        self.max_price_trade_side_1 = -inf
        self.sum_volume_usd = 0
        self.sum_base = 0

    def add(self, event):
        side = event.side
        price = event.price
        volume_usd = event.volume_usd
        try:
            volume_units = trunc(volume_usd * SCALE)
            base_units = trunc(volume_usd / price * SCALE)
        except OverflowError:
            volume_units = units(volume_usd)
            base_units = quotient_units(volume_usd, price)
        self.count += 1
        self.sum_volume_usd += volume_units
        self.sum_base += base_units
        if type(event) is Trade and side == 1:
            if price > self.max_price_trade_side_1:
                self.max_price_trade_side_1 = price

    def merge(self, other):
        self.count += other.count
        if other.max_price_trade_side_1 > self.max_price_trade_side_1:
            self.max_price_trade_side_1 = other.max_price_trade_side_1
        self.sum_volume_usd += other.sum_volume_usd
        self.sum_base += other.sum_base

    def values(self):
        try:
            return (
                self.count,  # agg.count()
                found(self.max_price_trade_side_1),  # agg.high(side="sell")
                self.sum_volume_usd / self.sum_base if self.sum_base else None,  # agg.vwap()
            )
        except OverflowError:
            return (
                self.count,  # agg.count()
                found(self.max_price_trade_side_1),  # agg.high(side="sell")
                quotient(self.sum_volume_usd, self.sum_base),  # agg.vwap()
            )

    def sums(self):
        return ()
"""
    )


def test_the_docstring_shows_what_is_generated() -> None:
    """A reader of the generator sees its text: a sample of it stands in the docstring, and is what it writes now."""
    shown = " ".join((accumulators.__doc__ or "").split())
    assert " ".join(source(agg.count(), agg.vwap(), agg.high(side="sell")).split()) in shown


def test_what_several_aggregates_need_is_kept_once() -> None:
    text = source(agg.volume(), agg.vwap(), agg.imbalance(), agg.delta(), agg.sell_volume(), agg.buy_volume())
    assert "__slots__ = ('sum_volume_usd', 'sum_base', 'sum_volume_usd_side_2', )" in text


def test_what_only_some_events_need_is_computed_for_them_alone() -> None:
    text = source(agg.count(), agg.volume(side="long"))
    assert text.index("if type(event) is Liquidation") < text.index("trunc(volume_usd * SCALE)")
    shared = source(agg.volume(side="long"), agg.volume(side="short"))
    assert shared.index("trunc(volume_usd * SCALE)") < shared.index("if type(event) is Liquidation")


def test_equal_aggregates_have_one_class() -> None:
    assert accumulator((agg.count(), agg.vwap())) is accumulator((agg.count(), agg.vwap()))
    assert accumulator((agg.count(),)) is not accumulator((agg.count(of=Trade),))


def test_no_aggregate_at_all() -> None:
    made = accumulator(())()
    made.add(TRADE)
    made.merge(accumulator(())())
    assert made.values() == ()


def test_primitives_of_one_kind_have_names_of_their_own() -> None:
    """The functions of the user may be called like anything, and may be several."""

    def units(state: int, event: Event) -> int:
        return state + event.time_ms

    def insort(state: int) -> int:
        return -state

    first = agg.custom(int, units, operator.add, insort)
    second = agg.custom(int, units, operator.sub, lambda state: state)
    made = accumulator((first, second, agg.volume(), agg.largest(1), agg.exchanges()))()
    made.add(TRADE)
    made.merge(made)
    assert made.values() == (-2, 0, 100.0, (TRADE,), ("Binance",))
    assert "self.custom__2" in source(first, second)


def test_tracebacks_show_the_generated_line() -> None:
    """And the user's own exception comes through as it is."""

    def broken(state: int, event: Event) -> int:
        raise RuntimeError("mine")

    made = accumulator((agg.custom(int, broken, operator.add, str),))()
    with pytest.raises(RuntimeError, match="mine") as raised:
        made.add(TRADE)
    assert "self.custom = add_to_custom(self.custom, event)" in "".join(traceback.format_exception(raised.value))


def test_an_unused_class_leaves_nothing_behind() -> None:
    """Windows over ever new functions do not fill the memory."""

    def lines() -> int:
        gc.collect()
        return sum(name.startswith("<cgrx accumulator") for name in linecache.cache)

    before = lines()
    for _ in range(3):
        accumulator((agg.custom(int, lambda state, _: state, operator.add, lambda state: state),))
    assert lines() == before
