"""The sketch behind `agg.quantile`: its documented error against exact quantiles, and what is said without it."""

import math
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cgrx._model.events import Trade, TradeSide
from cgrx.operators import agg
from cgrx.operators._aggregates.accumulators import accumulator


def trade(price: float) -> Trade:
    return Trade("BTC", "Binance", "BTCUSDT", TradeSide.BUY, price, 1.0, 0)


_prices = st.floats(min_value=1e-12, max_value=1e12) | st.floats(min_value=1e4, max_value=1e5)


@given(st.lists(_prices, min_size=1, max_size=60), st.floats(0, 1), st.sampled_from([0.01, 0.2]))
def test_lies_within_the_documented_error(prices: list[float], q: float, error: float) -> None:
    """Of the value of rank floor(q (n - 1)), as the docstring says."""
    made = accumulator((agg.quantile(q, error=error),))()
    for price in prices:
        made.add(trade(price))
    (found,) = made.values()
    exact = sorted(prices)[math.floor(q * (len(prices) - 1))]
    assert found == pytest.approx(exact, rel=error * (1 + 1e-9))


def test_the_ends_of_the_range_of_floats() -> None:
    """The least count as 0; the greatest have no bin whose upper end is a float."""
    for price, expected in ((5e-324, 0.0), (sys.float_info.max, sys.float_info.max)):
        made = accumulator((agg.quantile(0.5),))()
        made.add(trade(price))
        (found,) = made.values()
        assert isinstance(found, float)
        assert found == pytest.approx(expected, rel=0.01)


def test_quantiles_of_one_field_share_a_sketch() -> None:
    made = accumulator((agg.quantile(0.1), agg.quantile(0.9), agg.quantile(0.9, error=0.1)))()
    for price in range(1, 102):
        made.add(trade(float(price)))
    assert made.values() == (pytest.approx(11, rel=0.01), pytest.approx(91, rel=0.01), pytest.approx(91, rel=0.1))
    slots: tuple[str, ...] = vars(type(made))["__slots__"]
    assert slots == ("sketch_price", "sketch_price__2")


def test_without_the_library_it_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """When the aggregate is made; no other aggregate needs it."""
    monkeypatch.setitem(sys.modules, "ddsketch", None)
    with pytest.raises(
        ImportError, match=r'agg\.quantile\(\) needs the package ddsketch: pip install "cgrx\[sketch\]"'
    ):
        agg.quantile(0.5)
    agg.mean()
