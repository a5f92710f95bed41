"""`agg.quantile` and `agg.median`: exact up to the bound, within the documented error beyond."""

import math
import statistics
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cgrx._model.events import Trade, TradeSide
from cgrx.operators import agg
from cgrx.operators._aggregates.accumulators import accumulator
from tests.support import examples


def trade(price: float) -> Trade:
    return Trade("BTC", "Binance", "BTCUSDT", TradeSide.BUY, price, 1.0, 0)


_prices = st.floats(min_value=1e-12, max_value=1e12) | st.floats(min_value=1e4, max_value=1e5)


@settings(max_examples=examples(50))
@given(st.lists(_prices | st.just(3.5), max_size=30), st.floats(0, 1), st.sampled_from([30, math.inf]))
def test_is_exact_up_to_the_bound(prices: list[float], q: float, exact: float) -> None:
    """Against Python's statistics. A price that comes again counts once for the bound, each time for the rank."""
    made = accumulator((agg.quantile(q, exact=exact), agg.median(exact=exact)))()
    for price in prices * 2:
        made.add(trade(price))
    found, median = made.values()
    ordered = sorted(prices * 2)
    assert found == (ordered[math.floor(q * (len(ordered) - 1))] if prices else None)
    assert median == (pytest.approx(statistics.median(ordered), rel=1e-15) if prices else None)


@given(st.lists(_prices, min_size=1, max_size=60), st.floats(0, 1), st.sampled_from([0.01, 0.2]))
def test_lies_within_the_documented_error(prices: list[float], q: float, error: float) -> None:
    """Of the value of rank floor(q (n - 1)), as the docstring says."""
    made = accumulator((agg.quantile(q, error=error, exact=0),))()
    for price in prices:
        made.add(trade(price))
    (found,) = made.values()
    exact = sorted(prices)[math.floor(q * (len(prices) - 1))]
    assert found == pytest.approx(exact, rel=error * (1 + 1e-9))


@settings(max_examples=examples(40))
@given(st.lists(_prices, min_size=1, max_size=60), st.sampled_from([0, 1, 7]))
def test_a_median_by_the_sketch(prices: list[float], exact: int) -> None:
    """Of an even number too, where it is the mean of two."""
    made = accumulator((agg.median(exact=exact),))()
    for price in prices:
        made.add(trade(price))
    assert made.values() == (pytest.approx(statistics.median(prices), rel=0.01 * (1 + 1e-9)),)


@settings(max_examples=examples(50))
@given(st.lists(st.integers(1, 12), max_size=20), st.integers(0, 20), st.integers(0, 12))
def test_the_bound_is_about_all_values(prices: list[int], cut: int, exact: int) -> None:
    """Not about when they came: parts that were below it, one of them merged, give what one accumulator gives."""
    made = accumulator((agg.quantile(0.3, exact=exact), agg.median(exact=exact)))
    whole, first, second = made(), made(), made()
    for index, price in enumerate(prices):
        whole.add(trade(price))
        (first if index < cut else second).add(trade(price))
    first.merge(second)
    assert first.values() == whole.values()


def test_the_ends_of_the_range_of_floats() -> None:
    """The least count as 0; the greatest have no bin whose upper end is a float."""
    for price, expected in ((5e-324, 0.0), (sys.float_info.max, sys.float_info.max)):
        made = accumulator((agg.quantile(0.5, exact=0),))()
        made.add(trade(price))
        (found,) = made.values()
        assert isinstance(found, float)
        assert found == pytest.approx(expected, rel=0.01)


def test_quantiles_of_one_field_share_a_sketch() -> None:
    made = accumulator(
        (agg.quantile(0.1, exact=50), agg.median(exact=50), agg.quantile(0.9, error=0.1, exact=50), agg.median())
    )()
    for price in range(1, 102):
        made.add(trade(float(price)))
    assert made.values() == (pytest.approx(11, rel=0.01), pytest.approx(51, rel=0.01), pytest.approx(91, rel=0.1), 51)
    slots: tuple[str, ...] = vars(type(made))["__slots__"]
    assert slots == ("numbers_price", "numbers_price__2", "numbers_price__3")


def test_without_the_library_it_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """When the aggregate is made; no other aggregate needs it, and none that keeps every value."""
    monkeypatch.setitem(sys.modules, "ddsketch", None)
    with pytest.raises(
        ImportError, match=r'agg\.quantile\(\) needs the package ddsketch: pip install "cgrx\[sketch\]"'
    ):
        agg.quantile(0.5)
    with pytest.raises(ImportError, match=r"agg\.median\(\) needs .* or keep every value, with exact=math\.inf"):
        agg.median()
    assert agg.median(exact=math.inf) != agg.quantile(0.5, exact=math.inf)
